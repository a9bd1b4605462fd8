"""What happens, as it happens, for anyone who watches: a bounded ring of numbered events."""

import threading
from collections import deque
from typing import Any

Event = dict[str, Any]


class Hub:
    """Publishing never waits for a watcher. One who is slower than the ring is told how much was missed."""

    def __init__(self, size: int = 4096) -> None:
        self._ring: deque[Event] = deque(maxlen=size)
        self._notable: deque[Event] = deque(maxlen=500)  # without bars, of which there are so many
        self._next = 1
        self._lock = threading.Lock()

    def publish(self, kind: str, **told: Any) -> None:
        with self._lock:
            event = {"n": self._next, "kind": kind, **told}
            self._ring.append(event)
            if kind != "bar":
                self._notable.append(event)
            self._next += 1

    @property
    def newest(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._next - 1

    def recent(self, count: int) -> list[Event]:
        """The newest events that are no bars, oldest first."""
        with self._lock:
            return list(self._notable)[max(0, len(self._notable) - count):]

    def since(self, number: int, most: int = 500) -> list[Event]:
        """Events after `number`, oldest first; the first says so if some were lost to the ring."""
        with self._lock:
            first = self._next - len(self._ring)
            skip = max(0, number + 1 - first)
            found = [self._ring[i] for i in range(skip, min(len(self._ring), skip + most))]
        if number + 1 < first and found:
            found.insert(0, {"n": first - 1, "kind": "gap", "missed": first - 1 - number})
        return found
