"""Polygon (Massive) bars: grouped days, aggregates of one ticker, flat files. All prices as traded, never adjusted."""

import datetime as dt
import re
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa

from pipelines.vendors import times
from pipelines.vendors.contents import Unusable, load_json, unzipped
from pipelines.vendors.flat_csv import flat_rows
from pipelines.vendors.parsing import HIGHEST_VOLUME, Numbers, Parsed, Rows, as_day, parser

TICKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-/]{0,19}")
_GROUPED_DATE = re.compile(r"/stocks/(\d{4}-\d{2}-\d{2})[^/]*$")
FLAT_DATE = re.compile(r"/(\d{4}-\d{2}-\d{2})\.csv")
_AGGS = re.compile(r"/ticker/([^/]+)/range/1/(minute|day)/")


def results(body: bytes, *, wanted: type | tuple[type, ...] = list, ticker: str | None = None) -> Any:
    """The envelope's `results`. An aggregate query without data has none at all, which is not an error; one about
    another ticker than was asked for is."""
    document = load_json(body)
    if not isinstance(document, dict):
        raise Unusable("schema_drift", "the document is not an object")
    status = document.get("status")
    if status in ("ERROR", "NOT_AUTHORIZED", "NOT_FOUND"):
        raise Unusable("not_data", str(document.get("error") or document.get("message") or status))
    found = document.get("results")
    shapes = wanted if isinstance(wanted, tuple) else (wanted,)
    if found is None:
        if status is None and "resultsCount" not in document:
            raise Unusable("not_data", "no status and no results")
        return shapes[0]()
    if not isinstance(found, wanted):
        expected = " or ".join(shape.__name__ for shape in shapes)
        raise Unusable("schema_drift", f"results is {type(found).__name__}, not {expected}")
    if document.get("adjusted") is True and found:
        # On the basis of the day it was asked, so every split to come is already in it.
        raise Unusable("bad_print", "adjusted prices: ask with adjusted=false")
    if ticker is not None and document.get("ticker") not in (None, ticker):
        raise Unusable("bad_symbol", f"the answer is about {str(document['ticker'])[:60]!r}, not {ticker}")
    return found


def path_date(pattern: re.Pattern[str], path: str) -> np.datetime64:
    match = pattern.search(path)
    day = as_day(match.group(1)) if match else None
    if day is None:
        raise Unusable("bad_time", f"no date in the path {path}")
    return day


def _bars(rows: Rows, names: tuple[str, str, str, str, str]) -> dict[str, Any]:
    open_, high, low, close, volume = (rows.number(name) for name in names)
    rows.prices(open_, high, low, close)
    rows.volume(volume)
    return {"open": open_, "high": high, "low": low, "close": close, "volume": volume}


def _trades(rows: Rows, name: str) -> Numbers:
    """How many there were, which need not be told."""
    trades = rows.number(name, required=False)
    rows.within(name, trades, 0, HIGHEST_VOLUME, "bad_volume")
    return trades


def instants(rows: Rows, name: str, per_second: int) -> times.Instants:
    """Microseconds since the epoch; what is no time is refused and reads as the epoch."""
    numbers = rows.number(name)
    with np.errstate(invalid="ignore"):
        outside = ~((numbers >= 0) & (numbers < times.LAST_INSTANT / 1_000_000 * per_second))
    rows.mark(outside, "bad_time")
    # Nanoseconds are beyond a double's 53 bits, but whole minutes of them are multiples of 2048: these are exact.
    counts = np.where(outside, 0, numbers)
    micros = counts / (per_second // 1_000_000) if per_second > 1_000_000 else counts * (1_000_000 // per_second)
    return np.rint(micros).astype(np.int64)


def _minutes(rows: Rows, starts: times.Instants, session: np.datetime64 | None) -> np.ndarray:
    """The session of each minute bar; bars between minutes, of other days or of no session are refused, those outside
    its regular hours are left."""
    rows.mark(starts % times.MINUTE != 0, "bad_time")
    days = times.local_dates(starts, times.NEW_YORK)
    rows.mark(~times.in_sessions(days) if session is None else days != session, "bad_time")
    # Before the open and after the close other rules hold, and on the day of a split even the old prices: the marts
    # are of the regular session, and the body keeps the rest.
    rows.skip(~times.in_regular_hours(starts, days))
    return days


@parser("equity_bars")
def grouped_day(body: bytes, path: str) -> Parsed:
    """All stocks of one day. The date is the path's: a row's `t` is an instant of that day at best."""
    session = path_date(_GROUPED_DATE, path)
    rows = Rows.of_records(results(body), ["T", "o", "h", "l", "c", "v", "n"])
    tickers = rows.matching("T", TICKER, "bad_symbol")
    bars = _bars(rows, ("o", "h", "l", "c", "v"))
    rows.mark(np.full(rows.count, not times.is_session(session.astype(dt.date))), "bad_time")
    trades = _trades(rows, "n")
    return rows.finish(
        "equity_bars", {"ticker": tickers, "session": session, **bars, "trades": trades, "source": "grouped"}
    )


@parser("equity_minutes")
def minute_aggs(body: bytes, path: str) -> Parsed:
    """One ticker's minutes; a minute without trades has no bar."""
    ticker = _path_ticker(path)
    rows = Rows.of_records(results(body, ticker=ticker), ["t", "o", "h", "l", "c", "v", "n"])
    starts = instants(rows, "t", 1_000)
    sessions = _minutes(rows, starts, None)
    bars = _bars(rows, ("o", "h", "l", "c", "v"))
    _trades(rows, "n")
    return rows.finish(
        "equity_minutes",
        {"ticker": ticker, "session": sessions, "bar_start": _stamps(starts), **bars, "source": "aggs"},
    )


@parser("equity_bars")
def day_aggs(body: bytes, path: str) -> Parsed:
    """One ticker's days; `t` is midnight in New York."""
    ticker = _path_ticker(path)
    rows = Rows.of_records(results(body, ticker=ticker), ["t", "o", "h", "l", "c", "v", "n"])
    sessions = times.local_dates(instants(rows, "t", 1_000), times.NEW_YORK)
    rows.mark(~times.in_sessions(sessions), "bad_time")
    bars = _bars(rows, ("o", "h", "l", "c", "v"))
    trades = _trades(rows, "n")
    return rows.finish(
        "equity_bars",
        {"ticker": ticker, "session": sessions, **bars, "trades": trades, "source": "aggs"},
    )


@parser("equity_bars")
def flat_days(body: bytes, path: str) -> Parsed:
    session = path_date(FLAT_DATE, path)
    rows = flat_rows(unzipped(body))
    tickers = rows.matching("ticker", TICKER, "bad_symbol")
    bars = _bars(rows, ("open", "high", "low", "close", "volume"))
    days = times.local_dates(instants(rows, "window_start", 1_000_000_000), times.NEW_YORK)
    rows.mark((days != session) | (not times.is_session(session.astype(dt.date))), "bad_time")
    trades = _trades(rows, "transactions")
    return rows.finish(
        "equity_bars", {"ticker": tickers, "session": session, **bars, "trades": trades, "source": "flatfile"}
    )


@parser("equity_minutes")
def flat_minutes(body: bytes, path: str) -> Parsed:
    session = path_date(FLAT_DATE, path)
    rows = flat_rows(unzipped(body))
    tickers = rows.matching("ticker", TICKER, "bad_symbol")
    starts = instants(rows, "window_start", 1_000_000_000)
    sessions = _minutes(rows, starts, session)
    bars = _bars(rows, ("open", "high", "low", "close", "volume"))
    _trades(rows, "transactions")
    return rows.finish(
        "equity_minutes",
        {"ticker": tickers, "session": sessions, "bar_start": _stamps(starts), **bars, "source": "flatfile"},
    )


def _path_ticker(path: str) -> str:
    match = _AGGS.search(path)
    ticker = unquote(match.group(1)) if match else ""
    if not TICKER.fullmatch(ticker):
        raise Unusable("bad_symbol", f"no ticker in the path {path}")
    return ticker


def _stamps(starts: times.Instants) -> pa.Array:
    return pa.array(starts, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
