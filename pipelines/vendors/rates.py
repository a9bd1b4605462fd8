"""How often a vendor may be asked: never more than so many questions in any window, and nobody while it says stop."""

import re
import threading
import time
from collections import deque
from collections.abc import Callable

WINDOWS_S = {"second": 1.0, "minute": 60.0}
_RATE = re.compile(r"(?P<count>[1-9]\d*)/(?P<window>second|minute)")


class Rate:
    """`100/second` or `5/minute`, over a sliding window: a bucket that refills would let twice that pass in one."""

    def __init__(
        self, text: str = "", *,
        clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        match = _RATE.fullmatch(text)
        if text and match is None:
            raise ValueError(f"'{text}' is no rate: write it as 5/minute or 100/second")
        self._window_s = WINDOWS_S[match["window"]] if match else 0.0
        self._taken: deque[float] = deque(maxlen=int(match["count"]) if match else 1)
        self._limited = match is not None
        self._not_before = float("-inf")
        self._clock, self._sleep, self._lock = clock, sleep, threading.Lock()

    def take(self) -> None:
        """Return when it is this caller's turn."""
        while (wait := self._wait_s()) > 0:
            self._sleep(wait)

    def pause(self, seconds: float) -> None:
        """The vendor said stop: that holds for everybody who asks it."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + seconds)

    def _wait_s(self) -> float:
        with self._lock:
            now = self._clock()
            free_at = self._not_before
            if self._limited and len(self._taken) == self._taken.maxlen:
                free_at = max(free_at, self._taken[0] + self._window_s)
            if free_at <= now:
                self._taken.append(now)
            return free_at - now
