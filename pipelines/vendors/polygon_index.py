"""Polygon (Massive) index levels: `I:` aggregates and the us_indices flat files. An index has no volume."""

import re
from typing import Any
from urllib.parse import unquote

import numpy as np

from pipelines.vendors import times
from pipelines.vendors.contents import Unusable, unzipped
from pipelines.vendors.flat_csv import flat_rows
from pipelines.vendors.parsing import HIGHEST_PRICE, Parsed, Rows, parser
from pipelines.vendors.polygon import FLAT_DATE, instants, path_date, results

_AGGS = re.compile(r"/ticker/([^/]+)/range/1/day/")
_INDEX = re.compile(r"I:[A-Z0-9]{1,20}")
_COLUMNS = ("ticker", "open", "close", "high", "low", "window_start")


@parser("index_bars")
def index_aggs(body: bytes, path: str) -> Parsed:
    """Days of one index; `t` is a midnight of the exchange that computes it, New York's or Chicago's."""
    match = _AGGS.search(path)
    ticker = unquote(match.group(1)) if match else ""
    if not _INDEX.fullmatch(ticker):
        raise Unusable("bad_symbol", f"no index in the path {path}")
    rows = Rows.of_records(results(body, ticker=ticker), ["t", "o", "h", "l", "c"])
    days = times.local_dates(instants(rows, "t", 1_000), times.NEW_YORK)
    rows.mark(~times.in_sessions(days), "bad_time")
    levels = _levels(rows, ("o", "h", "l", "c"))
    return rows.finish("index_bars", {"index": ticker[2:], "session": days, **levels, "source": "aggs"})


@parser("index_bars")
def flat_index_days(body: bytes, path: str) -> Parsed:
    session = path_date(FLAT_DATE, path)
    rows = flat_rows(unzipped(body), _COLUMNS)
    tickers = rows.matching("ticker", _INDEX, "bad_symbol")
    levels = _levels(rows, ("open", "high", "low", "close"))
    days = times.local_dates(instants(rows, "window_start", 1_000_000_000), times.NEW_YORK)
    rows.mark((days != session) | ~times.in_sessions(days), "bad_time")
    named = tickers if isinstance(tickers, list) else tickers.to_pylist()
    names = [ticker[2:] if ticker else None for ticker in named]
    return rows.finish("index_bars", {"index": names, "session": session, **levels, "source": "flatfile"})


def _levels(rows: Rows, names: tuple[str, str, str, str]) -> dict[str, Any]:
    open_, high, low, close = (rows.number(name) for name in names)
    with np.errstate(invalid="ignore"):
        told = np.stack([open_, high, low, close])
        rows.mark(~((told > 0) & (told < HIGHEST_PRICE)).all(axis=0), "bad_price")
        # As in the exchange's own files the first level of a day may lie outside its range: nobody traded it.
        rows.mark((close > high) | (close < low), "bad_range")
    return {"open": open_, "high": high, "low": low, "close": close}
