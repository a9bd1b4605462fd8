"""A recorded session in real time, or faster: each bar when its minute is over, and a sign of life in between."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from live.clock import to_us
from live.pace import Pace
from live.ports import Action, Bar, Feed, Quiet
from models.bundle import SessionTimes

MINUTE_US = 60_000_000
LOOK_S = 0.2  # of the machine's seconds between two signs of life: what a kill switch waits at most


class PacedFeed:
    """The tape decides what comes, the pace when. The calendar says how long to wait for what does not come."""

    def __init__(self, tape: Feed, pace: Pace, calendar: Mapping[dt.date, SessionTimes]) -> None:
        self._tape, self._pace, self._calendar = tape, pace, calendar

    def sessions(self) -> Sequence[dt.date]:
        return self._tape.sessions()

    def actions(self, session: dt.date) -> Sequence[Action]:
        return self._tape.actions(session)

    def bars(self, session: dt.date) -> Iterator[Bar | Quiet]:
        for bar in self._tape.bars(session):
            if isinstance(bar, Bar):
                yield from self._until(bar.start_us + MINUTE_US)
            yield bar
        yield from self._until(to_us(self._calendar[session].close_at) + MINUTE_US)

    def _until(self, due_us: int) -> Iterator[Quiet]:
        """Signs of life until then; none of them claims a minute that is not over."""
        while (now_us := self._pace.now_us()) < due_us:
            if self._pace.stopped:
                raise InterruptedError("the runner was told to end")
            yield Quiet(now_us - MINUTE_US)
            self._pace.wait(due_us, LOOK_S)
