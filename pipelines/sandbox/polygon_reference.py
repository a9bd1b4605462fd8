"""Polygon's reference endpoints: tickers, their changes, splits, dividends, market status. As known at `now`."""

import base64
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pipelines import calendars
from pipelines.sandbox.cast import Company
from pipelines.sandbox.market import Market
from pipelines.sandbox.polygon_aggs import dump, request_id

# The vendor's own host, as it writes it: a client takes path and query from it, never the host.
NEXT_HOST = "https://api.polygon.io"
_NEW_YORK = ZoneInfo("America/New_York")
_DEFAULT_LIMIT, _MAX_LIMIT = 100, 1000
# What the companies of each sector do, by the SEC's code: each of another industry.
_BUSINESSES = (
    ("2080", "BEVERAGES"), ("3711", "MOTOR VEHICLES & PASSENGER CAR BODIES"), ("3531", "CONSTRUCTION MACHINERY"),
    ("1311", "CRUDE PETROLEUM & NATURAL GAS"), ("2860", "INDUSTRIAL ORGANIC CHEMICALS"),
    ("3674", "SEMICONDUCTORS & RELATED DEVICES"), ("4813", "TELEPHONE COMMUNICATIONS (NO RADIOTELEPHONE)"),
    ("4911", "ELECTRIC SERVICES"), ("5331", "RETAIL-VARIETY STORES"), ("2834", "PHARMACEUTICAL PREPARATIONS"),
    ("6022", "STATE COMMERCIAL BANKS"),
)  # fmt: skip


def page(path: str, query: Mapping[str, str], rows: list[dict[str, Any]]) -> bytes:
    """One page of `rows`; `next_url` carries a cursor and nothing else."""
    offset = int(query.get("offset", 0))
    limit = min(_MAX_LIMIT, max(1, int(query.get("limit", _DEFAULT_LIMIT))))
    body: dict[str, Any] = {
        "results": rows[offset : offset + limit],
        "status": "OK",
        "request_id": request_id(path, sorted(query.items())),
        "count": len(rows[offset : offset + limit]),
    }
    if offset + limit < len(rows):
        following = {**query, "offset": str(offset + limit)}
        cursor = base64.urlsafe_b64encode(json.dumps(following, sort_keys=True).encode()).decode()
        body["next_url"] = f"{NEXT_HOST}{path}?cursor={cursor}"
    return dump(body)


def from_cursor(cursor: str) -> dict[str, str]:
    return dict(json.loads(base64.urlsafe_b64decode(cursor)))


def _as_of(market: Market, query: Mapping[str, str], now: dt.datetime) -> int:
    """Session index that the question is about: `date` looks back, never ahead."""
    today = market.today(now)
    if "date" not in query:
        return today
    asked = dt.date.fromisoformat(query["date"])
    return min(today, sum(1 for session in market.sessions if session <= asked) - 1)


def _is_gone(company: Company, day: int) -> bool:
    return company.last is not None and company.last < day


def _ticker_row(market: Market, company: Company, day: int) -> dict[str, Any]:
    gone = _is_gone(company, day)
    row: dict[str, Any] = {
        "ticker": company.ticker_on(day), "name": company.name, "market": "stocks", "locale": "us",
        "primary_exchange": company.exchange, "type": "CS", "active": not gone, "currency_name": "usd",
        "cik": company.cik, "composite_figi": company.figi,
        "share_class_figi": company.figi.replace("BBG0", "BBG1"),
        "last_updated_utc": f"{market.sessions[max(0, company.tickers[-1][0])]}T00:00:00Z",
    }  # fmt: skip
    if gone:
        row["delisted_utc"] = f"{market.sessions[company.last or 0]}T00:00:00Z"
    return row


def tickers(market: Market, path: str, query: Mapping[str, str], now: dt.datetime) -> bytes:
    day, active = _as_of(market, query, now), query.get("active", "true") != "false"
    known = [c for c in market.cast if c.first <= day and _is_gone(c, day) != active]
    rows = [_ticker_row(market, company, day) for company in known]
    if "ticker" in query:
        rows = [row for row in rows if row["ticker"] == query["ticker"]]
    return page(path, query, sorted(rows, key=lambda row: str(row["ticker"])))


def find(market: Market, identifier: str, now: dt.datetime) -> Company | None:
    """By FIGI, else the company that holds the ticker today (or held it last)."""
    day = market.today(now)
    for company in market.cast:
        if company.figi == identifier and company.first <= day:
            return company
    holders = [c for c in market.cast if c.first <= day and c.ticker_on(day) == identifier]
    return max(holders, key=lambda company: company.first, default=None)


def overview(market: Market, ticker: str, query: Mapping[str, str], now: dt.datetime) -> bytes | None:
    """Who held the ticker on `date` (today without one): None where nobody did."""
    day = _as_of(market, query, now)
    holders = [c for c in market.cast if c.first <= day and not _is_gone(c, day) and c.ticker_on(day) == ticker]
    if not holders:
        return None
    company = holders[-1]
    code, business = _BUSINESSES[company.sector % len(_BUSINESSES)]
    row = {**_ticker_row(market, company, day), "sic_code": code, "sic_description": business,
           "list_date": str(company.list_date), "round_lot": 100}  # fmt: skip
    return dump({"results": row, "status": "OK", "request_id": request_id("overview", company.figi)})


def events(market: Market, company: Company, now: dt.datetime) -> bytes:
    """The company's symbols, newest first, the one it was listed under included."""
    day = market.today(now)
    changes = [
        {
            "type": "ticker_change",
            "date": str(company.list_date if start == company.first else market.sessions[start]),
            "ticker_change": {"ticker": ticker},
        }
        for start, ticker in company.tickers
        if start <= day
    ]
    results = {"name": company.name, "composite_figi": company.figi, "cik": company.cik, "events": changes[::-1]}
    return dump({"results": results, "status": "OK", "request_id": request_id("events", company.figi)})


def _identity(kind: str, market: Market, company: int, ex: int) -> str:
    return "E" + request_id(kind, market.cast[company].figi, str(market.sessions[ex]))


def splits(market: Market, path: str, query: Mapping[str, str], now: dt.datetime) -> bytes:
    """Newest first, announced ones included; `historical_adjustment_factor` is the vendor's own, up to today."""
    known, today, rows = [s for s in market.splits if s.published_at <= now], market.today(now), []
    for split in known:
        later = [s for s in known if s.company == split.company and split.ex <= s.ex <= today]
        factor = 1.0
        for other in later:
            factor *= other.split_from / other.split_to
        rows.append(
            {
                "id": _identity("split", market, split.company, split.ex),
                "ticker": market.cast[split.company].ticker_on(split.ex),
                "execution_date": str(market.sessions[split.ex]),
                "split_from": split.split_from,
                "split_to": split.split_to,
                "adjustment_type": "forward_split" if split.split_to > split.split_from else "reverse_split",
                "historical_adjustment_factor": round(factor, 6),
            }
        )
    return page(path, query, _filtered(rows, query, "execution_date"))


def dividends(market: Market, path: str, query: Mapping[str, str], now: dt.datetime) -> bytes:
    """Newest first; declared ones included."""
    rows = []
    for payment in market.dividends:
        declared = market.sessions[payment.declared]
        if calendars.close_at(declared) + dt.timedelta(hours=1) > now:
            continue
        ex, cash = market.sessions[payment.ex], round(float(market.days.cash[payment.ex, payment.company]), 4)
        rows.append(
            {
                "id": _identity("dividend", market, payment.company, payment.ex),
                "ticker": market.cast[payment.company].ticker_on(payment.ex),
                "cash_amount": cash, "currency": "USD", "declaration_date": str(declared),
                "distribution_type": "recurring", "ex_dividend_date": str(ex), "record_date": str(ex),
                "pay_date": str(ex + dt.timedelta(days=21)), "frequency": 4,
            }
        )  # fmt: skip
    return page(path, query, _filtered(rows, query, "ex_dividend_date"))


def _filtered(rows: list[dict[str, Any]], query: Mapping[str, str], date: str) -> list[dict[str, Any]]:
    kept = [
        row
        for row in rows
        if query.get("ticker", row["ticker"]) == row["ticker"]
        and query.get(f"{date}.gte", "") <= row[date] <= query.get(f"{date}.lte", "9999")
    ]
    return sorted(kept, key=lambda row: (row[date], row["ticker"]), reverse=True)


def market_status(market: Market, now: dt.datetime) -> bytes:
    """Whether the exchanges are open at `now`, in New York's time."""
    here = now.astimezone(_NEW_YORK)
    early = late = opened = False
    if here.date() in market.index_of:
        begins, ends = calendars.open_at(here.date()), calendars.close_at(here.date())
        opened, early = begins <= now < ends, now < begins and here.hour >= 4
        late = ends <= now and here.hour < 20
    state = "open" if opened else "extended-hours" if early or late else "closed"
    body = {
        "afterHours": late, "currencies": {"crypto": "open", "fx": "open"}, "earlyHours": early,
        "exchanges": {"nasdaq": state, "nyse": state, "otc": "open" if opened else "closed"},
        "market": state, "serverTime": here.isoformat(timespec="seconds"),
    }  # fmt: skip
    return dump(body)
