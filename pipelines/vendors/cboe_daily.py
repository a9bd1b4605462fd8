"""Cboe's daily files: the history of an index (CSV), and the market statistics of one day (JSON without a suffix)."""

import re
from typing import Any

import numpy as np

from pipelines.vendors.contents import Unusable, csv_lines, load_json, number_in
from pipelines.vendors.parsing import HIGHEST_PRICE, HIGHEST_VOLUME, Parsed, Rows, as_day, parser

_INDEX = re.compile(r"/([A-Z0-9]{1,12})_History\.csv$")
_STATISTICS_DAY = re.compile(r"/(\d{4}-\d{2}-\d{2})_daily_options$")
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_LEVELS = ("OPEN", "HIGH", "LOW", "CLOSE")
# What the ratios call by another name than the sections.
_RATIO_OF = {"TOTAL": "SUM OF ALL PRODUCTS", "INDEX": "INDEX OPTIONS", "EQUITY": "EQUITY OPTIONS"}
_RATIO = " PUT/CALL RATIO"
HIGHEST_RATIO = 1e6
_FIGURES = ("call_volume", "put_volume", "total_volume", "call_open_interest", "put_open_interest",
            "total_open_interest")  # fmt: skip


@parser("index_levels")
def history(body: bytes, path: str) -> Parsed:
    """`DATE,OPEN,HIGH,LOW,CLOSE`, or `DATE,{name}` where only a close is told."""
    named = _INDEX.search(path)
    if named is None:
        raise Unusable("bad_symbol", f"no index in the path {path}")
    lines = csv_lines(body)
    starts = [at for at, line in enumerate(lines[:10]) if line[0].strip().upper() == "DATE"]
    if not starts:
        raise Unusable("truncated" if not lines else "schema_drift", f"no header DATE,… in {path}")
    header = [cell.strip().upper() for cell in lines[starts[0]]]
    whole = all(name in header for name in _LEVELS)
    if not whole and header[1:] not in ([named.group(1)], ["CLOSE"]):
        raise Unusable("schema_drift", f"unknown header {','.join(header)[:200]}")
    lines = lines[starts[0] + 1 :]
    places = {name: header.index(name) for name in _LEVELS} if whole else {"CLOSE": 1}
    columns: dict[str, list[Any]] = {name: [_cell(line, at) for line in lines] for name, at in places.items()}
    columns["day"] = [_iso(line[0]) for line in lines]
    rows = Rows(columns, len(lines), lambda index: ",".join(lines[index])[:400])
    rows.mark([len(line) > len(header) for line in lines], "bad_type")  # a comma within a number moves all after it
    days = rows.date("day")
    levels = {name: rows.number(name, required=name in places) for name in _LEVELS}
    told = np.stack([levels[name] for name in places])
    with np.errstate(invalid="ignore"):
        rows.mark(~((told > 0) & (told < HIGHEST_PRICE)).all(axis=0), "bad_price")
        if whole:  # the first level of a day may lie outside its range: nobody traded it
            rows.mark((levels["CLOSE"] > levels["HIGH"]) | (levels["CLOSE"] < levels["LOW"]), "bad_range")
    return rows.finish("index_levels", {
        "index": named.group(1), "session": days, **{name.lower(): levels[name] for name in _LEVELS},
    })  # fmt: skip


def _iso(text: str) -> str:
    """MM/DD/YYYY as the vendor writes it; anything else is left for the date check to judge."""
    match = _US_DATE.fullmatch(text.strip())
    return f"{match[3]}-{int(match[1]):02d}-{int(match[2]):02d}" if match else text.strip()


def _cell(line: list[str], place: int) -> Any:
    return number_in(line[place]) if place < len(line) else None


@parser("market_statistics")
def statistics(body: bytes, path: str) -> Parsed:
    """One row a product. Products come and go; a section may be one object where others are lists."""
    match = _STATISTICS_DAY.search(path)
    day = as_day(match.group(1)) if match else None
    if day is None:
        raise Unusable("bad_time", f"no date in the path {path}")
    document = load_json(body)
    if not isinstance(document, dict):
        raise Unusable("schema_drift", "the document is not an object")
    ratios = _ratios(document.get("ratios"))
    sections = {name: _section(value) for name, value in document.items() if name != "ratios"}
    products = [name for name, found in sections.items() if found is not None]
    if not products and not ratios:
        raise Unusable("schema_drift", "neither ratios nor products")
    products += [name for name in ratios if name not in products]
    columns: dict[str, list[Any]] = {"product": list(products), "ratio": [ratios.get(name) for name in products]}
    for figure in _FIGURES:
        columns[figure] = [(sections.get(name) or {}).get(figure) for name in products]
    rows = Rows(columns, len(products), lambda index: f"{products[index]}: {document.get(products[index])}"[:400])
    names = rows.text("product")
    figures = {name: rows.number(name, required=False) for name in _FIGURES}
    for name, values in figures.items():
        rows.within(name, values, 0, HIGHEST_VOLUME, "bad_volume")
    ratio = rows.number("ratio", required=False)
    rows.within("ratio", ratio, 0, HIGHEST_RATIO, "bad_range")
    return rows.finish("market_statistics", {"session": day, "product": names, **figures, "put_call_ratio": ratio})


def _ratios(listed: Any) -> dict[str, Any]:
    """Ratios are written as text; what is no number stays text, which its row is refused for."""
    found: dict[str, Any] = {}
    for one in listed if isinstance(listed, list) else []:
        name = one.get("name") if isinstance(one, dict) else None
        if isinstance(name, str) and name.upper().endswith(_RATIO):
            product = name[: -len(_RATIO)].strip()
            found[_RATIO_OF.get(product.upper(), product)] = _plain(one.get("value"))
    return found


def _section(value: Any) -> dict[str, Any] | None:
    entries = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
    found: dict[str, Any] = {}
    for one in entries:
        kind = str(one.get("name", "")).strip().lower().replace(" ", "_") if isinstance(one, dict) else ""
        if kind in ("volume", "open_interest"):
            found |= {f"{side}_{kind}": _plain(one.get(side)) for side in ("call", "put", "total")}
    return found or None


def _plain(value: Any) -> Any:
    return number_in(value) if isinstance(value, str) else value
