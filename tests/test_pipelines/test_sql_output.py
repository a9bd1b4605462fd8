"""An answer of the marts in each form: on the screen, and as a file that other programs read back equal."""

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path

import duckdb
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


def test_json_has_no_word_that_json_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    odd = pa.table({"none": [float("nan"), float("inf")], "exact": [Decimal("1.50"), Decimal("12")]})
    sql.put(odd, "json", None)
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told == [{"none": None, "exact": 1.5}, {"none": None, "exact": 12}]


def test_a_table_shows_a_vendors_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    sql.put(pa.table({"of": ["root:x:0 [bold]y"], "line": ["a\nb\x1b[2J"]}), "table", None)
    assert capsys.readouterr().out.splitlines()[1].split("  ") == [" root:x:0 [bold]y", "a\\nb\\x1b[2J "]


READS = ("select 1 as a", "from range(3)", "with a as (select 1) select * from a", "show tables", "describe select 1",
         "summarize select 1 as a", "values (1)", "pivot (select 1 as a, 2 as b) on a using sum(b)")
WRITES = ("copy (select 1) to '{}'", "attach '{}'", "export database '{}'", "create table x as select 1",
          "drop view x", "install httpfs", "load httpfs", "set threads = 9", "explain analyze copy (select 1) to '{}'",
          "select 1; copy (select 1) to '{}'", "checkpoint", "pragma database_list", "", "-- nothing")  # fmt: skip


@pytest.mark.parametrize("query", READS)
def test_a_question_is_answered(query: str) -> None:
    with duckdb.connect() as connection:
        sql.refuse_other_than_questions(connection, query)
        assert connection.sql(query).to_arrow_table().num_columns


@pytest.mark.parametrize("query", WRITES)
def test_nothing_but_a_question_is_done(query: str, tmp_path: Path) -> None:
    with duckdb.connect() as connection, pytest.raises(ValueError, match=r"only reads|ask one question"):
        sql.refuse_other_than_questions(connection, query.format(tmp_path / "harm"))
    assert not (tmp_path / "harm").exists()


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
