"""An answer of the marts in each form: on the screen, and as a file that other programs read back equal."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.lake import sql

ANSWER = pa.table({
    "session": pa.array([dt.date(2025, 6, 30), dt.date(2025, 7, 1)]),
    "known": pa.array([dt.datetime(2025, 6, 30, 20, 15, tzinfo=dt.UTC), None], pa.timestamp("us", tz="UTC")),
    "name": ["A, with \"marks\"", None],
    "strikes": pa.array([[5500.0, 5600.0], []]),
    "volume": [1.5, float("1e16")],
})  # fmt: skip


def test_csv_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    sql.put(ANSWER, "csv", None)
    told = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert told[0] == {"session": "2025-06-30", "known": "2025-06-30T20:15:00+00:00", "name": "A, with \"marks\"",
                       "strikes": "[5500.0, 5600.0]", "volume": "1.5"}  # fmt: skip
    assert told[1]["known"] == told[1]["name"] == "" and float(told[1]["volume"]) == 1e16


def test_json_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    sql.put(ANSWER, "json", None)
    told = json.loads(capsys.readouterr().out)
    assert told[0]["strikes"] == [5500.0, 5600.0] and told[1]["name"] is None


def test_parquet_holds_the_types(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql.put(ANSWER, "parquet", tmp_path / "deep" / "answer.parquet")
    assert pq.read_table(tmp_path / "deep" / "answer.parquet").equals(ANSWER)
    said = capsys.readouterr()
    assert said.out == "" and "2 rows" in said.err


def test_a_table_in_a_file_is_not_cut(tmp_path: Path) -> None:
    wide = pa.table({f"column_{number}": ["x" * 40] for number in range(6)})
    sql.put(wide, "table", tmp_path / "answer.txt")
    assert (tmp_path / "answer.txt").read_text().count("x" * 40) == 6


@pytest.mark.parametrize(("form", "words"), [("xml", "table, csv, json, parquet"), ("parquet", "--out FILE")])
def test_what_cannot_be_put_anywhere_is_refused_first(form: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sql.check(form, None)
