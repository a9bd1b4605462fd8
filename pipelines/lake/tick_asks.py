"""Databento's questions: a body for each root, schema and trade date. Each is charged for, and none is conditional."""

import datetime as dt
from collections.abc import Iterable, Iterator

from pipelines import calendars
from pipelines.lake import raw
from pipelines.vendors import times
from pipelines.vendors.http import Ask

# What is read of its schemas, and what to say of a question for it.
SCHEMAS = {"trades": "futures trades", "tbbo": "futures trades and quotes", "mbp-1": "futures books",
           "ohlcv-1m": "futures minutes", "ohlcv-1s": "futures seconds", "definition": "futures definitions",
           "statistics": "futures statistics"}  # fmt: skip
EXTRAS = ("definition", "statistics")  # cheap beside trades: what a contract is, and which one leads
USUAL_BYTES = {"trades": 12_000_000, "tbbo": 25_000_000, "mbp-1": 150_000_000, "ohlcv-1m": 150_000,
               "ohlcv-1s": 3_000_000, "definition": 150_000, "statistics": 4_000_000}  # fmt: skip
_SETTLED = dt.timedelta(minutes=30)  # after which the vendor surely has a window whole


def schema_of(path: str) -> str | None:
    """Of a body that was asked for here."""
    return next((schema for schema in SCHEMAS if f".FUT-{schema}-" in path), None)


def missed(held: raw.Held, days: tuple[dt.date, ...]) -> tuple[dt.date, ...]:
    """Of these sessions, those that no night brought since the first one that any brought; where all have failed so
    far, the one before the last, which a licence without a delay of its own may open by now."""
    had = {path[-18:-8] for path in held.newest if schema_of(path) not in (None, "statistics")}
    if not had:
        return days[-2:-1] if held.newest else ()
    return tuple(day for day in days if min(had) < str(day) and str(day) not in had)


def asks(
    roots: Iterable[str], schemas: Iterable[str], ticks: tuple[dt.date, ...], days: tuple[dt.date, ...],
    now: dt.datetime,
) -> Iterator[Ask]:  # fmt: skip
    """Of every trade date in `ticks`. What a session cleared is told in the evening after it: where that is not over,
    it is asked for the night after."""
    for root in roots:
        for schema in schemas:
            late = schema == "statistics"
            for day in sorted({*ticks, *days[-2:]}) if late else ticks:
                begins, ends = _evenings(day) if late else _trade_date(day)
                if not late or ends + _SETTLED <= now:
                    yield _ask(root, schema, day, begins, ends)


def _at(day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, hour, tzinfo=times.CHICAGO)


def _trade_date(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """From 17:00 in Chicago of the evening before."""
    return _at(day - dt.timedelta(days=1), 17), _at(day, 17)


def _evenings(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """From ten in the evening of the session before to ten in the evening, so that no message is paid for twice."""
    return _at(calendars.previous_sessions(day - dt.timedelta(days=1), 1)[0], 22), _at(day, 22)


def _ask(root: str, schema: str, day: dt.date, begins: dt.datetime, ends: dt.datetime) -> Ask:
    form = {
        "dataset": "GLBX.MDP3", "schema": schema, "symbols": f"{root}.FUT", "stype_in": "parent",
        "start": begins.astimezone(dt.UTC).isoformat(), "end": ends.astimezone(dt.UTC).isoformat(), "encoding": "dbn",
        "compression": "zstd",
    }  # fmt: skip
    path = f"cme/dbn/GLBX.MDP3-{root}.FUT-{schema}-{day}.dbn.zst"
    return Ask("cme", path, "/v0/timeseries.get_range", form=tuple(form.items()))
