"""Bodies of Polygon's aggregate endpoints: grouped daily, and the minute range of one ticker."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from pipelines import calendars
from pipelines.sandbox.incidents import BadPrint, published_low
from pipelines.sandbox.market import FEED_DELAY, Market

MINUTE_MS = 60_000
NEW_YORK = ZoneInfo("America/New_York")


def request_id(*parts: object) -> str:
    """The vendor stamps each answer; here the same question has the same stamp, so equal answers are equal bytes."""
    return hashlib.md5(repr(parts).encode(), usedforsecurity=False).hexdigest()


def dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


def grouped(market: Market, session: dt.date, now: dt.datetime) -> bytes:
    """All stocks of one day, raw prices. A day without a session, or not out yet, has no `results`."""
    number = market.index_of.get(session, -1)
    if number < 0 or market.closes_at[number] + FEED_DELAY > now:
        return dump(_envelope("grouped", session, None))
    fix = market.correction
    wrong = fix is not None and fix.session == number and now < fix.published_at
    prints = market.incidents.shown(number, now)
    key = ("grouped", number, wrong, prints)
    if key not in market.bodies:
        market.bodies[key] = dump(_envelope("grouped", session, _day_rows(market, number, wrong, prints)))
    return market.bodies[key]


def _envelope(kind: str, what: object, rows: Sequence[dict[str, Any]] | None) -> dict[str, Any]:
    count = len(rows or ())
    body: dict[str, Any] = {"queryCount": count, "resultsCount": count, "adjusted": False}
    if rows:
        body["results"] = rows
    return {**body, "status": "OK", "request_id": request_id(kind, str(what)), "count": count}


def _day_rows(market: Market, number: int, wrong: bool, prints: tuple[BadPrint, ...]) -> list[dict[str, Any]]:
    bars, fix = market.bars, market.correction
    stamp, rows = milliseconds(market.closes_at[number]), []
    for place, company in enumerate(market.cast):
        if not company.trades_on(number) or (number, place) in market.incidents.silent:
            continue
        opened = float(bars.open[number, place])
        low = published_low(float(bars.low[number, place]), opened, prints, place)
        high, close = float(bars.high[number, place]), float(bars.close[number, place])
        if wrong and fix is not None and fix.company == place:
            close = round(close * fix.factor, 2)
            high = max(high, close)
        rows.append(
            {
                "T": company.ticker_on(number), "v": int(bars.volume[number, place]),
                "vw": round(float(bars.vwap[number, place]), 4), "o": opened, "c": close,
                "h": high, "l": low, "t": stamp, "n": int(bars.trades[number, place]),
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: str(row["T"]))


def day_range(market: Market, ticker: str, first: dt.date, last: dt.date, now: dt.datetime) -> bytes:
    """Days of one ticker, stamped with midnight in New York, of whichever company had it then."""
    rows: list[dict[str, Any]] = []
    for session in (day for day in market.sessions if first <= day <= last):
        document = json.loads(grouped(market, session, now))
        begun = milliseconds(dt.datetime.combine(session, dt.time(), tzinfo=NEW_YORK))
        rows += [{**{name: row[name] for name in row if name != "T"}, "t": begun}
                 for row in document.get("results", ()) if row["T"] == ticker]  # fmt: skip
    return dump({"ticker": ticker, **_envelope("days", (ticker, str(first), str(last)), rows)})


def minute_range(
    market: Market, ticker: str, first: dt.date, last: dt.date, now: dt.datetime, *, feed: bool = False
) -> bytes:
    """Minute bars of one ticker, those published by `now`; a live `feed` also has the whole coming session."""
    rows: list[dict[str, Any]] = []
    for number, session in enumerate(market.sessions):
        if first <= session <= last and number in market.minutes:
            until = np.inf if feed and number <= market.latest(now) + 1 else milliseconds(now - FEED_DELAY) - MINUTE_MS
            prints = market.incidents.shown(number, now)
            rows += [row for row in _minute_rows(market, ticker, number, prints) if row["t"] <= until]
    body = _envelope("minutes", (ticker, str(first), str(last)), rows)
    return dump({"ticker": ticker, **body})


def _minute_rows(
    market: Market, ticker: str, number: int, prints: tuple[BadPrint, ...]
) -> list[dict[str, Any]]:
    holders = [
        place for place, c in enumerate(market.cast) if c.trades_on(number) and c.ticker_on(number) == ticker
    ]
    if not holders:
        return []
    place, parts = holders[0], market.minutes[number]
    traded = np.flatnonzero(parts.traded[place])
    begun = milliseconds(calendars.open_at(market.sessions[number]))
    columns = (parts.volume, parts.vwap, parts.open, parts.close, parts.high, parts.low, parts.trades)
    values = zip(*(column[place, traded].tolist() for column in columns), strict=True)
    off = {int(traded[traded >= one.minute][0]) for one in prints if one.company == place}
    opened = float(market.bars.open[number, place])
    return [
        {
            "v": v, "vw": vw, "o": o, "c": c, "h": h,
            "l": published_low(low, opened, prints, place) if minute in off else low,
            "t": begun + minute * MINUTE_MS, "n": n,
        }
        for minute, (v, vw, o, c, h, low, n) in zip(traded.tolist(), values, strict=True)
    ]  # fmt: skip
