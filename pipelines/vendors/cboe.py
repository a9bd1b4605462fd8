"""Cboe's delayed option chain (JSON). Its clock is two clocks: publication in UTC, last trade in New York."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines import calendars
from pipelines.vendors import times
from pipelines.vendors.contents import Unusable, load_json
from pipelines.vendors.parsing import HIGHEST_PRICE, HIGHEST_VOLUME, Numbers, Parsed, Rows, parser

# Parsed from the right: fifteen fixed characters behind a root of any length, which may end in a digit (an adjusted
# deliverable) or begin with one (a flexible contract of the usual deliverable).
OCC = re.compile(r"(\d?[A-Z][A-Z0-9.]{0,6}?)(\d{6})([CP])(\d{8})")
_GREEKS = ("iv", "delta", "gamma", "vega", "theta")
_FIELDS = ["option", "bid", "ask", *_GREEKS, "open_interest", "volume"]
# Far beyond what was ever seen, and far below what a slip of the pen is.
_SANE = {"iv": (0, 1e3), "delta": (-1.01, 1.01), "gamma": (0, 1e4), "vega": (-1e6, 1e6), "theta": (-1e6, 1e6)}


def contract_terms(rows: Rows, names: list[str | None]) -> dict[str, Any]:
    """Root, expiry, right and strike of each contract, and whether its deliverable was adjusted."""
    matches = [OCC.fullmatch(name) if name else None for name in names]
    expiries = [_expiry(match.group(2)) if match else None for match in matches]
    rows.mark([expiry is None for expiry in expiries], "bad_symbol")
    return {
        "contract": names,
        "root": [match.group(1) if match else None for match in matches],
        "expiry": expiries,
        "right": [match.group(3) if match else None for match in matches],
        "strike": np.array([int(match.group(4)) / 1000 if match else np.nan for match in matches]),
        "adjusted": [match is not None and match.group(1)[-1].isdigit() for match in matches],
    }


def _expiry(text: str) -> dt.date | None:
    try:
        return dt.date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        return None


def computed(values: Numbers) -> Numbers:
    """0.0 is Cboe's way of saying that it was not computed."""
    return np.where(values == 0, np.nan, values)


def quotes(rows: Rows, figures: Mapping[str, Numbers]) -> None:
    """What can be true of a contract, of what is told of it. A quote of nothing is 0; a bid above the ask is none."""
    for name in ("bid", "ask", "last_price"):
        rows.within(name, figures[name], 0, HIGHEST_PRICE, "bad_price")
    with np.errstate(invalid="ignore"):
        rows.mark((figures["ask"] > 0) & (figures["bid"] > figures["ask"]), "bad_range")
    for name in ("volume", "open_interest"):
        rows.within(name, figures[name], 0, HIGHEST_VOLUME, "bad_volume")
    for name, (least, most) in _SANE.items():
        if name in figures:
            rows.within(name, figures[name], least, most, "bad_range")


def session_of(data: dict[str, Any], snapshot: dt.datetime) -> dt.date:
    """That of the last trade; where none is told, the one that was open when the chain was saved."""
    text = data.get("last_trade_time")
    if not isinstance(text, str):
        return session_at(snapshot)
    try:
        day = dt.datetime.fromisoformat(text).date()
    except ValueError:
        raise Unusable("bad_time", f"last_trade_time {text!r}") from None
    return session_on(day)


def session_at(snapshot: dt.datetime) -> dt.date:
    """The session that is open or was last; before the day's open, that is the day before's."""
    day = snapshot.astimezone(times.NEW_YORK).date()
    session = session_on(day)
    return session_on(day - dt.timedelta(days=1)) if session == day and snapshot < calendars.open_at(day) else session


def session_on(day: dt.date) -> dt.date:
    """The session of that day, or the last one before it."""
    try:
        return times.session_on_or_before(day)
    except (ValueError, OverflowError, IndexError):
        raise Unusable("bad_time", f"no session is known on or before {day}") from None


def _snapshot(document: dict[str, Any]) -> dt.datetime:
    text = document.get("timestamp")
    try:
        snapshot = dt.datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.UTC)
    except ValueError:
        raise Unusable("bad_time", f"timestamp {str(text)[:60]!r}") from None
    if not times.FIRST_INSTANT <= times.to_instant(snapshot) < times.LAST_INSTANT:
        raise Unusable("bad_time", f"timestamp {text!r}")
    return snapshot


def _figure(data: dict[str, Any], name: str) -> float | None:
    value = data.get(name)
    return float(value) if type(value) in (int, float) and 0 < value < 1e9 else None


@parser("option_chain")
def chain(body: bytes, path: str) -> Parsed:
    document = load_json(body)
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("options"), list):
        raise Unusable("schema_drift", "no data.options in the document")
    snapshot = _snapshot(document)
    session = session_of(data, snapshot)
    if times.to_instant(snapshot) < times.midnight_at(session):
        raise Unusable("bad_time", f"published {snapshot} and yet of {session}")
    underlying = str(data.get("symbol") or document.get("symbol") or "").lstrip("^_")
    if not re.fullmatch(r"[A-Z][A-Z0-9.]{0,9}", underlying):
        raise Unusable("bad_symbol", f"underlying {underlying[:60]!r}")
    spot, iv30 = _figure(data, "current_price"), _figure(data, "iv30")

    rows = Rows.of_records([_named(row) for row in data["options"]], [*_FIELDS, "last_price"])
    terms = contract_terms(rows, rows.text("option"))
    figures = {name: rows.number(name) for name in _FIELDS[1:]}
    figures["last_price"] = rows.number("last_price", required=False)
    quotes(rows, figures)
    return rows.finish("option_chain", {
        "underlying": underlying, "session": np.datetime64(session, "D"),
        "snapshot": pa.repeat(pa.scalar(snapshot, pa.timestamp("us", tz="UTC")), rows.count),
        "spot": spot, "iv30": None if iv30 is None else iv30 / 100, **terms, **figures,
        **{name: computed(figures[name]) for name in _GREEKS},
    })  # fmt: skip


def _named(row: Any) -> Any:
    return {**row, "last_price": row.get("last_trade_price")} if isinstance(row, dict) else row
