"""The table of versions says, for every moment, what a recomputation from what was known then would say."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from models.features.registry import families
from pipelines.store import build
from tests.test_pipelines.store_histories import INSTANT, connection, daily_bars, known_by

EQUITY = families()["equity_v1"]
Row = tuple[str, dt.date]


def newest(table: pa.Table, moment: dt.datetime) -> dict[Row, tuple[object, ...]]:
    """The row of every entity and session as of a moment; a row of nulls says as much as none."""
    rows: dict[Row, tuple[object, ...]] = {}
    known = known_by(table, moment).sort_by("available_at").to_pylist()
    for row in known:
        rows[row["instrument_id"], row["session"]] = (row["event_time"], *(row[item.name] for item in EQUITY))
    return {key: row for key, row in rows.items() if any(value is not None for value in row[1:])}


@pytest.mark.parametrize("seed", range(6))
def test_every_moment_reads_as_a_recomputation_from_what_was_known(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bars = daily_bars(rng, names=7, sessions=60, restatements=8)
    table = build.rows_of(connection(bars), EQUITY)
    moments = sorted(set(bars["available_at"].to_pylist()))
    for moment in rng.choice(np.array(moments, dtype=object), 6, replace=False):
        # What was known then, each cell's newest version only: no history of its own left.
        latest = {(row["instrument_id"], row["session"]): row
                  for row in known_by(bars, moment).sort_by("available_at").to_pylist()}
        flat = pa.Table.from_pylist(list(latest.values()), schema=bars.schema)
        assert newest(table, moment) == newest(build.rows_of(connection(flat), EQUITY), moment)


def test_a_row_is_restated_only_where_its_value_changed() -> None:
    rng = np.random.default_rng(11)
    bars = daily_bars(rng, names=5, sessions=60, restatements=0)
    first = bars.filter(bars["instrument_id"].to_numpy(zero_copy_only=False) == "BBG000000000")
    row = first.slice(30, 1).to_pylist()[0]
    later = row["available_at"] + dt.timedelta(days=3)
    again = {**row, "volume": row["volume"] * 2, "available_at": later, "ingested_at": later}
    table = build.rows_of(connection(pa.concat_tables([bars, pa.Table.from_pylist([again], bars.schema)])), EQUITY)
    second = [item for item in table.to_pylist() if item["available_at"] == later]
    own = [item["session"] for item in second if item["instrument_id"] == row["instrument_id"]]
    assert own[0] == row["session"]
    # Twenty sessions look back on that volume; of them, only the ones whose day had come.
    assert all(row["session"] <= item["session"] <= later.date() for item in second)
    # The other names moved too, through the market's dollar volume, and nothing else of them did.
    before = {(item["instrument_id"], item["session"]): item for item in table.to_pylist()
              if item["available_at"] < later}
    for item in second:
        old = before[item["instrument_id"], item["session"]]
        moved = {feature.name for feature in EQUITY if old[feature.name] != item[feature.name]}
        allowed = {"mkt_volume_z"} | ({"volume_z_20"} if item["instrument_id"] == row["instrument_id"] else set())
        assert moved and moved <= allowed


def test_a_missing_bar_is_null_in_every_feature_and_never_yesterday() -> None:
    rng = np.random.default_rng(5)
    bars = daily_bars(rng, names=4, sessions=50, restatements=0)
    dead = "BBG000000003"
    days = sorted({row["session"] for row in bars.to_pylist()})
    last = max(row["session"] for row in bars.to_pylist() if row["instrument_id"] == dead)
    table = build.rows_of(connection(bars), EQUITY).to_pylist()
    after = [row for row in table if row["instrument_id"] == dead and row["session"] > last]
    assert [row["session"] for row in after] == days[days.index(last) + 1 : days.index(last) + 6]
    assert all(row[feature.name] is None for row in after for feature in EQUITY)


def test_rows_are_known_when_their_last_input_is() -> None:
    bars = daily_bars(np.random.default_rng(2), names=5, sessions=40, restatements=0)
    own = {(row["instrument_id"], row["session"]): row["available_at"] for row in bars.to_pylist()}
    table = build.rows_of(connection(bars), EQUITY)
    assert table.schema.field("available_at").type == INSTANT
    for row in table.to_pylist():
        key = (row["instrument_id"], row["session"])
        if row["ret_1"] is not None:
            assert row["available_at"] >= own[key]
