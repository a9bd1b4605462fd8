"""A home from before a dataset gained a column is read and added to as any other."""

from pathlib import Path

import pyarrow.parquet as pq

from pipelines.home import Home
from pipelines.lake import facts_view
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at, land, versions


def test_a_column_that_came_later_is_null_in_older_batches(tmp_path: Path) -> None:
    split = {"id": "E1", "ticker": "AAA", "execution_date": "2025-07-10", "split_from": 1, "split_to": 2}
    land(tmp_path, (bodies.SPLITS_PATH, at(1), bodies.envelope([split])), now=at(1))
    home = Home(tmp_path)
    for file in home.facts.glob("batch-*/splits.parquet"):
        pq.write_table(pq.read_table(file).drop_columns(["withdrawn"]), file)
    other = {**split, "id": "E2", "ticker": "BBB"}
    land(tmp_path, (bodies.SPLITS_PATH, at(2), bodies.envelope([split, other])), now=at(2))
    assert {row[0] for row in versions(tmp_path, "splits", "ticker", "withdrawn")} == {"AAA", "BBB"}
    facts_view.create(tmp_path / "view.duckdb", home.facts, home.quarantine, None)
    import duckdb

    with duckdb.connect(str(tmp_path / "view.duckdb")) as connection:
        assert connection.execute("select count(*) from facts.splits where withdrawn is null").fetchall() == [(1,)]
