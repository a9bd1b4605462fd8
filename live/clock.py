"""Time enters live here and nowhere else: the machine's clock, or a tape's."""

import datetime as dt

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def from_us(instant_us: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=instant_us)


def to_us(instant: dt.datetime) -> int:
    return (instant - EPOCH) // MICROSECOND


class SystemClock:
    """The machine's own time, for what a person does by hand."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)


class TapeClock:
    """Time as the tape tells it. It never runs backwards, and two replays read the same instants."""

    def __init__(self, start: dt.datetime) -> None:
        self._now_us = to_us(start)
        self._now = from_us(self._now_us)

    def now(self) -> dt.datetime:
        return self._now

    @property
    def now_us(self) -> int:
        return self._now_us

    def advance_us(self, instant_us: int) -> None:
        if instant_us < self._now_us:
            raise ValueError(f"the tape runs backwards: {from_us(instant_us)} after {self.now()}")
        if instant_us != self._now_us:
            self._now_us, self._now = instant_us, from_us(instant_us)
