"""Progress that a person sees while the night works: one line a step on standard error, with its time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, and say how long it took or that it failed."""
    say(f"  … {title}")
    begun = time.perf_counter()
    try:
        yield
    except BaseException:
        say(f"  ✗ {title} ({time.perf_counter() - begun:.1f} s)")
        raise
    say(f"  ✓ {title} ({time.perf_counter() - begun:.1f} s)")
