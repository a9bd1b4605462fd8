"""What the prints of a contract's session say as a whole: where volume stood against price, who pressed, and when."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.market.prints import BETRAYED, BLOCK_LOTS, LARGE_LOTS, betrayed
from models.market.replay import replay
from models.market.volume_profile import FEED_DELAY, ready_at_the_end, session_end, tick_size

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Where the day's business is done, by the clocks of those who do it; London's ends where New York's begins, and what
# they share is a part of its own.
PARTS = ("asia", "london", "newyork", "overlap")
_TOKYO, _LONDON, _NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
_INSTANT = pa.timestamp("us", tz="UTC")

_MEASURED = (
    "open", "high", "low", "close", "vwap", "vwap_deviation", "trades", "delta", "delta_high", "delta_low", *BETRAYED,
    "block_volume", "gap_share",
    "accumulation_volume", "distribution_volume", "institutional_price", "institutional_volume",
    *(f"{part}_{name}" for part in PARTS for name in ("volume", "range", "move")),
)  # fmt: skip
SCHEMA = pa.schema([
    ("instrument_id", pa.string()), ("symbol", pa.string()), ("root", pa.string()), ("session", pa.date32()),
    *((name, pa.float64()) for name in _MEASURED),
    ("event_time", _INSTANT), ("ingested_at", _INSTANT), ("ready_at", _INSTANT),
])  # fmt: skip


def parts(session: dt.date) -> dict[str, tuple[int, int]]:
    """Beginning and end of each part, microseconds since 1970."""

    def at(zone: ZoneInfo, hour: int, minute: int = 0) -> int:
        moment = dt.datetime.combine(session, dt.time(hour, minute), tzinfo=zone)
        return int(moment.timestamp()) * 1_000_000

    opened, closed = at(_NEW_YORK, 9, 30), at(_NEW_YORK, 16)
    return {
        "asia": (at(_TOKYO, 9), at(_TOKYO, 15)), "london": (at(_LONDON, 8), opened),
        "newyork": (opened, closed), "overlap": (opened, at(_LONDON, 16, 30)),
    }


def _weighted(price: Floats, size: Ints) -> tuple[float, float]:
    """Volume-weighted mean and deviation of the prices."""
    whole = float(size.sum())
    # A sum of floats may round beyond the only price there was.
    mean = float(np.clip(float((price * size).sum()) / whole, price.min(), price.max()))
    return mean, float(np.sqrt(float((size * (price - mean) ** 2).sum()) / whole))


def zones(
    level: npt.NDArray[Any], net: npt.NDArray[Any], vwap: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Prices of accumulation, where buyers pressed below the mean price, and of distribution, sellers above it."""
    return (level < vwap) & (net > 0), (level > vwap) & (net < 0)


def _levels(price: Floats, size: Ints, pressed: Ints, vwap: float, tick: float) -> dict[str, Any]:
    """Zones: what buyers took in below the mean price, what sellers gave out above it, and the empty prices between."""
    step = np.rint(price / tick).astype(np.int64)
    base = int(step.min())
    volume = np.bincount(step - base, size)
    net = np.bincount(step - base, pressed)
    large = np.bincount(step - base, np.where(size > LARGE_LOTS, size, 0))
    level = (base + np.arange(len(volume))) * tick
    most = len(large) - 1 - int(np.argmax(large[::-1]))  # ties go up, as in the profile
    taken, given = zones(level, net, vwap)
    return {
        "gap_share": float((volume == 0).sum()) / len(volume),
        "accumulation_volume": float(volume[taken].sum()), "distribution_volume": float(volume[given].sum()),
        "institutional_price": float(level[most]) if large[most] > 0 else None,
        "institutional_volume": float(large.sum()),
    }


def _part(price: Floats, size: Ints) -> dict[str, float | None]:
    if not len(price):
        return {"volume": 0.0, "range": None, "move": None}
    above_nothing = bool(price.min() > 0)  # a future may trade below, where a ratio says nothing
    return {
        "volume": float(size.sum()),
        "range": float(price.max() / price.min() - 1.0) if above_nothing else None,
        "move": float(price[-1] / price[0] - 1.0) if above_nothing else None,
    }


def session_row(trades: pa.Table, session: dt.date, tick: float) -> dict[str, Any]:
    """What one contract's session comes to; prints in order."""
    price, size = trades.column("price").to_numpy(), trades.column("size").to_numpy().astype(np.int64)
    side = trades.column("side").to_numpy(zero_copy_only=False)
    at: Ints = trades.column("ts_event").cast(pa.int64()).to_numpy()
    pressed = np.where(side == "B", size, np.where(side == "A", -size, 0))
    running = np.cumsum(pressed)
    vwap, deviation = _weighted(price, size)
    row: dict[str, Any] = {
        "open": float(price[0]), "high": float(price.max()), "low": float(price.min()), "close": float(price[-1]),
        "vwap": vwap, "vwap_deviation": deviation,
        "trades": float(len(price)), "delta": float(running[-1]),
        "delta_high": float(running.max()), "delta_low": float(running.min()),
        "block_volume": float(size[size >= BLOCK_LOTS].sum()),
        **{name: float(values.sum()) for name, values in betrayed(trades).items()},
        **_levels(price, size, pressed, vwap, tick),
    }
    for part, (begins, ends) in parts(session).items():
        inside = (at >= begins) & (at < ends)
        row |= {f"{part}_{name}": value for name, value in _part(price[inside], size[inside]).items()}
    return row


def _sessions(trades: pa.Table) -> pa.Table:
    rows: list[dict[str, Any]] = []
    keys = ["symbol", "session"]
    trades = trades.sort_by([(name, "ascending") for name in (*keys, "ts_event", "sequence", "print_no")])
    counts = trades.group_by(keys, use_threads=False).aggregate([("price", "count"), ("ingested_at", "max")])
    start = 0
    for one in counts.to_pylist():
        group = trades.slice(start, one["price_count"])
        start += one["price_count"]
        root, session = group.column("root")[0].as_py(), one["session"]
        tick = tick_size(root, group.column("price").to_numpy())
        rows.append({
            "instrument_id": group.column("instrument_id")[0].as_py(), "symbol": one["symbol"], "root": root,
            "session": session, **session_row(group, session, tick), "event_time": session_end(session),
            "ingested_at": one["ingested_at_max"], "ready_at": session_end(session) + FEED_DELAY,
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def session_tape_versions(trades: pa.Table) -> pa.Table:
    """Sessions as they became known: when they were over, and again when a print arrived late."""
    return replay(
        ready_at_the_end(trades),
        key=("symbol", "ts_event", "sequence", "print_no"), unit=("symbol", "session"), grain=("symbol", "session"),
        compute=_sessions,
    )  # fmt: skip
