"""The minutes that futures trade in: the axis of minute cells, laid by the calendar and not by what traded."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pipelines import calendars

CHICAGO = ZoneInfo("America/Chicago")
OPENS, CLOSES = dt.time(17), dt.time(16)  # of the evening before, and of the trade date


def _bounds(session: dt.date) -> tuple[np.datetime64, np.datetime64]:
    def minute(day: dt.date, clock: dt.time) -> np.datetime64:
        at = dt.datetime.combine(day, clock, tzinfo=CHICAGO)
        return np.datetime64(at.astimezone(dt.UTC).replace(tzinfo=None), "m")

    return minute(session - dt.timedelta(days=1), OPENS), minute(session, CLOSES)


def axis(told: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Every minute of the sessions from the first to the last of these minutes; one outside any session stays too."""
    first, last = (one.astype("datetime64[D]").astype(dt.date) for one in (told.min(), told.max()))
    around = [day for n in range(-1, (last - first).days + 2) if (day := first + dt.timedelta(days=n)).weekday() < 5]
    held = set(calendars.sessions(first, last + dt.timedelta(days=1)))
    spans = []
    for day in around:
        begins, ends = _bounds(day)
        within = told[np.searchsorted(told, begins) : np.searchsorted(told, ends)]
        if len(within) or (day in held and begins <= told.max() and ends > told.min()):
            spans.append(np.arange(begins, ends))
    return np.unique(np.concatenate([told, *spans]))
