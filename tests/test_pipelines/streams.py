"""Databento streams of any kinds of records, laid out as the vendor's library lays them out."""

import datetime as dt
from typing import Any

import numpy as np

from pipelines.vendors import dbn

RTYPES = {"MBP1Msg": 1, "MBP10Msg": 10, "MBOMsg": 160, "TradeMsg": 0, "OHLCVMsg": 33, "InstrumentDefMsg": 19,
          "InstrumentDefMsgV1": 19, "InstrumentDefMsgV2": 19, "StatMsg": 24, "StatMsgV1": 24, "SymbolMappingMsg": 22,
          "SymbolMappingMsgV1": 22}  # fmt: skip


def record(name: str, instrument: int = 1, sent_ns: int | None = None, **fields: Any) -> bytes:
    """One record; `sent_ns` is what a live client may add behind it. Bytes are letters, prices plain numbers."""
    made = np.zeros(1, dtype=dbn.layout(name))
    made["length"], made["rtype"] = (made.itemsize + (0 if sent_ns is None else 8)) // 4, RTYPES[name]
    made["instrument_id"] = instrument
    for field, value in fields.items():
        is_price = field in ("price", "open", "high", "low", "close", "min_price_increment", "unit_of_measure_qty")
        made[field] = round(value * 1e9) if is_price and isinstance(value, float) else value
    return made.tobytes() + (b"" if sent_ns is None else np.uint64(sent_ns).tobytes())


def trade(name: str, at_ns: int, price: float, size: int, sequence: int, side: bytes = b"B", **more: Any) -> bytes:
    """A print in this kind of record."""
    return record(name, **{"ts_event": at_ns, "ts_recv": at_ns, "price": price, "size": size, "side": side,
                           "sequence": sequence, "action": b"T", **more})  # fmt: skip


def mixture(at_ns: int) -> bytes:
    """A body with a record of every kind that is read."""
    told = {"ts_event": at_ns, "ts_recv": at_ns}
    return stream(
        record("SymbolMappingMsg", stype_in_symbol=b"ES.FUT", stype_out_symbol=b"ESU5"),
        *(trade(kind, at_ns, 6200.25, 2, 7) for kind in ("TradeMsg", "MBP1Msg", "MBP10Msg", "MBOMsg")),
        record("OHLCVMsg", ts_event=at_ns - at_ns % 60_000_000_000, open=1.0, high=2.0, low=1.0, close=2.0, volume=3),
        record("InstrumentDefMsg", **told, raw_symbol=b"ESU5", instrument_class=b"F", expiration=2**64 - 1),
        record("InstrumentDefMsgV1", 2, **told, raw_symbol=b"ESU5", instrument_class=b"F", expiration=at_ns),
        record("StatMsg", **told, ts_ref=at_ns, stat_type=9, quantity=5, update_action=1),
        record("StatMsgV1", **told, ts_ref=at_ns, stat_type=6, quantity=5, update_action=1), symbols={},
    )  # fmt: skip


def stream(
    *records: bytes, symbols: dict[str, int | str] | None = None, dataset: str = "GLBX.MDP3", version: int = 3
) -> bytes:
    """A body; without names its own records name its instruments."""
    import databento_dbn as databento
    import zstandard

    from pipelines.sandbox.databento_wire import _Interval, _Mapping

    named: dict[str, int | str] = {"ESU5": 1} if symbols is None else symbols
    spans = {symbol: _Interval(dt.date(2010, 1, 1), dt.date(2040, 1, 1), str(one)) for symbol, one in named.items()}
    mappings: Any = [_Mapping(symbol, [span]) for symbol, span in spans.items()]
    metadata = databento.Metadata(
        dataset=dataset, start=0, end=None, stype_in=databento.SType.PARENT, stype_out=databento.SType.INSTRUMENT_ID,
        schema=None, symbols=["ES.FUT"], partial=[], not_found=[], mappings=mappings, version=version,
    )  # fmt: skip
    return zstandard.ZstdCompressor().compress(metadata.encode() + b"".join(records))
