"""Where a session's volume traded: the price of most volume and the value area grown from it, tick by tick."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.market.replay import replay

VALUE_AREA_PERCENT = 70
FEED_DELAY = dt.timedelta(minutes=15)
# Index futures; a root that is not named here trades in the smallest step seen between its prices.
TICK_SIZES = {"ES": 0.25, "NQ": 0.25, "MES": 0.25, "MNQ": 0.25, "RTY": 0.1, "YM": 1.0}
_CHICAGO = ZoneInfo("America/Chicago")
_INSTANT = pa.timestamp("us", tz="UTC")

SCHEMA = pa.schema([
    ("instrument_id", pa.string()), ("symbol", pa.string()), ("root", pa.string()), ("session", pa.date32()),
    ("poc", pa.float64()), ("vah", pa.float64()), ("val", pa.float64()),
    ("ppoc", pa.float64()), ("pvah", pa.float64()), ("pval", pa.float64()), ("total_volume", pa.int64()),
    ("event_time", _INSTANT), ("ingested_at", _INSTANT), ("ready_at", _INSTANT),
])  # fmt: skip


def session_end(session: dt.date) -> dt.datetime:
    """When CME's trade date is over."""
    return dt.datetime.combine(session, dt.time(17), tzinfo=_CHICAGO).astimezone(dt.UTC)


def tick_size(root: str, prices: npt.NDArray[np.float64]) -> float:
    if root in TICK_SIZES:
        return TICK_SIZES[root]
    steps = np.diff(np.unique(prices))
    return float(np.round(steps.min(), 9)) if len(steps) else 1.0


def value_area(volumes: npt.NDArray[np.int64]) -> tuple[int, int, int]:
    """Positions of the most traded price and of the value area's low and high; ties go up."""
    most = len(volumes) - 1 - int(np.argmax(volumes[::-1]))
    low = high = most
    held, total = int(volumes[most]), int(volumes.sum())
    while held * 100 < total * VALUE_AREA_PERCENT:
        above = int(volumes[high + 1]) if high + 1 < len(volumes) else -1
        below = int(volumes[low - 1]) if low > 0 else -1
        if above >= below:
            high, held = high + 1, held + above
        else:
            low, held = low - 1, held + below
    return most, low, high


def volume_profile(prices: npt.NDArray[np.float64], sizes: npt.NDArray[np.int64], tick: float) -> dict[str, Any]:
    """Profile of one contract's session from its trades."""
    steps = np.rint(prices / tick).astype(np.int64)
    base = int(steps.min())
    volumes = np.bincount(steps - base, sizes).astype(np.int64)
    most, low, high = value_area(volumes)
    poc, val, vah = ((base + position) * tick for position in (most, low, high))
    return {"poc": poc, "vah": vah, "val": val, "total_volume": int(volumes.sum())}


def _profiles(trades: pa.Table) -> pa.Table:
    """Every session of every contract, beside the session before it."""
    rows: list[dict[str, Any]] = []
    keys = ["symbol", "session"]
    trades = trades.sort_by([(name, "ascending") for name in keys])
    sizes = trades.group_by(keys, use_threads=False).aggregate([("price", "count"), ("ingested_at", "max")])
    start, previous = 0, {"symbol": None}
    for one in sizes.to_pylist():
        group = trades.slice(start, one["price_count"])
        start += one["price_count"]
        prices, lots = group.column("price").to_numpy(), group.column("size").to_numpy()
        root, session = group.column("root")[0].as_py(), one["session"]
        profile = volume_profile(prices, lots, tick_size(root, prices))
        before: dict[str, Any] = previous if previous["symbol"] == one["symbol"] else {}
        row = {
            "instrument_id": group.column("instrument_id")[0].as_py(), "symbol": one["symbol"], "root": root,
            "session": session, **profile,
            "ppoc": before.get("poc"), "pvah": before.get("vah"), "pval": before.get("val"),
            "event_time": session_end(session), "ingested_at": one["ingested_at_max"],
            "ready_at": session_end(session) + FEED_DELAY,
        }  # fmt: skip
        rows.append(row)
        previous = row
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def ready_at_the_end(trades: pa.Table) -> pa.Table:
    """Trades of plain contracts, each with the moment at which its session's row could first be told."""
    plain = trades.filter(pc.invert(pc.match_substring(trades.column("symbol"), "-")))  # a spread has no level
    ready = {day: session_end(day) + FEED_DELAY for day in pc.unique(plain.column("session")).to_pylist()}
    ready_at = pa.array([ready[day] for day in plain.column("session").to_pylist()], _INSTANT)
    return plain.append_column("ready_at", ready_at)


def volume_profile_versions(trades: pa.Table) -> pa.Table:
    """Profiles as they became known: when the session was over, and again when a print arrived late."""
    return replay(
        ready_at_the_end(trades),
        key=("symbol", "ts_event", "sequence", "print_no"), unit=("symbol",), grain=("symbol", "session"),
        compute=_profiles,
    )  # fmt: skip
