"""How a generation comes to be: skipped when nothing changed, the same after a kill, refused when a test fails."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.home import Home
from pipelines.lake import dbt_project, marts
from tests.test_pipelines.random_market import random_market
from tests.test_pipelines.small_lake import RECEIVED, SmallLake, day

ROOT = Path(__file__).resolve().parents[2]
_BUILD = (
    "import datetime as dt, sys; from pathlib import Path; from pipelines.home import Home; "
    "from pipelines.lake import marts; marts.build(Home(Path(sys.argv[1])), now=dt.datetime(2025, 7, 1, tzinfo=dt.UTC))"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return random_market(11, sessions=12)[0].write(tmp_path_factory.mktemp("it's [mine]"))


def test_unchanged_facts_build_nothing_and_tell_the_same(home: Home) -> None:
    first = marts.build(home, now=RECEIVED)
    again = marts.build(home, now=RECEIVED)
    assert not first.unchanged and again.unchanged
    assert (again.generation, again.digests, again.rows) == (first.generation, first.digests, first.rows)
    assert again.tests == first.tests and len(first.tests) > 30
    assert marts.current(home) == first.path
    assert marts.mart_digests(first.path) == first.digests


def test_two_builds_of_the_same_facts_are_the_same_bytes(home: Home, tmp_path: Path) -> None:
    first = marts.build(home, now=RECEIVED)
    second = marts.build(home, out=tmp_path, now=RECEIVED)
    assert second.path != first.path and second.generation == first.generation
    for mart in marts.GRAINS:
        assert (second.path / f"{mart}.parquet").read_bytes() == (first.path / f"{mart}.parquet").read_bytes(), mart


def test_a_part_of_the_marts_says_what_the_whole_says_of_it(home: Home, tmp_path: Path) -> None:
    wanted, cut = ("daily_bars", "session_tape"), RECEIVED - dt.timedelta(days=2)
    whole = marts.build(home, out=tmp_path / "whole", truncate_at=cut, now=RECEIVED)
    part = marts.build(home, out=tmp_path / "part", truncate_at=cut, only=wanted, now=RECEIVED)
    assert {path.stem for path in part.path.glob("*.parquet")} == set(wanted) == set(part.rows)
    for mart in wanted:
        assert (part.path / f"{mart}.parquet").read_bytes() == (whole.path / f"{mart}.parquet").read_bytes(), mart
    with marts.connect(home, marts_dir=part.path) as connection:
        assert connection.sql("select count(*) from daily_bars_versions").fetchall() == [(part.rows["daily_bars"],)]
    with pytest.raises(ValueError, match="never published"):
        marts.build(home, only=wanted, now=RECEIVED)


@pytest.mark.parametrize("failpoint", [
    "marts.renamed",  # whole, but nobody points to it yet
    "marts.staged", "marts_pointer.staged"])
def test_killed_at_a_publication_the_rerun_says_the_same(home: Home, failpoint: str, tmp_path: Path) -> None:
    wanted = marts.build(home, now=RECEIVED)
    desk = random_market(11, sessions=12)[0].write(tmp_path / "desk")
    killed = subprocess.run(
        [sys.executable, "-c", _BUILD, str(desk.root)], cwd=ROOT, env={**os.environ, "NIGHTDESK_FAILPOINT": failpoint},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with pytest.raises(FileNotFoundError, match="no marts yet"):
        marts.current(desk)
    rerun = marts.build(desk, now=RECEIVED)
    assert (rerun.generation, rerun.digests) == (wanted.generation, wanted.digests)
    assert marts.current(desk) == rerun.path
    assert [p.name for p in desk.marts.iterdir() if p.is_dir()] == [rerun.generation]


def test_a_generation_that_lost_a_part_is_built_again(home: Home) -> None:
    whole = marts.build(home, now=RECEIVED)
    damaged = whole.path / "daily_bars.parquet"
    wanted = damaged.read_bytes()
    damaged.write_bytes(wanted[:300])
    again = marts.build(home, now=RECEIVED)
    assert (again.unchanged, again.digests, damaged.read_bytes()) == (False, whole.digests, wanted)


def test_a_failing_test_publishes_nothing_and_says_which(tmp_path: Path) -> None:
    lake = SmallLake()
    lake.company("A", ("2020-01-02", "A"))
    lake.bar("A", day("2025-01-06"), 10.0)
    lake.rows["equity_bars"][0]["high"] = 9.0  # below its own close
    home = lake.write(tmp_path)
    with pytest.raises(dbt_project.WarehouseFailed, match="daily_bars_hold_together: fail Got 1 result") as failed:
        marts.build(home, now=RECEIVED)
    assert any(one.name == "daily_bars_hold_together" and one.failures == 1 for one in failed.value.results)
    assert not (home.marts / "current").exists()


def test_an_empty_lake_makes_empty_marts(tmp_path: Path) -> None:
    built = marts.build(SmallLake().write(tmp_path), now=RECEIVED)
    assert set(built.rows.values()) == {0}
    with marts.connect(Home(tmp_path), as_of=RECEIVED) as connection:
        assert connection.sql("select count(*) from universe").fetchall() == [(0,)]


def test_the_project_folder_stays_a_folder_and_its_marts_are_the_declared_ones(home: Home) -> None:
    assert not list(dbt_project.PROJECT.rglob("__init__.py"))  # dbt itself could not be imported from here
    manifest = json.loads(dbt_project.prepare().read_text())
    models = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert {name for name in models if not name.startswith("stg_")} == set(marts.GRAINS)
    for mart in marts.GRAINS:
        columns = pq.read_schema(marts.build(home, now=RECEIVED).path / f"{mart}.parquet").names
        assert {"event_time", "available_at", "ingested_at", *marts.GRAINS[mart]} <= set(columns)
