"""CME's Volume/Details answers: volume and open interest of each contract month. All numbers are text with commas."""

import datetime as dt
import re
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.vendors import times
from pipelines.vendors.contents import Unusable, load_json, number_in
from pipelines.vendors.parsing import HIGHEST_VOLUME, Parsed, Rows, as_day, parser

# The body names no product; its path does, by the site's number.
ROOTS = {"133": "ES", "146": "NQ", "425": "CL", "444": "NG", "437": "GC", "458": "SI", "438": "HG", "300": "ZC",
         "323": "ZW", "320": "ZS"}  # fmt: skip
_PATH = re.compile(r"/(\d{1,6})_(\d{8})_([PF])\.json$")
_MONTHS = {name: code for name, code in zip(
    ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), "FGHJKMNQUVXZ", strict=True
)} | {"JLY": "N"}  # fmt: skip
_MONTH = re.compile(r"([A-Z]{3}) (\d{4})")


@parser("volume_details")
def details(body: bytes, path: str) -> Parsed:
    named = _PATH.search(path)
    if named is None:
        raise Unusable("bad_symbol", f"no product in the path {path}; expected <productId>_<YYYYMMDD>_<P|F>.json")
    root = ROOTS.get(named.group(1))
    if root is None:
        raise Unusable("unknown_instrument", f"product {named.group(1)} is not one that is known here")
    document = load_json(body)
    months = document.get("monthData") if isinstance(document, dict) else None
    if not isinstance(months, list):
        raise Unusable("schema_drift", "no monthData in the document")
    day = _day(document.get("tradeDate") or named.group(2))
    rows = Rows.of_records([_numbers(month) for month in months], ["month", "totalVolume", "atClose"])
    names = rows.text("month")
    found = [_MONTH.fullmatch(name.strip().upper()) if name else None for name in names]
    codes = [_MONTHS.get(match.group(1)) if match else None for match in found]
    rows.mark([code is None for code in codes], "bad_symbol")
    volume, interest = rows.number("totalVolume", required=False), rows.number("atClose", required=False)
    for name, figures in (("totalVolume", volume), ("atClose", interest)):
        rows.within(name, figures, 0, HIGHEST_VOLUME, "bad_volume")
    return rows.finish("volume_details", {
        "root": root, "session": day,
        "symbol": [f"{root}{code}{match.group(2)[-1]}" if match and code else None
                   for match, code in zip(found, codes, strict=True)],
        "contract_month": [f"{match.group(2)}-{'FGHJKMNQUVXZ'.index(code) + 1:02d}" if match and code else None
                           for match, code in zip(found, codes, strict=True)],
        "report": {"P": "preliminary", "F": "final"}[named.group(3)],
        "volume": volume, "open_interest": interest,
        "updated_at": pa.repeat(pa.scalar(_updated(document), pa.timestamp("us", tz="UTC")), rows.count),
    })  # fmt: skip


def _numbers(month: Any) -> Any:
    """The row with its numbers as numbers; `-` is none, and what is no number stays text."""
    if not isinstance(month, dict):
        return month
    told = {name: month.get(name) for name in ("totalVolume", "atClose")}
    return {**month, **{name: number_in(value) if isinstance(value, str) else value for name, value in told.items()}}


def _day(text: Any) -> np.datetime64:
    written = str(text)
    day = as_day(f"{written[:4]}-{written[4:6]}-{written[6:8]}") if re.fullmatch(r"\d{8}", written) else None
    if day is None:
        raise Unusable("bad_time", f"tradeDate {written[:60]!r}")
    return day


def _updated(document: dict[str, Any]) -> dt.datetime | None:
    """The report's own time; None where it tells none."""
    try:
        moment = dt.datetime.fromisoformat(str(document.get("updateTime")))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return moment if times.FIRST_INSTANT <= times.to_instant(moment) < times.LAST_INSTANT else None
