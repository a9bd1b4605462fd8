"""A home, a name or a file may be called anything: what DuckDB and SQLite are told means that and nothing else."""

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import doctor, sqlite
from pipelines.home import Home, HomeLayout
from pipelines.literals import every_batch, instant, one_file, text

STRANGE = ["it's", "[mine]", "st*r", "50%20", "a #1", "q?", 'a "b"', "Ünïcode"]


def _ask(query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(config={"threads": 1}) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("name", STRANGE)
def test_a_folder_may_be_called_anything(name: str, tmp_path: Path) -> None:
    facts = tmp_path / name
    for batch, number in (("batch-1", 1), ("batch-2", 2)):
        (facts / batch).mkdir(parents=True)
        pq.write_table(pa.table({"x": [number]}), facts / batch / "bars.parquet")
    file = text(one_file(facts / "batch-2" / "bars.parquet"))
    assert _ask(f"select x from read_parquet({file})") == [(2,)]
    assert _ask(f"select sum(x) from read_parquet({text(every_batch(facts, 'bars'))})") == [(3,)]
    copy = facts / "copy.parquet"
    _ask(f"copy (select 5 as x) to {text(copy)} (format parquet)")
    assert pq.read_table(copy).to_pydict() == {"x": [5]}


def test_a_value_ends_no_statement() -> None:
    hostile = "O'B'; select 'x"
    assert _ask(f"select {text(hostile)}") == [(hostile,)]


def test_an_instant_is_the_same_in_any_zone() -> None:
    tokyo = dt.datetime(2025, 6, 2, 9, 0, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    assert _ask(f"select epoch_us({instant(tokyo)})") == [(int(tokyo.timestamp()) * 1_000_000 + 1,)]


@pytest.mark.parametrize("name", STRANGE)
def test_a_journal_is_read_wherever_it_lies_and_never_made(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with closing(sqlite3.connect(path)) as book, book:
        book.execute("create table entries as select 7 as n")
    with sqlite.reading(path) as book:
        assert book.execute("select n from entries").fetchall() == [(7,)]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            book.execute("delete from entries")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        book.execute("select 1")
    with pytest.raises(sqlite3.OperationalError), sqlite.reading(path.with_name("absent")):
        pass
    assert not path.with_name("absent").exists()


@pytest.mark.parametrize("name", ["desk?", "#1", "a\\desk"])
def test_a_home_that_libraries_could_not_address_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(HomeLayout, match="use another --home"):
        Home(tmp_path / name).prepare()
    looked = doctor.examine({"home": tmp_path / name}, {})
    assert [one["state"] for one in looked["findings"] if one["name"] == "home"] == ["problem"]
    assert list(tmp_path.iterdir()) == []
