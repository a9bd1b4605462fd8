"""A sink that keeps what it is told, for tests of who tells and who is told."""

import threading
from dataclasses import dataclass, field

from live.alerts import Alert


@dataclass
class Kept:
    """A sink in memory."""

    got: list[Alert] = field(default_factory=list)
    failures: int = 0
    hold: threading.Event | None = None
    name: str = "kept"

    def send(self, alert: Alert) -> None:
        if self.hold is not None:
            self.hold.wait(20)
        if self.failures:
            self.failures -= 1
            raise TimeoutError("not now")
        self.got.append(alert)
