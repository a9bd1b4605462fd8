"""Databento's time series answer: a DBN stream of trades with the symbols of its instruments, compressed."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.sandbox.futures import RECORD, Contract, bounds, contracts_on, make_trades, nanoseconds, tick_sessions
from pipelines.sandbox.market import Market

DATASET = "GLBX.MDP3"


@dataclass(frozen=True)
class _Interval:
    """In the shape that the encoder reads: from `start_date`, before `end_date`, the instrument is number `symbol`."""

    start_date: dt.date
    end_date: dt.date
    symbol: str


@dataclass(frozen=True)
class _Mapping:
    raw_symbol: str
    intervals: list[_Interval]


def trades_body(market: Market, start: dt.datetime, end: dt.datetime, root: str = "ES") -> bytes:
    """Every trade received in [start, end), which may cut through trade dates."""
    key = ("trades", root, start, end)
    if key not in market.bodies:
        market.bodies[key] = _encode(market, start, end, root)
    return market.bodies[key]


def session_trades(market: Market, number: int, root: str) -> np.ndarray:
    key = ("tape", root, number)
    if key not in market.bodies:
        market.bodies[key] = make_trades(market, number, root).tobytes()
    return np.frombuffer(market.bodies[key], RECORD)


def _encode(market: Market, start: dt.datetime, end: dt.datetime, root: str) -> bytes:
    first, last = nanoseconds(start), nanoseconds(end)
    parts, instruments = [], dict[str, Contract]()
    for number in tick_sessions(market):
        begins, ends = bounds(market, number)
        if begins < end and ends + dt.timedelta(seconds=1) > start:
            trades = session_trades(market, number, root)
            parts.append(trades[(trades["ts_recv"] >= first) & (trades["ts_recv"] < last)].tobytes())
            traded = set(trades["instrument_id"].tolist())
            instruments |= {
                one.symbol: one
                for one in contracts_on(market.sessions[number], root) if one.instrument_id in traded
            }  # fmt: skip
    return packed("trades", start, end, root, instruments, b"".join(parts))


def packed(
    schema: str, start: dt.datetime, end: dt.datetime, root: str, instruments: dict[str, Contract], records: bytes
) -> bytes:
    """Records behind metadata that names their instruments."""
    import databento_dbn as dbn
    import zstandard

    until = end.date() if end.time() == dt.time() else end.date() + dt.timedelta(days=1)
    mappings = [
        _Mapping(symbol, [_Interval(start.date(), until, str(contract.instrument_id))])
        for symbol, contract in sorted(instruments.items())
    ]
    mappings_: Any = mappings  # the encoder asks for attributes, not for its own types
    metadata = dbn.Metadata(
        dataset=DATASET, start=nanoseconds(start), end=nanoseconds(end), stype_in=dbn.SType.PARENT,
        stype_out=dbn.SType.INSTRUMENT_ID, schema=dbn.Schema.from_str(schema), symbols=[f"{root}.FUT"],
        partial=[], not_found=[], mappings=mappings_,
    )  # fmt: skip
    return zstandard.ZstdCompressor(level=3).compress(metadata.encode() + records)
