"""Cboe's "Download CSV" of a chain: two lines of prose, then a call and its put on every line."""

import datetime as dt
import re
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.vendors import times
from pipelines.vendors.cboe import computed, contract_terms, quotes, session_at
from pipelines.vendors.contents import Unusable, csv_lines, number_in
from pipelines.vendors.parsing import Parsed, Rows, parser

# Both halves have the same names, so that only places tell them apart: the call's contract, then the put's.
_CALL, _STRIKE, _PUT, _WIDTH = 1, 11, 12, 22
_HALF = {"last_price": 1, "bid": 3, "ask": 4, "volume": 5, "iv": 6, "delta": 7, "gamma": 8, "open_interest": 9}
_WHEN = re.compile(r"([A-Z][a-z]+) (\d{1,2}),? (\d{4})(?:,| at) (\d{1,2}:\d{2} [AP]M) E[SD]T")
_LAST = re.compile(r"Last: ([\d.]+)")
_SYMBOL = re.compile(r"(?:^|/)([A-Za-z.]+)_quotedata[^/]*$")


@parser("option_chain")
def quotedata(body: bytes, path: str) -> Parsed:
    lines = csv_lines(body)
    if len(lines) < 3:
        raise Unusable("truncated", "fewer than three lines")
    if len(lines[2]) < _WIDTH or lines[2][_CALL] != "Calls" or lines[2][_PUT] != "Puts":
        raise Unusable("schema_drift", f"unknown header {','.join(lines[2])[:200]}")
    snapshot = _snapshot(" ".join(lines[1]))
    last = _LAST.search(" ".join(lines[0]))
    # The file names no symbol in words that can be relied on; its own name does.
    named = _SYMBOL.search(path)
    if named is None:
        raise Unusable("bad_symbol", f"no symbol in the path {path}; expected <sym>_quotedata….csv")

    halves = [(line, start) for line in lines[3:] for start in (_CALL, _PUT)]
    columns: dict[str, list[Any]] = {"contract": [_at(line, start) or None for line, start in halves]}
    for name, place in _HALF.items():
        columns[name] = [number_in(_at(line, start + place)) for line, start in halves]
    rows = Rows(columns, len(halves), lambda index: ",".join(halves[index][0])[:400])
    rows.mark([len(line) > _WIDTH for line, _ in halves], "bad_type")  # a comma within a number moves all after it
    terms = contract_terms(rows, rows.text("contract"))
    figures = {name: rows.number(name) for name in _HALF}
    quotes(rows, figures)
    # Expiry and strike are told twice, once for the line and once in each contract.
    said = [(_expiry(line[0]), number_in(_at(line, _STRIKE))) for line, _ in halves]
    rows.mark([told != own for told, own in zip(said, zip(terms["expiry"], terms["strike"], strict=True), strict=True)],
              "bad_symbol")  # fmt: skip
    return rows.finish("option_chain", {
        "underlying": named.group(1).upper(), "session": np.datetime64(session_at(snapshot), "D"),
        "snapshot": pa.repeat(pa.scalar(snapshot, pa.timestamp("us", tz="UTC")), rows.count),
        "spot": _spot(last), "iv30": None, **terms, **figures,
        **{name: computed(figures[name]) for name in ("iv", "delta", "gamma")}, "vega": None, "theta": None,
    })  # fmt: skip


def _spot(last: re.Match[str] | None) -> float | None:
    value = number_in(last.group(1)) if last else None
    return value if isinstance(value, float) and 0 < value < 1e9 else None


def _at(line: list[str], place: int) -> str:
    return line[place] if place < len(line) else ""


@lru_cache(maxsize=10_000)
def _expiry(text: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(f"{text.strip()} +0000", "%a %b %d %Y %z").date()
    except ValueError:
        return None


def _snapshot(text: str) -> dt.datetime:
    match = _WHEN.search(text)
    try:
        if match is None:
            raise ValueError
        month, day, year, clock = match.groups()
        stated = f"{month} {day} {year} {clock}"
        local = dt.datetime.strptime(stated, "%B %d %Y %I:%M %p").replace(tzinfo=times.NEW_YORK)
        return local.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Unusable("bad_time", f"no date in {text[:200]!r}") from None
