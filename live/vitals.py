"""How the process itself does: what a bar costs it, how much memory it has, and how long the feed has been silent."""

import gc
import resource
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PAGE_BYTES = resource.getpagesize()
STATM = Path("/proc/self/statm")


def settle_heap() -> None:
    """What is loaded by now stays as long as the process: no decision waits while the collector walks it again."""
    gc.collect()
    gc.freeze()


class Vitals:
    """Written by the engine's thread, read by any. Only the newest measurements are kept."""

    def __init__(self, keep: int = 2000, monotonic_s: Callable[[], float] = time.monotonic,
                 market_s: Callable[[], float] | None = None) -> None:
        self._took_s: deque[float] = deque(maxlen=keep)
        self._monotonic_s = monotonic_s
        self._market_s = market_s or monotonic_s  # a market that runs faster falls silent faster
        self._heard_s: float | None = None
        self._lock = threading.Lock()

    def heard(self) -> None:
        """A bar arrived."""
        self._heard_s = self._market_s()

    def silent_s(self) -> float | None:
        """Seconds of the market since the last bar; None while no session has begun to send any."""
        return None if self._heard_s is None else self._market_s() - self._heard_s

    def rested(self) -> None:
        """The session is over: silence means nothing now."""
        self._heard_s = None

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure what happens inside as one cycle of the engine."""
        began = self._monotonic_s()
        yield
        with self._lock:
            self._took_s.append(self._monotonic_s() - began)

    def took_ms(self, share: float) -> float | None:
        """The time that this share of the newest cycles stayed within; None before the first."""
        with self._lock:
            ordered = sorted(self._took_s)
        return 1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None

    def document(self) -> dict[str, Any]:
        return {"memory_mb": memory_mb(), "cycle_p50_ms": self.took_ms(0.5), "cycle_p99_ms": self.took_ms(0.99),
                "feed_silent_s": self.silent_s()}


def memory_mb() -> float:
    """Resident memory of this process; its peak where the system does not tell the present."""
    try:
        return int(STATM.read_text().split()[1]) * PAGE_BYTES / 1e6
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
