"""Bars of seconds and minutes as Databento delivers them. Its hours and days are of UTC, no session's, and not read."""

import numpy as np
import pyarrow as pa

from pipelines.vendors import dbn
from pipelines.vendors.cme import Describe, expiry_hints, mark_names, placed, roots_of, trade_dates
from pipelines.vendors.parsing import HIGHEST_VOLUME, Parsed, Rows, parser

_SPANS = {32: 1, 33: 60}  # kind of record and its seconds
_PRICES = ("open", "high", "low", "close")


@parser("futures_ohlcv")
def bars(body: bytes | dbn.Stream, path: str) -> Parsed:
    """Bars of outrights. A bar is there because something traded in it; its price may lie below nothing."""
    stream = dbn.Stream.of(body)
    layout = dbn.layout("OHLCVMsg")
    ((records, places),) = stream.pick(list(_SPANS), layout)
    rows = Rows({}, len(records), Describe(records))
    starts, outside = dbn.instants(records["ts_event"])
    span_s = np.where(records["rtype"] == 32, 1, 60)
    rows.mark(outside | (records["ts_event"] % (span_s * 10**9).astype(np.uint64) != 0), "bad_time")
    symbols = stream.symbols(records["instrument_id"], starts, places)
    roots = roots_of(symbols)
    mark_names(rows, symbols, roots)
    four = np.stack([records[name] for name in _PRICES])
    rows.mark((four == dbn.UNDEFINED_PRICE).any(axis=0), "bad_price")
    rows.mark((four[1] < four.max(axis=0)) | (four[2] > four.min(axis=0)), "bad_range")
    volume = records["volume"]
    rows.mark((volume == 0) | (volume >= np.uint64(HIGHEST_VOLUME)), "bad_volume")
    sessions = trade_dates(starts)
    return placed(rows.finish("futures_ohlcv", {
        "symbol": symbols, "root": [roots.get(symbol) if symbol else None for symbol in symbols],
        "expiry_hint": expiry_hints(symbols, sessions), "instrument_no": records["instrument_id"].astype(np.int64),
        "session": sessions, "span_s": span_s.astype(np.int64),
        "bar_start": pa.array(starts, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        **{name: prices / 1e9 for name, prices in zip(_PRICES, four, strict=True)},
        "volume": np.minimum(volume, np.uint64(2**62)).astype(np.int64),
    }), places, stream.misfits(list(_SPANS), layout))  # fmt: skip


