"""A broker's client is an extra: whoever lacks it is told in a sentence what to install."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needed(extra: str, what: str) -> Iterator[None]:
    """Around the imports of an adapter."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # among libraries, and not ours to mend
            yield
    except ModuleNotFoundError as missing:
        raise ValueError(f"{what} needs the package {missing.name}, which is not installed: "
                         f"pip install 'nightdesk[{extra}]'") from None
