"""Random histories of marts that were restated: late bars, corrected bars, late splits, gaps, deaths, new owners."""

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from pipelines import calendars

INSTANT = pa.timestamp("us", tz="UTC")
DAYS = calendars.sessions(dt.date(2024, 1, 2), dt.date(2024, 6, 28))
BARS = ("open", "high", "low", "close", "volume", "split_factor", "total_return_factor")


def _bar(rng: np.random.Generator, level: float) -> dict[str, float]:
    low, high = sorted(level * np.exp(rng.normal(0, 0.02, 2)))
    inside = rng.uniform(low, high, 2)
    return {
        "open": float(inside[0]), "high": float(high), "low": float(low), "close": float(inside[1]),
        "volume": float(rng.integers(1_000, 9_000)), "split_factor": 1.0, "total_return_factor": 1.0,
    }


def _reassigned(rng: np.random.Generator, held: dict[tuple[str, dt.date], dict[str, Any]]) -> list[dict[str, Any]]:
    """The reference arrives: one name's bars turn out to be another instrument's."""
    former = sorted({name for name, _ in held})[1]
    learned = calendars.close_at(DAYS[int(rng.integers(30, 50))]) + dt.timedelta(hours=3)
    rows = []
    for (name, _), row in held.items():
        if name == former and row["available_at"] < learned:
            moment = {"available_at": learned, "ingested_at": learned}
            rows += [{**row, **moment, "withdrawn": True}, {**row, **moment, "instrument_id": "BBG99999999X"}]
    return rows


def daily_bars(rng: np.random.Generator, *, names: int, sessions: int, restatements: int) -> pa.Table:
    """All versions of the bars of a small market."""
    days = DAYS[:sessions]
    held: dict[tuple[str, dt.date], dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    for number in range(names):
        name, level = f"BBG{number:09d}", float(rng.uniform(20, 200))
        born, dead = (int(rng.integers(0, sessions // 2)) if number % 3 == 2 else 0), sessions
        if number % 4 == 3:
            dead = int(rng.integers(sessions // 2, sessions))
        for day in days[born:dead]:
            level *= float(np.exp(rng.normal(0, 0.02)))
            if rng.random() < 0.03:
                continue  # a gap in the data
            at = calendars.close_at(day)
            known = at + dt.timedelta(minutes=15)
            if rng.random() < 0.02:
                known += dt.timedelta(days=float(rng.integers(1, 9)))  # a bar that an earlier pull should have held
            held[name, day] = row = {
                "instrument_id": name, "session": day, "symbol": name[-3:], "withdrawn": False,
                "event_time": at, "available_at": known, "ingested_at": known, **_bar(rng, level),
            }
            rows.append(row)
    for _ in range(restatements):
        keys = sorted(held)
        name, day = keys[int(rng.integers(len(keys)))]
        learned = calendars.close_at(day) + dt.timedelta(days=float(rng.integers(1, 30)), minutes=17)
        if rng.random() < 0.5:  # a corrected bar
            touched = {(name, day): _bar(rng, held[name, day]["close"])}
        else:  # a late split: every later bar that is known by then
            ratio = float(rng.choice([2.0, 3.0, 0.5]))
            touched = {
                key: {k: row[k] * (ratio if "factor" in k else 1.0) for k in BARS}
                for key, row in held.items() if key[0] == name and key[1] >= day
            }
        for key, values in touched.items():
            known = max(learned, held[key]["available_at"] + dt.timedelta(minutes=1))
            held[key] = {**held[key], **values, "available_at": known, "ingested_at": known}
            rows.append(held[key])
    if restatements:
        rows += _reassigned(rng, held)
    schema = pa.schema([
        ("instrument_id", pa.string()), ("session", pa.date32()), ("symbol", pa.string()), ("withdrawn", pa.bool_()),
        ("event_time", INSTANT), ("available_at", INSTANT), ("ingested_at", INSTANT),
        *((name, pa.float64()) for name in BARS),
    ])  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def known_by(table: pa.Table, moment: dt.datetime) -> pa.Table:
    """The rows that the lake would hold, had it stopped at that moment."""
    import pyarrow.compute as pc

    return table.filter(pc.less_equal(table["available_at"], pa.scalar(moment, INSTANT)))


def connection(bars: pa.Table) -> Any:
    """A connection with the views that the store reads."""
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'UTC'")
    con.register("daily_bars_versions", bars)
    return con
