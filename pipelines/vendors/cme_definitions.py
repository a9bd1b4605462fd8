"""What a contract is, as Databento's definitions tell it: its month, when it expires, its tick and its size."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.vendors import dbn
from pipelines.vendors.cme import Describe, placed, roots_of
from pipelines.vendors.parsing import Parsed, Rows, parser

_DEFINITION = 19
_VERSIONS = ("InstrumentDefMsg", "InstrumentDefMsgV2", "InstrumentDefMsgV1")
_INSTANT = pa.timestamp("us", tz="UTC")
_NO_NUMBER, _NO_YEAR, _NO_MONTH = 2**31 - 1, 2**16 - 1, 2**8 - 1
_FUTURE, _DELETED = b"F", b"D"
_READ = ("instrument_id", "ts_recv", "raw_symbol", "asset", "exchange", "currency", "instrument_class", "expiration",
         "activation", "min_price_increment", "contract_multiplier", "unit_of_measure_qty", "unit_of_measure",
         "maturity_year", "maturity_month", "security_update_action")  # fmt: skip


@parser("futures_definitions")
def definitions(body: bytes | dbn.Stream, path: str) -> Parsed:
    """Outright futures. Spreads and options are other instruments; a telling that repeats the one before it in the
    stream is no news."""
    stream = dbn.Stream.of(body)
    layouts = [dbn.layout(name) for name in _VERSIONS]
    records, places = stream.together([_DEFINITION], layouts, _common)
    rows = Rows({}, len(records), Describe(records))
    rows.skip((records["instrument_class"] != _FUTURE) | (records["security_update_action"] == _DELETED))
    symbols = _texts(records["raw_symbol"])
    roots = roots_of(symbols)
    rows.mark([not symbol for symbol in symbols], "bad_symbol")
    rows.skip([bool(symbol) and roots[symbol] is None for symbol in symbols])
    told_at, untold = dbn.instants(records["ts_recv"])
    rows.mark(untold, "bad_time")
    expires_at, activates_at = (_moments(rows, records[name]) for name in ("expiration", "activation"))
    year, month = records["maturity_year"].astype(np.int64), records["maturity_month"].astype(np.int64)
    named = (year != _NO_YEAR) & (month != _NO_MONTH) & (year > 0) & (month > 0)
    rows.mark(named & ((year < 1990) | (year >= 2100) | (month > 12)), "bad_time")
    rows.skip(_repeated(records, rows.good))
    return placed(rows.finish("futures_definitions", {
        "symbol": symbols, "root": [roots.get(symbol) if symbol else None for symbol in symbols],
        "instrument_no": records["instrument_id"].astype(np.int64),
        "told_at": pa.array(told_at, pa.int64()).cast(_INSTANT), "asset": _texts(records["asset"]),
        "contract_month": [f"{y}-{m:02d}" if known else None
                           for y, m, known in zip(year.tolist(), month.tolist(), named.tolist(), strict=True)],
        "expires_at": expires_at, "activates_at": activates_at,
        "tick_size": _above_nothing(records["min_price_increment"]),
        "multiplier": _multiplier(records), "unit": _texts(records["unit_of_measure"]),
        "currency": _texts(records["currency"]), "exchange": _texts(records["exchange"]),
    }), places, stream.misfits([_DEFINITION], *layouts))  # fmt: skip


def _common(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What is read here, which all versions of the format have, if not in one place or as wide."""
    newest = dbn.layout(_VERSIONS[0])
    shared = np.zeros(len(part), dtype=[(name, newest.fields[name][0]) for name in _READ])
    for name in _READ:
        shared[name] = part[name]
    return shared


def _texts(column: npt.NDArray[np.bytes_]) -> list[str | None]:
    """Words of the stream; what is no plain text is none."""
    return [text if (text := one.decode("latin-1")).isascii() and text.isprintable() and text else None
            for one in column.tolist()]  # fmt: skip


def _moments(rows: Rows, column: npt.NDArray[np.uint64]) -> pa.Array:
    told = (column != dbn.UNDEFINED_TIME) & (column != 0)
    moments, outside = dbn.instants(column)
    rows.mark(told & outside, "bad_time")
    return pa.array(moments, pa.int64(), mask=~told).cast(_INSTANT)


def _above_nothing(column: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.where((column > 0) & (column != dbn.UNDEFINED_PRICE), column / 1e9, np.nan)


def _multiplier(records: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Units of one contract: as such, else as its quantity of the unit it is measured in."""
    counted = records["contract_multiplier"]
    known = (counted > 0) & (counted != _NO_NUMBER)
    return np.where(known, counted, _above_nothing(records["unit_of_measure_qty"]))


def _repeated(records: npt.NDArray[Any], good: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which say of their instrument what was said before them; streams repeat all that is listed each day."""
    again, said = np.zeros(len(records), dtype=bool), dict[int, Any]()
    names = [name for name in _READ if name not in ("ts_recv", "security_update_action")]
    for at in np.flatnonzero(good).tolist():
        told = tuple(records[name][at].item() for name in names)
        again[at] = said.get(told[0]) == told
        said[told[0]] = told
    return again
