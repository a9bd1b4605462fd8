"""The exchange's calendar as a table, for joins in the warehouse."""

import datetime as dt

import pyarrow as pa

from pipelines import calendars

DECISION_LEAD = dt.timedelta(minutes=30)
_BEFORE = dt.timedelta(days=140)  # more than the 60 sessions for which the universe looks back
_AFTER = dt.timedelta(days=14)  # holds the coming session

SCHEMA = pa.schema([
    ("session", pa.date32()), ("session_no", pa.int64()), ("previous_session", pa.date32()),
    ("open_at", pa.timestamp("us", tz="UTC")), ("close_at", pa.timestamp("us", tz="UTC")),
    ("previous_close_at", pa.timestamp("us", tz="UTC")), ("decision_at", pa.timestamp("us", tz="UTC")),
])  # fmt: skip


def table(first: dt.date | None, last: dt.date | None) -> pa.Table:
    """Sessions from well before the first bar to a little after the last; numbers count from the table's start."""
    if first is None or last is None:
        return SCHEMA.empty_table()
    opens, closes = calendars.opens_and_closes(first - _BEFORE, last + _AFTER)
    days = sorted(opens)
    rows = [
        (day, number, before, opens[day], closes[day], closes[before], opens[day] - DECISION_LEAD)
        for number, (before, day) in enumerate(zip(days, days[1:], strict=False), start=1)
    ]
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=SCHEMA)


def days_around(days: pa.ChunkedArray) -> list[dt.date]:
    """The exchange's sessions from the first of these days to a little after the last."""
    told = sorted(set(days.to_pylist()))
    return calendars.sessions(told[0], told[-1] + _AFTER) if told else []


def is_closed(day: dt.date) -> bool:
    """Whether the exchange is known to stay closed; of days beyond its calendar nothing is known."""
    try:
        return not calendars.sessions(day, day)
    except ValueError:
        return False
