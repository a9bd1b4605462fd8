"""Polygon (Massive) market status: the coming closed and shortened days, to hold against the calendar that we use."""

import datetime as dt
from typing import Any

import pyarrow as pa

from pipelines.vendors.contents import Unusable, load_json
from pipelines.vendors.parsing import Parsed, Rows, parser

_STATES = ("closed", "early-close")


@parser("market_days")
def market_days(body: bytes, path: str) -> Parsed:
    """`upcoming` is a bare list, one row an exchange and day. `now` tells of one moment and holds no fact."""
    document = load_json(body)
    if isinstance(document, dict):
        if document.get("status") in ("ERROR", "NOT_AUTHORIZED", "NOT_FOUND"):
            raise Unusable("not_data", str(document.get("error") or document.get("message") or document["status"]))
        if not isinstance(document.get("market"), str):
            raise Unusable("schema_drift", "neither a list of days nor the state of the market")
        document = []
    if not isinstance(document, list):
        raise Unusable("schema_drift", "the document is neither a list nor an object")
    rows = Rows.of_records(document, ["exchange", "date", "name", "status", "open", "close"])
    exchanges, days = rows.text("exchange"), rows.date("date")
    states = rows.text("status")
    rows.mark([state is not None and state not in _STATES for state in states], "schema_drift")
    told = {name: [_instant(text) for text in rows.text(name, required=False)] for name in ("open", "close")}
    for name, moments in told.items():
        given = rows.columns[name]
        rows.mark([value is not None and moment is None for value, moment in zip(given, moments, strict=True)],
                  "bad_time")  # fmt: skip
    kind = pa.timestamp("us", tz="UTC")
    return rows.finish("market_days", {
        "exchange": exchanges, "day": days, "name": rows.text("name", required=False), "status": states,
        "opens_at": pa.array(told["open"], kind), "closes_at": pa.array(told["close"], kind),
    })  # fmt: skip


def _instant(text: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None or not 1990 <= moment.year < 2200:
        return None
    return moment.astimezone(dt.UTC)
