"""What a generation of a mart says otherwise than the one before: exactly the rows, days and names that changed."""

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.lake.changes import NONE, Changes, between

ROWS = [{"instrument_id": name, "session": dt.date(2025, 6, day), "close": 10.0 + day, "ingested_at": 1}
        for name in ("A", "B", "C") for day in range(2, 7)]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def told(tmp_path: Path, after: list[dict[str, Any]], before: list[dict[str, Any]] = ROWS) -> Changes | None:
    with duckdb.connect(config={"threads": 1}) as connection:
        return between(written(tmp_path / "a.parquet", before), written(tmp_path / "b.parquet", after), connection)


def test_order_and_the_time_of_receipt_are_no_change(tmp_path: Path) -> None:
    assert told(tmp_path, [{**row, "ingested_at": 2} for row in ROWS[::-1]]) == NONE


@pytest.mark.parametrize(("change", "expected"), [
    # a corrected close: the old row is gone, another is there
    (lambda rows: [{**rows[7], "close": 99.0}, *rows[:7], *rows[8:]],
     Changes(2, 1, "2025-06-04", "2025-06-04", ("B",))),
    (lambda rows: rows[:-1], Changes(1, 1, "2025-06-06", "2025-06-06", ("C",))),
    (lambda rows: [*rows, rows[0]], Changes(1, 1, "2025-06-02", "2025-06-02", ("A",))),  # the same row twice
    (lambda rows: [{**row, "instrument_id": "D"} if row["instrument_id"] == "A" else row for row in rows],
     Changes(10, 5, "2025-06-02", "2025-06-06", ("A", "D"))),
])  # fmt: skip
def test_what_changed_is_named(change: Any, expected: Changes, tmp_path: Path) -> None:
    assert told(tmp_path, change(ROWS)) == expected


def test_a_table_without_days_is_compared_as_a_whole(tmp_path: Path) -> None:
    before = [{"instrument_id": name, "name": name} for name in "AB"]
    after = [before[0], {"instrument_id": "B", "name": "b"}]
    assert told(tmp_path, after, before) == Changes(2, 0, None, None, ("B",))


def test_other_columns_cannot_be_compared(tmp_path: Path) -> None:
    assert told(tmp_path, [{**row, "volume": 1.0} for row in ROWS]) is None
