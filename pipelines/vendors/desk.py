"""A desk's own lists: what its broker lends. CSV with a header, or JSON: names, or objects with the same fields.

The list says who can be sold short. Whoever it does not name cannot, unless it names nobody but those who cannot, or
says it of `*`.
"""

import datetime as dt
import re
from typing import Any

import numpy as np

from pipelines.vendors.contents import Unusable, csv_lines, load_json
from pipelines.vendors.parsing import Parsed, Rows, parser
from pipelines.vendors.times import LISTED_FROM, to_instant

EVERYBODY_ELSE = "*"
_FIELDS = {"symbol": "name", "ticker": "name", "instrument_id": "name", "name": "name", "from": "valid_from",
           "valid_from": "valid_from", "to": "valid_to", "valid_to": "valid_to", "borrowable": "borrowable",
           "available_at": "told_at"}  # fmt: skip
_NAME = re.compile(r"\S{1,64}")
_SAID = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@parser("borrow")
def borrow(body: bytes, path: str) -> Parsed:
    records = _of_json(body) if path.endswith(".json") else _of_csv(body)
    if not records:
        raise Unusable("missing_field", "the list names nobody")
    told = [_said(record) for record in records]
    names = [record.get("name") if type(record) is dict else None for record in records]
    implied = EVERYBODY_ELSE not in names
    if implied:
        records = [*records, {"name": EVERYBODY_ELSE, "valid_from": None}]
        told.append(True not in told)
    rows = Rows.of_records(records, ("name", "valid_from", "valid_to", "told_at"))
    rows.mark([answer is None for answer in told], "bad_type")
    called = rows.matching("name", _NAME, "bad_symbol")
    begins, ends = rows.date("valid_from", required=False), rows.date("valid_to", required=False)
    begins = np.where(np.isnat(begins), np.datetime64(LISTED_FROM), begins)
    rows.mark(ends <= begins, "bad_time")
    moments = [_instant(text) for text in rows.text("told_at", required=False)]
    rows.mark([moment is False for moment in moments], "bad_time")
    if implied and not rows.good[:-1].any():
        rows.skip(np.arange(rows.count) == rows.count - 1)  # a list of which nothing can be read says nothing
    return rows.finish("borrow", {
        "name": called, "valid_from": begins, "valid_to": ends, "borrowable": told,
        "told_at": [moment or None for moment in moments], "withdrawn": [False] * len(told),
    })  # fmt: skip


def _of_json(body: bytes) -> list[Any]:
    document = load_json(body)
    if not isinstance(document, list):
        raise Unusable("schema_drift", "a JSON list of names, or of objects, is wanted")
    return [_fields(one) if type(one) is dict else {"name": one} if type(one) is str else one for one in document]


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    return {_FIELDS[name.lower()]: value for name, value in record.items() if name.lower() in _FIELDS}


def _of_csv(body: bytes) -> list[Any]:
    lines = csv_lines(body)
    header = [_FIELDS.get(cell.strip().lower()) for cell in lines[0]] if lines else []
    if header.count("name") != 1:
        raise Unusable("schema_drift", "the first line names no column `symbol` or `instrument_id`, or both")
    return [{name: cell.strip() or None for name, cell in zip(header, line, strict=False) if name}
            if len(line) <= len(header) else line for line in lines[1:]]  # fmt: skip


def _said(record: Any) -> bool | None:
    """Whether this one can be borrowed: who is merely named can; None where it is not a yes or no."""
    answer = record.get("borrowable") if type(record) is dict else None
    if answer is None or type(answer) is bool:
        return True if answer is None else answer
    return _SAID.get(answer.lower()) if type(answer) is str else None


def _instant(text: str | None) -> dt.datetime | None | bool:
    """A moment with its zone; False where the text is none."""
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None and to_instant(moment) > 0 else False
    except (ValueError, OverflowError):
        return False
