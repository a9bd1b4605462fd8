"""Instants and exchange days, on whole columns. Zones come from Python's own data, so that a bare machine has them."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from pipelines import calendars

Instants = npt.NDArray[np.int64]  # microseconds since the epoch, UTC
Days = npt.NDArray[np.datetime64]

NEW_YORK = ZoneInfo("America/New_York")
CHICAGO = ZoneInfo("America/Chicago")
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
# What an instant of a body may be. Outside it a number is not a time, and calendar arithmetic would overflow.
FIRST_INSTANT = int(dt.datetime(1990, 1, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000
LAST_INSTANT = int(dt.datetime(2100, 1, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000


@lru_cache(maxsize=100_000)
def _offset(hour: int, zone: ZoneInfo) -> int:
    """What the zone's clocks were ahead of UTC in this hour since the epoch; they change on whole hours."""
    ahead = dt.datetime.fromtimestamp(hour * 3600, zone).utcoffset()
    assert ahead is not None
    return int(ahead.total_seconds()) * 1_000_000


def local_dates(instants: Instants, zone: ZoneInfo, *, ahead_by: int = 0) -> Days:
    """The zone's calendar day of each instant, the clock set `ahead_by` microseconds forward."""
    hours, place = np.unique(instants // HOUR, return_inverse=True)
    offsets = np.array([_offset(int(hour), zone) for hour in hours], dtype=np.int64)
    local = instants + (offsets[place] if len(hours) else 0) + ahead_by
    return local.astype("datetime64[us]").astype("datetime64[D]")


@lru_cache(maxsize=100_000)
def midnight_at(day: dt.date, zone: ZoneInfo = NEW_YORK) -> int:
    """The instant at which this day begins in the zone."""
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1_000_000


LISTED_FROM = dt.date(2003, 9, 10)  # before it no vendor of ours tells of equities


def to_instant(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


@lru_cache(maxsize=50_000)
def is_session(day: dt.date) -> bool:
    try:
        return calendars.sessions(day, day) == [day]
    except ValueError:  # outside what the calendar knows
        return False


def session_on_or_before(day: dt.date) -> dt.date:
    """The exchange's session of that day, or the last one that was."""
    return calendars.previous_sessions(day, 1)[0]


def in_sessions(days: Days) -> npt.NDArray[np.bool_]:
    unique, place = np.unique(days, return_inverse=True)
    known = np.array([is_session(day) for day in unique.astype(object)], dtype=bool)
    return known[place] if len(unique) else np.zeros(0, dtype=bool)


@lru_cache(maxsize=50_000)
def _hours(day: dt.date) -> tuple[int, int]:
    """Open and close of a day; nothing lies within those of a day that is no session."""
    if not is_session(day):
        return 0, 0
    return to_instant(calendars.open_at(day)), to_instant(calendars.close_at(day))


def in_regular_hours(instants: Instants, days: Days) -> npt.NDArray[np.bool_]:
    """Whether each instant lies in its day's session, early closes respected."""
    unique, place = np.unique(days, return_inverse=True)
    if not len(unique):
        return np.zeros(0, dtype=bool)
    hours = np.array([_hours(day) for day in unique.astype(object)], dtype=np.int64)[place]
    within: npt.NDArray[np.bool_] = (instants >= hours[:, 0]) & (instants < hours[:, 1])
    return within
