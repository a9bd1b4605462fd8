"""What a person must hear of, through one port: never twice, never in a flood, and never at the engine's expense."""

import logging
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from live.gatekeeper import Bucket

log = logging.getLogger(__name__)
Severity = Literal["info", "warning", "critical"]
TRIES = 3


@dataclass(frozen=True)
class Alert:
    """`key` names the condition: while it lasts it is told once in a while, not at every look."""

    kind: str
    severity: Severity
    text: str
    at: str
    key: str

    @property
    def title(self) -> str:
        return f"Nightdesk {self.severity}: {self.kind.replace('_', ' ')}"


class Sink(Protocol):
    """A way to a person. It may take its time and it may fail; a failure is an OSError that says nothing secret."""

    @property
    def name(self) -> str: ...

    def send(self, alert: Alert) -> None: ...


class Alerter:
    """`post` returns at once, whatever the sinks do: each has a thread and a short queue of its own."""

    def __init__(self, sinks: Sequence[Sink], *, repeat_s: float = 900.0, per_minute: float = 10.0, keep: int = 100,
                 retry_s: float = 2.0, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._repeat_s, self._monotonic_s = repeat_s, monotonic_s
        self._told_s: dict[str, float] = {}
        self._lock = threading.Lock()
        self.recent: deque[Alert] = deque(maxlen=keep)
        self.counts: Counter[str] = Counter()
        self.repeated = 0
        self._lines = [_Line(sink, Bucket(per_minute / 60.0, per_minute, monotonic_s), retry_s) for sink in sinks]

    def post(self, alert: Alert) -> bool:
        """Whether it is news: the same condition is told again after a while only, unless it got worse."""
        key, now_s = f"{alert.key}/{alert.severity}", self._monotonic_s()
        with self._lock:
            if now_s - self._told_s.get(key, -1e18) < self._repeat_s:
                self.repeated += 1
                return False
            self._told_s[key] = now_s
            if len(self._told_s) > 1000:
                self._told_s = {one: at for one, at in self._told_s.items() if now_s - at < self._repeat_s}
            self.recent.append(alert)
            self.counts[alert.kind] += 1
        for line in self._lines:
            line.put(alert)
        return True

    def cleared(self, key: str) -> None:
        """The condition is over: its next beginning is news again."""
        with self._lock:
            for severity in ("info", "warning", "critical"):
                self._told_s.pop(f"{key}/{severity}", None)

    def undelivered(self) -> dict[str, int]:
        """How many alerts each sink was spared or could not take."""
        return {line.name: line.lost for line in self._lines}

    def close(self, within_s: float = 5.0) -> None:
        """Let the queues empty, but not for long."""
        for line in self._lines:
            line.end()
        for line in self._lines:
            line.thread.join(within_s)


class _Line:
    """One sink's queue and thread."""

    def __init__(self, sink: Sink, bucket: Bucket, retry_s: float) -> None:
        self.name, self.lost = sink.name, 0
        self._sink, self._bucket, self._retry_s = sink, bucket, retry_s
        self._waiting: queue.Queue[Alert | None] = queue.Queue(maxsize=50)
        self._ended = threading.Event()
        self.thread = threading.Thread(target=self._work, name=f"alerts {self.name}", daemon=True)
        self.thread.start()

    def put(self, alert: Alert) -> None:
        try:
            self._waiting.put_nowait(alert)
        except queue.Full:
            self.lost += 1

    def end(self) -> None:
        self._ended.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            pass

    def _work(self) -> None:
        while not (self._ended.is_set() and self._waiting.empty()):
            alert = self._waiting.get()
            if alert is None:
                return
            if alert.severity != "critical" and not self._bucket.take():  # a flood hides the one that counts
                self.lost += 1
                continue
            self._deliver(alert)

    def _deliver(self, alert: Alert) -> None:
        for attempt in range(TRIES):
            try:
                self._sink.send(alert)
                return
            except OSError as problem:
                log.warning("alert not delivered by %s (%s), try %d of %d", self.name, type(problem).__name__,
                            attempt + 1, TRIES)
            if self._ended.wait(self._retry_s * 2**attempt):
                break
        self.lost += 1
