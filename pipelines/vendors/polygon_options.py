"""Polygon (Massive) option chain snapshots. A page tells no time of its own: it is stamped by its underlying's."""

from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.vendors import times
from pipelines.vendors.cboe import computed, contract_terms, quotes, session_on
from pipelines.vendors.contents import Unusable
from pipelines.vendors.parsing import Parsed, Rows, parser
from pipelines.vendors.polygon import results

QUARTER = 15 * times.MINUTE
_GREEKS = ("iv", "delta", "gamma", "vega", "theta")
_NUMBERS = ("bid", "ask", *_GREEKS, "open_interest", "volume", "last_price")


@parser("option_snapshots")
def snapshot(body: bytes, path: str) -> Parsed:
    """All pages of one pull must be one chain: each is stamped with the quarter hour by which its underlying's newest
    price was out, which after the close is the same for all of them."""
    found = results(body)
    if not found:
        return Rows({}, 0, str).finish("option_snapshots", _nothing())
    underlying, spot, newest_us = _underlying(found)
    stamp_us = -(-newest_us // QUARTER) * QUARTER
    day = times.local_dates(np.array([newest_us]), times.NEW_YORK)[0]
    session = np.datetime64(session_on(day.astype(object)), "D")

    rows = Rows.of_records([_flat(row, session) for row in found], ["contract", "shares", *_NUMBERS])
    terms = contract_terms(rows, rows.text("contract"))
    shares = rows.number("shares", required=False)
    # The plan decides whether quotes come at all; what was never traded today has no volume, which is none.
    figures = {name: rows.number(name, required=False) for name in _NUMBERS}
    quotes(rows, figures)
    rows.mark([_contradicts(row, expiry, right, strike) for row, expiry, right, strike in zip(
        found, terms["expiry"], terms["right"], terms["strike"], strict=True)], "bad_symbol")  # fmt: skip
    filled = {name: np.where(np.isnan(figures[name]), 0.0, figures[name]) for name in ("volume", "open_interest")}
    adjusted = [bool(one) or (shares[at] != 100 and not np.isnan(shares[at]))
                for at, one in enumerate(terms["adjusted"])]  # fmt: skip
    return rows.finish("option_snapshots", {
        "underlying": underlying, "session": session,
        "snapshot": pa.repeat(pa.scalar(stamp_us, pa.timestamp("us", tz="UTC")), rows.count),
        "spot": spot, "iv30": None, **terms, **figures, **{name: computed(figures[name]) for name in _GREEKS},
        "volume": filled["volume"], "open_interest": filled["open_interest"], "adjusted": adjusted,
    })  # fmt: skip


def _nothing() -> dict[str, Any]:
    from pipelines.lake.schemas import DATASETS

    return {name: [] for name in DATASETS["option_snapshots"].own.names}


def _underlying(found: list[Any]) -> tuple[str, float | None, int]:
    """Plain symbol, price and newest time of the page's underlying."""
    told = [row["underlying_asset"] for row in found
            if isinstance(row, dict) and isinstance(row.get("underlying_asset"), dict)]  # fmt: skip
    timed = [one for one in told if type(one.get("last_updated")) is int
             and 0 < one["last_updated"] // 1000 < times.LAST_INSTANT]  # fmt: skip
    if not timed:
        raise Unusable("missing_field", "no underlying_asset.last_updated: nothing says when this was")
    newest = max(timed, key=lambda one: int(one["last_updated"]))
    symbol = str(newest.get("ticker") or "").removeprefix("I:")
    if not symbol or not symbol.replace(".", "").isalnum() or not symbol.isupper():
        raise Unusable("bad_symbol", f"underlying {symbol[:60]!r}")
    price = newest.get("price", newest.get("value"))
    spot = float(price) if type(price) in (int, float) and 0 < price < 1e9 else None
    return symbol, spot, int(newest["last_updated"]) // 1000


def _flat(row: Any, session: np.datetime64) -> Any:
    if not isinstance(row, dict):
        return row
    details, day, greeks, quote, trade = (
        part if isinstance(part := row.get(name), dict) else {}
        for name in ("details", "day", "greeks", "last_quote", "last_trade")
    )
    ticker = details.get("ticker")
    return {
        "contract": ticker.removeprefix("O:") if isinstance(ticker, str) else ticker,
        "shares": details.get("shares_per_contract"),
        "bid": quote.get("bid"), "ask": quote.get("ask"), "iv": row.get("implied_volatility"),
        **{name: greeks.get(name) for name in _GREEKS[1:]},
        "open_interest": row.get("open_interest"),
        "volume": day.get("volume") if _of(day, session) else None,
        "last_price": trade.get("price", day.get("close")),
    }  # fmt: skip


def _contradicts(row: Any, expiry: Any, right: str | None, strike: float) -> bool:
    """Whether the details say of the contract, in their own words, something else than its name does."""
    details = row.get("details") if isinstance(row, dict) else None
    if expiry is None or not isinstance(details, dict):
        return False
    named = {"expiration_date": str(expiry), "strike_price": strike, "contract_type": {"C": "call", "P": "put"}.get(
        str(right))}  # fmt: skip
    return any(details.get(name) not in (None, "other", value) for name, value in named.items())


def _of(day: dict[str, Any], session: np.datetime64) -> bool:
    """Whether a contract's `day` is this session's: what did not trade shows the last day on which it did."""
    updated = day.get("last_updated")
    if type(updated) is not int or not 0 < updated // 1000 < times.LAST_INSTANT:
        return False
    return bool(times.local_dates(np.array([updated // 1000]), times.NEW_YORK)[0] == session)
