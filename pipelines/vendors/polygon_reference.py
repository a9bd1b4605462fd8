"""Polygon (Massive) reference lists: tickers, their changes, splits and dividends, newer and older endpoints."""

import re
from collections import defaultdict
from typing import Any

import numpy as np

from pipelines.vendors.contents import Unusable
from pipelines.vendors.parsing import HIGHEST_PRICE, Numbers, Parsed, Rows, parser
from pipelines.vendors.polygon import TICKER, results

_EVENTS_ID = re.compile(r"/reference/tickers/([^/]+)/events")
_FIGI = re.compile(r"BBG[A-Z0-9]{9}")
_OLDER = re.compile(r"/v3/reference/(splits|dividends)/")
_KINDS = ("forward_split", "reverse_split", "stock_dividend")


@parser("tickers")
def tickers(body: bytes, path: str) -> Parsed:
    """A page of the list, or one company told alone. `delisted_utc` is the last day traded; its time says nothing."""
    names = ["ticker", "name", "market", "primary_exchange", "type", "active", "currency_name", "cik",
             "composite_figi", "delisted_utc"]  # fmt: skip
    found = results(body, wanted=(list, dict))
    rows = Rows.of_records(found if isinstance(found, list) else [found], names)
    rows.skip([market not in (None, "stocks") for market in rows.columns["market"]])
    columns: dict[str, Any] = {"ticker": rows.matching("ticker", TICKER, "bad_symbol")}
    for name in ("name", "type", "primary_exchange", "cik", "composite_figi"):
        columns[name] = rows.text(name, required=False)
    columns["currency"] = rows.text("currency_name", required=False)
    columns["delisted_utc"] = rows.date("delisted_utc", required=False)
    active = list(rows.columns["active"])
    rows.mark([type(value) not in (bool, type(None)) for value in active], "bad_type")
    rows.mark([value is None for value in active], "missing_field")
    columns["active"] = [value is True for value in active]
    return rows.finish("tickers", columns)


@parser("ticker_events")
def ticker_events(body: bytes, path: str) -> Parsed:
    """One company's successive tickers. `date` is the first day of the ticker, a session or a day near one."""
    company = results(body, wanted=dict)
    events = company.get("events") or []
    if not isinstance(events, list):
        raise Unusable("schema_drift", f"events is {type(events).__name__}, not list")
    flat = [_flattened(event, company, path) for event in events]
    rows = Rows.of_records(flat, ["ticker", "date", "type", "name", "composite_figi", "cik"])
    rows.skip([kind not in (None, "ticker_change") for kind in rows.columns["type"]])
    return rows.finish("ticker_events", {
        "composite_figi": rows.text("composite_figi", required=False),
        "cik": rows.text("cik", required=False),
        "name": rows.text("name", required=False),
        "event_date": rows.date("date"),
        "ticker": rows.matching("ticker", TICKER, "bad_symbol"),
    })  # fmt: skip


def _flattened(event: Any, company: dict[str, Any], path: str) -> Any:
    if not isinstance(event, dict):
        return event
    change = event.get("ticker_change")
    asked = _EVENTS_ID.search(path)
    by_figi = asked.group(1) if asked and _FIGI.fullmatch(asked.group(1)) else None
    return {
        "ticker": change.get("ticker") if isinstance(change, dict) else None,
        "date": event.get("date"),
        "type": event.get("type"),
        "name": company.get("name"),
        "composite_figi": company.get("composite_figi") or by_figi,
        "cik": company.get("cik"),
    }


def _identity(rows: Rows, path: str, *parts: Any) -> list[str | None]:
    """The vendor's id, or one made of the row. The older endpoint's are kept apart: it knows less of the same event."""
    given = rows.text("id", required=False)
    prefix = "v3:" if _OLDER.search(path) else ""
    made = [":".join(str(part) for part in row) for row in zip(*parts, strict=True)]
    return [prefix + (own or other) for own, other in zip(given, made, strict=True)]


def _payments(ids: list[str | None], given: list[str | None], cash: Numbers) -> list[str | None]:
    """Rows without an id that differ in what they pay are payments of their own, counted from the smallest."""
    amounts: dict[str | None, set[float]] = defaultdict(set)
    for one, own, paid in zip(ids, given, cash.tolist(), strict=True):
        if not own and 0 <= paid < HIGHEST_PRICE:
            amounts[one].add(paid)
    places = {(one, paid): place for one, several in amounts.items() for place, paid in enumerate(sorted(several), 1)}
    return [one if own or places.get((one, paid), 1) == 1 else f"{one}:{places[one, paid]}"
            for one, own, paid in zip(ids, given, cash.tolist(), strict=True)]  # fmt: skip


@parser("splits")
def splits(body: bytes, path: str) -> Parsed:
    """Four for one is from 1 to 4. The vendor's cumulative factor knows the future and is not read."""
    names = ["id", "ticker", "execution_date", "split_from", "split_to", "adjustment_type"]
    rows = Rows.of_records(results(body), names)
    ticker = rows.matching("ticker", TICKER, "bad_symbol")
    ex_date = rows.date("execution_date")
    split_from, split_to = rows.number("split_from"), rows.number("split_to")
    with np.errstate(invalid="ignore"):
        rows.mark(~((split_from > 0) & (split_to > 0) & (split_from < 1e9) & (split_to < 1e9)), "bad_range")
    told = rows.text("adjustment_type", required=False)
    kind = [
        told_kind if told_kind in _KINDS else "forward_split" if up else "reverse_split"
        for told_kind, up in zip(told, split_to > split_from, strict=True)
    ]
    return rows.finish("splits", {
        "vendor_id": _identity(rows, path, ticker, ex_date),
        "ticker": ticker, "ex_date": ex_date, "split_from": split_from, "split_to": split_to, "kind": kind,
        "withdrawn": False,
    })  # fmt: skip


@parser("dividends")
def dividends(body: bytes, path: str) -> Parsed:
    """Cash per share at the time, unadjusted. Ex-dates to come are facts too; other dates may be missing."""
    names = ["id", "ticker", "ex_dividend_date", "cash_amount", "currency", "declaration_date", "pay_date",
             "dividend_type"]  # fmt: skip
    rows = Rows.of_records(results(body), names)
    ticker = rows.matching("ticker", TICKER, "bad_symbol")
    ex_date = rows.date("ex_dividend_date")
    cash = rows.number("cash_amount")
    with np.errstate(invalid="ignore"):
        rows.mark(~(np.isfinite(cash) & (cash >= 0) & (cash < HIGHEST_PRICE)), "bad_price")
    kind = rows.text("dividend_type", required=False)
    return rows.finish("dividends", {
        "vendor_id": _payments(_identity(rows, path, ticker, ex_date, kind), rows.text("id", required=False), cash),
        "ticker": ticker, "ex_date": ex_date, "cash_amount": cash,
        "currency": rows.text("currency", required=False),
        "declaration_date": rows.date("declaration_date", required=False),
        "pay_date": rows.date("pay_date", required=False), "withdrawn": False,
    })  # fmt: skip
