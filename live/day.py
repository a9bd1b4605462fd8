"""One session as it grows: day bars out of minutes, and what is due at which moment of it."""

import math
from collections import Counter
from collections.abc import Mapping

from live.ports import Bar
from models.intraday import Intraday

MINUTE_US = 60 * 1_000_000
CYCLE_US = 5 * MINUTE_US
NEVER_US = 2**62
INF = math.inf


class Day:
    """Day bars as they grow out of minutes: [open, high, low, close, volume, start of the last minute] by name."""

    def __init__(self, open_us: int, close_us: int) -> None:
        self.bars: dict[str, list[float]] = {}
        self.ignored: Counter[str] = Counter()
        self.heard_us = open_us  # the newest bar that was believed, of any name
        self._open_us, self._close_us = open_us, close_us

    def possible(self, bar: Bar, now_us: int) -> bool:
        """Whether a bar lies in the session, comes in its time and could be one at all; counts it where not."""
        _, start_us, first, high, low, last, volume = bar
        if (now_us <= start_us < self._close_us and self._open_us <= start_us
                and 0.0 < low <= first <= high < INF and low <= last <= high and 0.0 <= volume < INF):
            return True
        if not self._open_us <= start_us < self._close_us:
            self.ignored["outside_session"] += 1
        elif not (0.0 < low <= first <= high < INF and low <= last <= high and 0.0 <= volume < INF):
            self.ignored["impossible"] += 1
        else:  # what was decided since cannot be undone: it is too late for this one
            self.ignored["out_of_order"] += 1
        return False

    def take(self, bar: Bar) -> bool | None:
        """True for a name's first bar, False for a later one, None for one that is late or comes twice."""
        name, start_us, first, high, low, last, volume = bar
        if start_us > self.heard_us:
            self.heard_us = start_us
        day = self.bars.get(name)
        if day is None:
            self.bars[name] = [first, high, low, last, volume, start_us]
            return True
        if start_us <= day[5]:
            self.ignored["duplicate" if start_us == day[5] else "out_of_order"] += 1
            return None
        if high > day[1]:
            day[1] = high
        if low < day[2]:
            day[2] = low
        day[3], day[5] = last, start_us
        day[4] += volume
        return False

    def last_prices(self) -> Mapping[str, float]:
        return {name: bar[3] for name, bar in self.bars.items()}


class Due:
    """What comes next: the five-minute look, and for a strategy that decides inside the session its next bar's end."""

    def __init__(self, open_us: int, close_us: int, intraday: Intraday | None) -> None:
        self._every_us = intraday.every_minutes * MINUTE_US if intraday is not None else 0
        self._close_us = close_us
        self.cycle_us: int = open_us
        self.decision_us: int = open_us + self._every_us if self._every_us else NEVER_US
        self.last_us = close_us - max(self._every_us, MINUTE_US)  # a decision later than this finds no bar to fill at
        self.next_us: int = min(self.cycle_us, self.decision_us)

    def done(self, at_us: int) -> None:
        if at_us == self.cycle_us:
            self.cycle_us += CYCLE_US
        if at_us == self.decision_us:
            later_us = at_us + self._every_us
            self.decision_us = later_us if later_us < self._close_us else NEVER_US
        self.next_us = self.cycle_us if self.cycle_us < self.decision_us else self.decision_us
