"""Progress that a person sees while the night works: one line a step on standard error, with its time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")  # one write: lines of two threads stay two lines
    sys.stderr.flush()


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
