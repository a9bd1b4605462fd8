"""What loading Feast costs, where it can be had for less."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def as_written() -> Iterator[None]:
    """While open, what is imported is not written anew by typeguard, which parses and compiles each of Feast's classes
    again so that it asks for the kind of every argument: over half of the five seconds that Feast takes to load."""
    try:
        import typeguard
    except ModuleNotFoundError:  # then Feast is missing too, and whoever imports it is told so
        yield
        return

    def left_alone(target: Any = None, **_asked: Any) -> Any:
        return left_alone if target is None else target

    rewriting: Any = typeguard.typechecked
    typeguard.typechecked = left_alone
    try:
        yield
    finally:
        typeguard.typechecked = rewriting
