"""What the calendar says of the coming session on the day before it: the exchange's rules, nothing announced later.

A day of mourning or a storm closes the market against the rules; no row may know of it before the announcement, so none
knows of it at all. Rules are those of the New York Stock Exchange since 2013, with Juneteenth from 2022.
"""

import datetime as dt
from functools import lru_cache

import numpy as np

from models.features.feature import Feature, FloatArray, Kernel

FIRST_YEAR, LAST_YEAR = 1990, 2100  # a number outside names no day
DAY = dt.timedelta(days=1)
EPOCH = dt.date(1970, 1, 1)


def _nth(year: int, month: int, weekday: int, number: int) -> dt.date:
    """The first, second … such weekday of a month."""
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _good_friday(year: int) -> dt.date:
    """Two days before Easter, by Gauss's rule as Meeus has it."""
    century, rest = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (year % 19 + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return dt.date(year, month, day + 1) - 2 * DAY


def _observed(day: dt.date) -> dt.date:
    return day + {5: -DAY, 6: DAY}.get(day.weekday(), 0 * DAY)


@lru_cache(maxsize=256)
def holidays(year: int) -> frozenset[dt.date]:
    """Weekdays of a year on which the exchange stays closed by rule."""
    last_of_may = dt.date(year, 5, 31)
    days = {
        _nth(year, 1, 0, 3), _nth(year, 2, 0, 3), _good_friday(year), last_of_may - last_of_may.weekday() * DAY,
        _observed(dt.date(year, 7, 4)), _nth(year, 9, 0, 1), _nth(year, 11, 3, 4), _observed(dt.date(year, 12, 25)),
    }  # fmt: skip
    new_year = dt.date(year, 1, 1)
    if new_year.weekday() != 5:  # on a Saturday it is not made up for: the old year's books close on that Friday
        days.add(_observed(new_year))
    if year >= 2022:
        days.add(_observed(dt.date(year, 6, 19)))
    return frozenset(days)


def trades(day: dt.date) -> bool:
    return day.weekday() < 5 and day not in holidays(day.year)


def closes_early(day: dt.date) -> bool:
    """At one o'clock: before Independence Day and Christmas, and after Thanksgiving."""
    eve = (day.month, day.day) in ((7, 3), (12, 24))
    return trades(day) and (eve or day == _nth(day.year, 11, 3, 4) + DAY)


def next_session(day: dt.date) -> dt.date:
    day += DAY
    while not trades(day):
        day += DAY
    return day


def _sessions(first: dt.date, last: dt.date) -> int:
    """Sessions from one day to another, both included."""
    return sum(trades(first + number * DAY) for number in range((last - first).days + 1))


def expiry(year: int, month: int) -> dt.date:
    """The month's standard expiry: the third Friday, or the day before where that is a holiday."""
    friday = _nth(year, month, 4, 3)
    return friday if trades(friday) else friday - DAY


@lru_cache(maxsize=65_536)
def facts(number: int) -> tuple[float, ...]:
    """In the order of NAMES, what the day so many days after 1970 knows of the session after it."""
    today = EPOCH + number * DAY
    coming = next_session(today)
    month_ends = (coming.replace(day=28) + 4 * DAY).replace(day=1) - DAY
    since, left = _sessions(coming.replace(day=1), coming), _sessions(coming, month_ends) - 1
    expires = expiry(coming.year, coming.month)
    if expires < coming:
        expires = expiry(month_ends.year + (month_ends.month == 12), month_ends.month % 12 + 1)
    skipped = any((coming + ahead * DAY).weekday() < 5 and not trades(coming + ahead * DAY) for ahead in (1, 2, 3)
                  if (next_session(coming) - coming).days > ahead)  # fmt: skip
    return (
        float(coming.weekday()), float((coming - today).days), float(coming.month), float(since), float(left),
        float(left == 0 or since <= 3), float(closes_early(coming)), float(_sessions(coming, expires) - 1),
        float(coming == expires and coming.month % 3 == 0), float(skipped),
    )  # fmt: skip


NAMES = ("next_weekday", "nights_to_next", "next_month", "next_month_session", "next_month_left",
         "next_turn_of_month", "next_early_close", "next_to_expiry", "next_quarter_expiry", "next_before_holiday")
MEANINGS = (
    "Weekday of the coming session: Monday 0 to Friday 4.", "Days from this session to the coming one.",
    "Month of the coming session, 1 to 12.", "Which session of its month the coming one is, from 1.",
    "Sessions of its month after the coming one.",
    "1 where the coming session is the last of its month or one of the first three, else 0.",
    "1 where the coming session closes at one o'clock by rule, else 0.",
    "Sessions from the coming one to the month's standard expiry (third Friday), 0 on it.",
    "1 where the coming session is the standard expiry of March, June, September or December, else 0.",
    "1 where a weekday without trading follows the coming session before the next one, else 0.",
)
BOUNDS = ((0.0, 4.0), (1.0, 7.0), (1.0, 12.0), (1.0, 23.0), (0.0, 22.0), (0.0, 1.0), (0.0, 1.0), (0.0, 30.0),
          (0.0, 1.0), (0.0, 1.0))


def _kernel(place: int) -> Kernel:
    def kernel(session_day: FloatArray) -> FloatArray:
        days = session_day[..., -1]
        known = np.isfinite(days) & (days == np.floor(days))
        years = 1970.0 + days / 365.25
        known &= (years > FIRST_YEAR) & (years < LAST_YEAR)
        told = np.full(days.shape, np.nan)
        for day in np.unique(days[known]):
            told[days == day] = facts(int(day))[place]
        return told

    kernel.__qualname__ = f"facts({place})"
    return kernel


FEATURES = tuple(
    Feature(name, "calendar", "instrument", ("session_day",), 1, _kernel(place), meaning, bounds=bounds)
    for place, (name, meaning, bounds) in enumerate(zip(NAMES, MEANINGS, BOUNDS, strict=True))
)
