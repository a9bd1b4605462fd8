"""When a fact happened, and when its first version can be taken to have been known: the modelled half of two clocks."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import calendars
from pipelines.lake.schemas import INSTANT
from pipelines.vendors import times

FEED_DELAY = 15 * times.MINUTE  # that of the feed which live would read
_DAYS = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
LISTED_SINCE = times.midnight_at(times.LISTED_FROM)  # the vendor's history starts here; a list says no first day


def _per_day(column: pa.ChunkedArray, instant_of: Callable[[dt.date], int]) -> times.Instants:
    days, place = np.unique(column.to_numpy(), return_inverse=True)
    instants = np.array([instant_of(day) for day in days.astype("datetime64[D]").astype(object)], dtype=np.int64)
    return instants[place] if len(days) else np.zeros(0, dtype=np.int64)


def _close_of(session: dt.date) -> int:
    return times.to_instant(calendars.close_at(session))


def _close_or_four(day: dt.date) -> int:
    """The close; of a day that is no session of ours, four in the afternoon."""
    return _close_of(day) if times.is_session(day) else times.midnight_at(day) + 16 * times.HOUR


def _trade_date_end(day: dt.date) -> int:
    """CME's trade date ends at 17:00 in Chicago."""
    return times.midnight_at(day, times.CHICAGO) + 17 * times.HOUR


def _instants(column: pa.ChunkedArray) -> times.Instants:
    return column.cast(pa.int64()).to_numpy()


def _column(instants: times.Instants) -> pa.Array:
    return pa.array(instants, pa.int64()).cast(INSTANT)


def modelled_receipt(path: str, said: Sequence[pa.Table], now: dt.datetime) -> dt.datetime:
    """When a body that nobody timed must have been there: once all it says could be known, else, of one that says
    nothing, once the day was over that its name tells. Only where that is no day either it is now, so that a body which
    is refused says the same in every lake."""
    known = pa.scalar(now, INSTANT)
    moments = [pc.max(rows["modelled_at"].filter(pc.less_equal(rows["modelled_at"], known))).as_py() for rows in said]
    for digits in () if said else _DAYS.findall(path):
        with suppress(ValueError, OverflowError):
            after = dt.date.fromisoformat("-".join(digits)) + dt.timedelta(days=1)
            moments.append(dt.datetime.fromtimestamp(times.midnight_at(after) / times.SECOND, dt.UTC))
    return max((moment for moment in moments if moment is not None and moment <= now), default=now)


def with_clocks(dataset: str, table: pa.Table) -> pa.Table:
    """Add event_time, modelled_at and `opening`: a row that stands only where nothing older of its fact is known."""
    if dataset == "tickers":
        return _tickers(table)
    if dataset == "equity_bars":
        event = _per_day(table["session"], _close_of)
        known = event + FEED_DELAY
    elif dataset == "equity_minutes":
        event = _instants(table["bar_start"]) + times.MINUTE
        known = event + FEED_DELAY
    elif dataset == "futures_trades":
        event = _instants(table["ts_event"])
        known = event + FEED_DELAY
    elif dataset == "futures_ohlcv":
        event = _instants(table["bar_start"]) + table["span_s"].to_numpy() * times.SECOND
        known = event + FEED_DELAY
    elif dataset == "futures_definitions":
        event = _instants(table["told_at"])
        known = event + FEED_DELAY
    elif dataset == "futures_statistics":  # of a session that may not be over when it is told
        event = _per_day(table["session"], _trade_date_end)
        known = np.maximum(_instants(table["told_at"]), event) + FEED_DELAY
    elif dataset in ("option_chain", "option_snapshots"):
        event = known = _instants(table["snapshot"])
    elif dataset == "borrow":  # known since it was told, else since its first day begins
        event = _per_day(table["valid_from"], times.midnight_at)
        known = pc.coalesce(table["told_at"].cast(pa.int64()), pa.chunked_array([event])).to_numpy()
    elif dataset == "market_days":  # announced long before; a list says only what is to come
        event = _per_day(table["day"], times.midnight_at)
        known = np.full(table.num_rows, LISTED_SINCE)
    elif dataset == "ticker_details":  # as with the list, nobody says since when
        event = known = np.full(table.num_rows, LISTED_SINCE)
    elif dataset in ("index_levels", "index_bars", "market_statistics"):
        event = _per_day(table["session"], _close_or_four)
        known = event + FEED_DELAY
    elif dataset == "volume_details":  # a report counts from its own time; one that tells none, from the next midnight
        event = _per_day(table["session"], _trade_date_end)
        midnights = _per_day(table["session"], lambda day: times.midnight_at(day + dt.timedelta(days=1)))
        told = pc.fill_null(table["updated_at"].cast(pa.int64()), 0).to_numpy()
        known = np.where(told > 0, np.maximum(told, event), midnights)
    elif dataset in ("splits", "dividends", "ticker_events"):  # from the midnight its day begins, announced or not
        event = known = _per_day(table["event_date" if dataset == "ticker_events" else "ex_date"], times.midnight_at)
    else:
        raise ValueError(f"{dataset} has no clocks: say here when its rows happened, and by when they could be known")
    return _stamped(table, event, known, opening=False)


def _stamped(table: pa.Table, event: times.Instants, known: times.Instants, *, opening: bool) -> pa.Table:
    return (
        table.append_column(pa.field("event_time", INSTANT), _column(event))
        .append_column(pa.field("modelled_at", INSTANT), _column(known))
        .append_column(pa.field("opening", pa.bool_()), pa.repeat(opening, table.num_rows))
    )


def _tickers(table: pa.Table) -> pa.Table:
    """A name first seen when it was already gone had been active until the midnight after its last day."""
    gone = table["delisted_utc"].is_valid()
    listed, delisted = table.filter(pc.invert(gone)), table.filter(gone)
    since = np.full(listed.num_rows, LISTED_SINCE)
    after = _per_day(delisted["delisted_utc"], lambda day: times.midnight_at(day + dt.timedelta(days=1)))
    before = delisted.set_column(
        delisted.schema.get_field_index("active"), "active", pa.repeat(True, delisted.num_rows)
    ).set_column(
        delisted.schema.get_field_index("delisted_utc"), "delisted_utc", pa.nulls(delisted.num_rows, pa.date32())
    )
    began = np.full(before.num_rows, LISTED_SINCE)
    return pa.concat_tables([
        _stamped(listed, since, since, opening=False),
        _stamped(before, began, began, opening=True),
        _stamped(delisted, after, after, opening=False),
    ])  # fmt: skip
