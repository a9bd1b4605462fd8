"""Who pressed: buyer-aggressor minus seller-aggressor volume of each minute, and its sum since the session began."""

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.market.prints import BETRAYED, MINUTE_US, betrayed, in_order, minute_us
from models.market.replay import replay

MINUTE = dt.timedelta(minutes=1)
FEED_DELAY = dt.timedelta(minutes=15)
_INSTANT = pa.timestamp("us", tz="UTC")
_UTC_MICROSECONDS = pa.int64()


_SUMS = ("turnover", *BETRAYED)


def _minutes(trades: pa.Table) -> pa.Array:
    return pa.array(minute_us(trades)).cast(_INSTANT)


def order_flow(trades: pa.Table) -> pa.Table:
    """One row per contract and minute that traded. Prints of nobody's aggression ('N') count in volume only."""
    trades = in_order(trades)
    size = trades.column("size").to_numpy().astype(np.int64)
    side = trades.column("side").to_numpy(zero_copy_only=False)
    lean = pa.table({
        "symbol": trades.column("symbol"), "session": trades.column("session"), "bar_start": _minutes(trades),
        "instrument_id": trades.column("instrument_id"), "root": trades.column("root"),
        "buy_volume": np.where(side == "B", size, 0), "sell_volume": np.where(side == "A", size, 0), "volume": size,
        "turnover": trades.column("price").to_numpy() * size,
        **betrayed(trades),
        "ingested_at": trades.column("ingested_at"),
    })  # fmt: skip
    keys = ["symbol", "session", "bar_start"]
    bars = lean.group_by(keys, use_threads=False).aggregate([
        ("instrument_id", "last"), ("root", "last"), ("buy_volume", "sum"), ("sell_volume", "sum"), ("volume", "sum"),
        ("volume", "count"), ("ingested_at", "max"), *((name, "sum") for name in _SUMS),
    ]).sort_by([(key, "ascending") for key in keys])  # fmt: skip
    buy, sell = bars.column("buy_volume_sum").to_numpy(), bars.column("sell_volume_sum").to_numpy()
    delta = buy - sell
    ends = bars.column("bar_start").cast(_UTC_MICROSECONDS).to_numpy() + MINUTE_US
    ready = ends + int(FEED_DELAY / dt.timedelta(microseconds=1))
    return pa.table({
        "instrument_id": bars.column("instrument_id_last"), "symbol": bars.column("symbol"),
        "root": bars.column("root_last"), "session": bars.column("session"), "bar_start": bars.column("bar_start"),
        "buy_volume": buy, "sell_volume": sell, "volume": bars.column("volume_sum"),
        "trades": bars.column("volume_count"), "delta": delta, "cumulative_delta": _running(bars, delta),
        "cumulative_volume": _running(bars, bars.column("volume_sum").to_numpy()),
        "cumulative_turnover": _running(bars, bars.column("turnover_sum").to_numpy()),
        **{name: bars.column(f"{name}_sum") for name in _SUMS},
        "event_time": pa.array(ends).cast(_INSTANT), "ingested_at": bars.column("ingested_at_max"),
        "ready_at": pa.array(ready).cast(_INSTANT),
    })  # fmt: skip


def _running(bars: pa.Table, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Running sum within each contract's session, of its own minutes alone; rows come in that order."""
    if not len(values):
        return values
    session = bars.column("session").cast(pa.int32()).to_numpy()
    symbol = bars.column("symbol").combine_chunks().dictionary_encode().indices.to_numpy()
    begins = np.flatnonzero((session[1:] != session[:-1]) | (symbol[1:] != symbol[:-1])) + 1
    return np.concatenate([np.cumsum(part) for part in np.split(values, begins)])


def order_flow_versions(trades: pa.Table) -> pa.Table:
    """Order flow as it became known: a quarter of an hour after each minute, and again when a print arrived late."""
    ends = _minutes(trades).cast(_UTC_MICROSECONDS).to_numpy() + MINUTE_US
    ready = pa.array(ends + int(FEED_DELAY / dt.timedelta(microseconds=1))).cast(_INSTANT)
    return replay(
        trades.append_column("ready_at", ready),
        key=("symbol", "ts_event", "sequence", "print_no"), unit=("symbol", "session"), grain=("symbol", "bar_start"),
        compute=order_flow,
    )  # fmt: skip
