"""A digest says the same of the same rows, however they lie and however much of them is held."""

import datetime as dt
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import digest
from pipelines.lake import facts, raw
from pipelines.lake.schemas import DATASETS
from tests.test_pipelines.random_market import random_market

KEYS = ["name", "day"]
# What these rows have been called since the first home: a digest in a record must not change its meaning.
KNOWN = "b5d3920f22b912cdbbfa2f2f15bbdeb95f892ae0e093ec13eb82c02dc088bd15"


def rows() -> pa.Table:
    chance = random.Random(4)

    def some(*values: object) -> list[object]:
        return [chance.choice(values) for _ in range(30)]

    return pa.table({
        "name": pa.array([f"N{number % 7}" for number in range(30)]),
        "day": pa.array([dt.date(2025, 1, 1) + dt.timedelta(days=number // 7) for number in range(30)]),
        "word": pa.array(some(None, "", "é", "plain"), pa.string()),
        "known": pa.array(some(None, dt.datetime(2025, 1, 2, tzinfo=dt.UTC)), pa.timestamp("us", tz="UTC")),
        "price": pa.array(some(None, 1.5, -0.0, float("nan")), pa.float64()),
        "count": pa.array(some(None, 7, 8), pa.int64()),
        "fine": pa.array(some(None, True, False), pa.bool_()),
        "strikes": pa.array(some(None, [1.0, 2.5], []), pa.list_(pa.float64())),
        "ingested_at": pa.array(some(None, dt.datetime(2025, 1, 3, tzinfo=dt.UTC)), pa.timestamp("us", tz="UTC")),
    })  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 4, 1 << 17])
def test_the_same_rows_are_called_the_same_however_they_lie(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "_AT_ONCE", at_once)
    table = rows()
    ordered = table.sort_by([(key, "ascending") for key in KEYS])
    shuffled = table.take(random.Random(1).sample(range(30), 30))
    pieces = pa.concat_tables([ordered.slice(0, 11), ordered.slice(11, 0), ordered.slice(11)])
    assert {digest.table_digest(one, KEYS) for one in (table, ordered, shuffled, pieces)} == {KNOWN}


def test_one_changed_cell_is_another_digest() -> None:
    table = rows()
    for name in table.column_names:
        place = table.schema.get_field_index(name)
        values = table[name].to_pylist()
        values[3] = next(value for value in values if value != values[3])
        changed = table.set_column(place, table.schema.field(name), pa.array(values, table.schema.field(name).type))
        assert (digest.table_digest(changed, KEYS) == KNOWN) is (name == "ingested_at")


def test_facts_too_many_to_hold_are_called_as_if_they_were_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = random_market(5)[0].write(tmp_path)
    later = home.facts / "batch-000002"
    later.mkdir()
    for name, dataset in DATASETS.items():  # of a bar the lake has learned more, in a batch that lacks a column
        held = pq.read_table(raw.batches(home)[-2] / f"{name}.parquet")
        pq.write_table(held.slice(0, 3).drop_columns([dataset.schema.names[-1]]), later / f"{name}.parquet")
    at_once = facts.facts_digest(home)
    monkeypatch.setattr(facts, "_HELD_AT_ONCE", -1)
    assert facts.facts_digest(home) == at_once
    assert len(set(at_once.values())) > 5, "digests of nothing"
