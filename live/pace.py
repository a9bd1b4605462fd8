"""Time that can be waited for: the machine's own, or one that runs a stated number of times as fast from a start."""

import datetime as dt
import threading
import time

from live.clock import from_us, to_us


class Pace:
    """Never runs backwards, whatever the machine's clock does. A waiter is woken by `stop`."""

    def __init__(self, start: dt.datetime | None = None, speed: float = 1.0) -> None:
        if not 0.0 < speed <= 1e6:
            raise ValueError(f"speed {speed}: give a number above 0 (1 is real time, 60 an hour a minute)")
        if start is None and speed != 1.0:
            raise ValueError("only a recorded market can run at another speed than real time")
        self._start_us = None if start is None else to_us(start)
        self.speed = speed
        self._begun = time.monotonic()
        self._newest_us = 0
        self._stopped = threading.Event()

    def now_us(self) -> int:
        if self._start_us is None:
            now_us = time.time_ns() // 1000
        else:
            now_us = self._start_us + int((time.monotonic() - self._begun) * self.speed * 1e6)
        self._newest_us = max(self._newest_us, now_us)
        return self._newest_us

    def now(self) -> dt.datetime:
        return from_us(self.now_us())

    def wait(self, until_us: int, at_most_s: float) -> None:
        """Sleep until then, but no longer than so many of the machine's seconds."""
        left_s = (until_us - self.now_us()) / 1e6 / self.speed
        if left_s > 0:
            self._stopped.wait(min(left_s, at_most_s))

    def stop(self) -> None:
        """Wake whoever waits; nobody waits again."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()
