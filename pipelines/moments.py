"""Moments as people write them: a bare date is the end of that day in New York."""

import datetime as dt
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


def parse(text: str) -> dt.datetime:
    """`2025-06-30` or an instant with its zone, as UTC."""
    try:
        if len(text) == 10:
            next_day = dt.date.fromisoformat(text) + dt.timedelta(days=1)
            midnight = dt.datetime.combine(next_day, dt.time(), tzinfo=NEW_YORK)
            return midnight.astimezone(dt.UTC) - dt.timedelta(microseconds=1)
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is no moment: write 2025-06-30 or 2025-06-30T20:15:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"'{text}' has no time zone: write it as {text}Z")
    return moment.astimezone(dt.UTC)
