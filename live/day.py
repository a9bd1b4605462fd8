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

    def ignore(self, bar: Bar) -> None:
        """Count a bar that lies outside the session, could be none at all, comes twice, or too late: what was decided
        since cannot be undone."""
        _, start_us, opens, high, low, close, volume = bar
        day = self.bars.get(bar.instrument_id)
        if not self._open_us <= start_us < self._close_us:
            reason = "outside_session"
        elif not (0.0 < low <= opens <= high < INF and low <= close <= high and 0.0 <= volume < INF):
            reason = "impossible"
        else:
            reason = "duplicate" if day is not None and start_us == day[5] else "out_of_order"
        self.ignored[reason] += 1

    def last_prices(self) -> Mapping[str, float]:
        return {name: bar[3] for name, bar in self.bars.items()}


class Due:
    """What comes next: the five-minute look, and for a strategy that decides inside the session its next bar's end."""

    def __init__(self, open_us: int, close_us: int, intraday: Intraday | None) -> None:
        self.every_us = intraday.every_minutes * MINUTE_US if intraday is not None else 0
        self._close_us = close_us
        self.cycle_us: int = open_us
        self.decision_us: int = open_us + self.every_us if self.every_us else NEVER_US
        self.last_us = close_us - max(self.every_us, MINUTE_US)  # a decision later than this finds no bar to fill at
        self.first_closing_us = open_us - (open_us - self.last_us) // self.every_us * self.every_us \
            if self.every_us else NEVER_US
        self.next_us: int = min(self.cycle_us, self.decision_us)

    def done(self, at_us: int) -> None:
        cycle_us, decision_us = self.cycle_us, self.decision_us
        if at_us == cycle_us:
            cycle_us = self.cycle_us = cycle_us + CYCLE_US
        if at_us == decision_us:
            later_us = at_us + self.every_us
            decision_us = self.decision_us = later_us if later_us < self._close_us else NEVER_US
        self.next_us = cycle_us if cycle_us < decision_us else decision_us

    def _next(self) -> None:
        self.next_us = self.cycle_us if self.cycle_us < self.decision_us else self.decision_us

    def looked(self, next_us: int) -> None:
        """The five-minute looks before this one found nothing."""
        self.cycle_us = next_us
        self._next()

    def passed(self, until_us: int) -> None:
        """Every decision up to then was seen to be none."""
        later_us = self.decision_us + ((until_us - self.decision_us) // self.every_us + 1) * self.every_us
        self.decision_us = later_us if later_us < self._close_us else NEVER_US
        self._next()

    def decisions_us(self) -> range:
        """All that are still to come."""
        return range(self.decision_us, self._close_us, self.every_us)
