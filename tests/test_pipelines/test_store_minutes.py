"""Minutes in the store: an axis laid by the calendar, and a tape whose late prints make versions, night by night."""

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.features.registry import families
from models.market.order_flow import order_flow_versions
from models.market.replay import replay
from models.market.tape import session_tape_versions
from models.market.volume_profile import volume_profile_versions
from pipelines.home import Home
from pipelines.store import build, minutes, read

INSTANT = pa.timestamp("us", tz="UTC")
SESSIONS = (dt.date(2025, 6, 20), dt.date(2025, 6, 23))  # a Friday and the Monday after
OPENED = dict(zip(SESSIONS, (dt.datetime(2025, 6, day, 22, tzinfo=dt.UTC) for day in (19, 22)), strict=True))
SCHEMA = pa.schema([
    ("instrument_id", pa.string()), ("symbol", pa.string()), ("root", pa.string()), ("session", pa.date32()),
    ("ts_event", INSTANT), ("sequence", pa.int64()), ("print_no", pa.int64()), ("price", pa.float64()),
    ("size", pa.int64()), ("side", pa.string()), ("available_at", INSTANT), ("ingested_at", INSTANT),
])  # fmt: skip
MINUTE, QUARTER = dt.timedelta(minutes=1), dt.timedelta(minutes=15)


def tape(seed: int, late: int) -> pa.Table:
    """Two sessions of two contracts, an hour and a half each; a few prints come hours late."""
    rng = np.random.default_rng(seed)
    rows = []
    for session in SESSIONS:
        for symbol, count in (("ESU5", 240), ("ESZ5", 40)):
            price = 6000.0
            for number, second in enumerate(np.sort(rng.integers(0, 5_400, count)).tolist()):
                price += 0.25 * int(rng.integers(-2, 3))
                at = OPENED[session] + dt.timedelta(seconds=second)
                rows.append({
                    "instrument_id": f"CME:{symbol}:2025", "symbol": symbol, "root": "ES", "session": session,
                    "ts_event": at, "sequence": number, "print_no": 0, "price": price,
                    "size": int(rng.integers(1, 160)), "side": str(rng.choice(["A", "B", "N"])),
                    "available_at": at + QUARTER, "ingested_at": at + QUARTER,
                })  # fmt: skip
    for place in rng.choice(len(rows), late, replace=False):
        rows[place]["available_at"] += dt.timedelta(hours=int(rng.integers(1, 40)))
        rows[place]["ingested_at"] = rows[place]["available_at"]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _bars(trades: pa.Table) -> pa.Table:
    trades = trades.sort_by([(name, "ascending") for name in ("symbol", "ts_event", "sequence")])
    told = trades.group_by(["symbol", "bar_start"], use_threads=False).aggregate(
        [("price", "max"), ("price", "min"), ("price", "last"), ("ingested_at", "max")])
    return pa.table({
        "symbol": told["symbol"], "bar_start": told["bar_start"], "high": told["price_max"], "low": told["price_min"],
        "close": told["price_last"], "ingested_at": told["ingested_at_max"],
        "ready_at": pc.add(told["bar_start"], pa.scalar(MINUTE + QUARTER)),
    })  # fmt: skip


def connection(trades: pa.Table) -> Any:
    """The marts' versions as dbt would make them of these prints."""
    ready = pc.add(pc.floor_temporal(trades["ts_event"], unit="minute"), pa.scalar(MINUTE + QUARTER))
    dated = trades.append_column("ready_at", ready).append_column(
        "bar_start", pc.floor_temporal(trades["ts_event"], unit="minute"))
    bars = replay(dated, key=("symbol", "ts_event", "sequence", "print_no"), unit=("symbol", "bar_start"),
                  grain=("symbol", "bar_start"), compute=_bars)  # fmt: skip
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'UTC'")
    for name, table in {
        "order_flow": order_flow_versions(trades), "futures_bars": bars, "session_tape": session_tape_versions(trades),
        "volume_profile": volume_profile_versions(trades),
    }.items():
        con.register(f"{name}_versions", table)
    return con


def known_by(trades: pa.Table, at: dt.datetime) -> pa.Table:
    return trades.filter(pc.less_equal(trades["available_at"], pa.scalar(at, INSTANT)))


@pytest.mark.parametrize("view", ["tape_v1", "auction_v1"])
@pytest.mark.parametrize("seed", range(2))
def test_night_by_night_equals_from_nothing(view: str, seed: int, tmp_path: Path) -> None:
    trades, declared = tape(seed, late=4), families()[view]
    moments = [OPENED[SESSIONS[1]] - dt.timedelta(hours=1), OPENED[SESSIONS[1]] + dt.timedelta(hours=30),
               dt.datetime(2025, 7, 1, tzinfo=dt.UTC)]  # fmt: skip
    grown, fresh = Home(tmp_path / "grown"), Home(tmp_path / "fresh")
    for at in moments:
        night = build.build_family(grown, view, declared, connection(known_by(trades, at)))
    whole = build.build_family(fresh, view, declared, connection(trades))
    assert night.digest == whole.digest and whole.rows > 0
    assert night.path.read_bytes() == whole.path.read_bytes()
    again = build.build_family(grown, view, declared, connection(trades))
    assert again.unchanged and again.digest == whole.digest


@pytest.mark.parametrize("view", ["tape_v1", "auction_v1"])
def test_what_a_moment_knew_is_what_the_whole_says_of_it(view: str) -> None:
    trades, declared = tape(7, late=6), families()[view]
    whole = build.rows_of(connection(trades), declared)
    late = sorted(trades["available_at"].to_pylist())[-6:]
    for at in (late[0] - MINUTE, late[2], late[4] - MINUTE, OPENED[SESSIONS[0]] + dt.timedelta(minutes=70)):
        then = read.newest(build.rows_of(connection(known_by(trades, at)), declared), at)
        assert then.equals(read.newest(whole, at)), at


def test_a_late_print_is_seen_from_its_minute_on_and_never_before() -> None:
    trades = tape(9, late=0)
    minute = OPENED[SESSIONS[1]] + dt.timedelta(minutes=20)
    learned = dt.datetime(2025, 6, 25, tzinfo=dt.UTC)
    one = {**trades.slice(0, 1).to_pylist()[0], "session": SESSIONS[1], "ts_event": minute + MINUTE / 2,
           "price": 6010.0, "sequence": 9_999, "size": 500, "available_at": learned, "ingested_at": learned}
    both = pa.concat_tables([trades, pa.Table.from_pylist([one], schema=SCHEMA)])
    rows = build.rows_of(connection(both), families()["tape_v1"]).to_pylist()
    moved = {row["session"] for row in rows if row["available_at"] == learned
             and row["instrument_id"] == "CME:ESU5:2025"}
    told = {row["session"] for row in rows if row["instrument_id"] == "CME:ESU5:2025"}
    # Every later minute of its session that has a bar counts it, in the delta since the session began if nowhere else.
    barred = {at.as_py() for at in pc.unique(pc.floor_temporal(both.filter(
        pc.equal(both["symbol"], "ESU5"))["ts_event"], unit="minute"))}  # fmt: skip
    assert min(moved) == minute and {at for at in told & barred if at >= minute} <= moved


def test_the_axis_has_every_minute_of_a_session_and_no_other() -> None:
    told = np.array(["2025-06-19T22:05", "2025-06-23T14:00"], "datetime64[m]")
    axis = minutes.axis(told)
    assert len(axis) == 2 * 1380 and (np.diff(axis) > np.timedelta64(0, "m")).all()
    breaks = axis[1:][np.diff(axis) > np.timedelta64(1, "m")]
    assert [str(one) for one in breaks] == ["2025-06-22T22:00"]  # Friday's end to Sunday evening
    assert str(axis[0]) == "2025-06-19T22:00" and str(axis[-1]) == "2025-06-23T20:59"


def test_a_minute_outside_every_session_stays_on_the_axis_and_clocks_may_change() -> None:
    odd = np.array(["2025-03-07T15:00", "2025-03-08T12:00", "2025-03-10T15:00"], "datetime64[m]")  # a Saturday
    axis = minutes.axis(odd)
    assert odd[1] in axis and len(axis) == 2 * 1380 + 1
    assert str(axis[-1]) == "2025-03-10T20:59"  # Chicago is an hour nearer from the ninth on
