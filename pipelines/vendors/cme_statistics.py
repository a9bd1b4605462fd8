"""Cleared volume and open interest of each contract, as the exchange's feed tells them through Databento."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.vendors import dbn
from pipelines.vendors.cme import Describe, expiry_hints, mark_names, placed, roots_of, trade_dates
from pipelines.vendors.parsing import HIGHEST_VOLUME, Parsed, Rows, parser

_STATISTIC = 24
_VERSIONS = ("StatMsg", "StatMsgV1")
_KINDS = {6: "volume", 9: "open_interest"}
_DELETED = 2
_READ = ("instrument_id", "ts_event", "ts_recv", "ts_ref", "quantity", "sequence", "stat_type", "update_action")


@parser("futures_statistics")
def statistics(body: bytes | dbn.Stream, path: str) -> Parsed:
    """Volume and open interest of outrights; of all other statistics nothing is made here. An undefined number, or one
    that is taken back, is a telling of none."""
    stream = dbn.Stream.of(body)
    layouts = [dbn.layout(name) for name in _VERSIONS]
    records, places = stream.together([_STATISTIC], layouts, _common)
    wanted = np.isin(records["stat_type"], list(_KINDS))
    records, places = records[wanted], places[wanted]
    rows = Rows({}, len(records), Describe(records))
    told_at, untold = dbn.instants(records["ts_recv"])
    rows.mark(untold, "bad_time")
    symbols = stream.symbols(records["instrument_id"], told_at, places)
    roots = roots_of(symbols)
    mark_names(rows, symbols, roots)
    of, outside = dbn.instants(records["ts_ref"])
    rows.mark(records["ts_ref"] == dbn.UNDEFINED_TIME, "missing_field")
    rows.mark(outside, "bad_time")
    rows.mark(~np.isin(records["update_action"], (1, _DELETED)), "bad_type")
    quantity = records["quantity"]
    none = (records["update_action"] == _DELETED) | ~records["is_defined"]
    rows.mark(~none & ((quantity < 0) | (quantity >= HIGHEST_VOLUME)), "bad_volume")
    sessions = trade_dates(of)  # the day's midnight of UTC, which lies within its trade date
    return placed(rows.finish("futures_statistics", {
        "symbol": symbols, "root": [roots.get(symbol) if symbol else None for symbol in symbols],
        "expiry_hint": expiry_hints(symbols, sessions), "instrument_no": records["instrument_id"].astype(np.int64),
        "session": sessions, "statistic": [_KINDS[kind] for kind in records["stat_type"].tolist()],
        "told_at": pa.array(told_at, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "sequence": records["sequence"].astype(np.int64),
        "quantity": np.where(none, np.nan, quantity.astype(np.float64)),
    }), places, stream.misfits([_STATISTIC], *layouts))  # fmt: skip


def _common(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What is read here, of a version with narrow numbers or wide ones; each has its own word for no number."""
    newest = dbn.layout(_VERSIONS[0])
    fields = [(name, newest.fields[name][0]) for name in _READ]
    shared = np.zeros(len(part), dtype=[*fields, ("is_defined", np.bool_)])
    for name in _READ:
        shared[name] = part[name]
    shared["is_defined"] = part["quantity"] != np.iinfo(part["quantity"].dtype).max
    return shared
