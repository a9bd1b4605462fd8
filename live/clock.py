"""Time enters live here and nowhere else: the machine's clock, or a tape's."""

import datetime as dt
from functools import lru_cache

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def from_us(instant_us: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=instant_us)


MINUTE_US = 60_000_000
DAY_US = 1440 * MINUTE_US
_MINUTES = tuple(f"T{minute // 60:02}:{minute % 60:02}:00+00:00" for minute in range(1440))


@lru_cache(4)
def _day(number: int) -> str:
    return from_us(number * DAY_US).date().isoformat()


@lru_cache(64)
def text_of(instant_us: int) -> str:
    """An instant in ISO 8601, UTC. On a tape it is mostly a whole minute, and the rows of one moment share it."""
    day, into_us = divmod(instant_us, DAY_US)
    minute, rest_us = divmod(into_us, MINUTE_US)
    return from_us(instant_us).isoformat() if rest_us else _day(day) + _MINUTES[minute]


def to_us(instant: dt.datetime) -> int:
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class SystemClock:
    """The machine's own time, for what a person does by hand."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)


class TapeClock:
    """Time as the tape tells it. It never runs backwards, and two replays read the same instants."""

    def __init__(self, start: dt.datetime) -> None:
        self.now_us = to_us(start)

    def now(self) -> dt.datetime:
        return from_us(self.now_us)

    def advance_us(self, instant_us: int) -> None:
        if instant_us < self.now_us:
            raise ValueError(f"the tape runs backwards: {from_us(instant_us)} after {self.now()}")
        self.now_us = instant_us
