"""What is stale, told by state: each result knows what it was made of, and no session is forgotten by a kill."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import lineage
from pipelines.home import Home
from pipelines.lake import batches, dbt_project, news
from pipelines.lake.schemas import DATASETS
from pipelines.lineage import INPUT, VERSION
from tests.conftest import ROOT
from tests.read_by import read_by

# asset: its version and what it was made of
NIGHT = {
    "facts/polygon": ("f1", {"vendor/polygon": "p1"}),
    "facts/cme": ("c1", {}),
    "marts/daily_bars": ("m1", {"facts/polygon": "f1"}),
    "marts/futures_bars": ("n1", {"facts/cme": "c1"}),
    "features/equity_v1": ("e1", {"marts/daily_bars": "m1"}),
    "training/panel": ("t1", {"features/equity_v1": "e1", "marts/futures_bars": "n1"}),
}


def tags(told: Mapping[str, tuple[str, Mapping[str, str]]]) -> dict[str, dict[str, str]]:
    return {asset: {VERSION: version, **{INPUT + name: value for name, value in of.items()}, "dagster/run": "x"}
            for asset, (version, of) in told.items()}


def test_before_any_night_nothing_is_known(tmp_path: Path) -> None:
    assert lineage.stale(Home(tmp_path), {}) is None


def test_a_change_is_followed_to_everything_downstream_of_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    lineage.note(home, tags(NIGHT), whole=True)
    assert lineage.stale(home, {"facts/polygon": "f1", "facts/cme": "c1"}) == []
    assert lineage.stale(home, {"facts/polygon": "f2"}) == [
        {"asset": "marts/daily_bars", "changed": ["facts/polygon"], "waiting": []},
        {"asset": "features/equity_v1", "changed": [], "waiting": ["marts/daily_bars"]},
        {"asset": "training/panel", "changed": [], "waiting": ["features/equity_v1"]},
    ]


def test_what_comes_out_equal_leaves_what_follows_fresh(tmp_path: Path) -> None:
    home = Home(tmp_path)
    lineage.note(home, tags(NIGHT), whole=True)
    # A part of a night: facts changed, bars were built anew and say the same.
    again = {"facts/polygon": ("f2", {}), "marts/daily_bars": ("m1", {"facts/polygon": "f2"})}
    lineage.note(home, tags(again), whole=False)
    assert lineage.stale(home, {"facts/polygon": "f2"}) == []
    lineage.note(home, tags({"marts/daily_bars": ("m2", {"facts/polygon": "f2"})}), whole=False)
    told = lineage.stale(home, {"facts/polygon": "f2"})
    assert told is not None and [one["asset"] for one in told] == ["features/equity_v1", "training/panel"]


def test_a_whole_night_forgets_what_is_no_more(tmp_path: Path) -> None:
    home = Home(tmp_path)
    lineage.note(home, tags({**NIGHT, "features/old_v1": ("o1", {"facts/polygon": "f0"})}), whole=True)
    assert [one["asset"] for one in lineage.stale(home, {}) or []] == ["features/old_v1"]
    lineage.note(home, tags(NIGHT), whole=True)
    assert lineage.stale(home, {}) == []


def land(home: Home, number: int, *days: dt.date) -> None:
    """A batch with one index level a day."""
    schema = DATASETS["index_levels"].schema
    rows = [{name: day if pa.types.is_date(schema.field(name).type) else None for name in schema.names} for day in days]
    folder = home.facts / batches.name_of(number)
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "index_levels.parquet")


def test_sessions_are_told_once_however_many_batches_brought_them(tmp_path: Path) -> None:
    home, (one, two, three) = Home(tmp_path), (dt.date(2025, 6, day) for day in (24, 25, 26))
    land(home, 1, one, two)
    first = news.untold(home)
    assert first.first and first.sessions["cboe"] == [one, two]
    assert news.untold(home) == first  # killed before it was told: nothing is forgotten
    news.told(home, first)
    assert not any(news.untold(home).sessions.values())
    land(home, 2, two)
    land(home, 3, three, two)
    later = news.untold(home)
    assert (later.first, later.batch, later.sessions["cboe"]) == (False, 3, [two, three])
    assert later.sessions["polygon"] == []


def test_other_python_of_a_mart_is_another_generation() -> None:
    """Whatever a Python model reads of ours counts in the name of a generation, or old marts would stand."""
    models = set((dbt_project.PROJECT / "models").rglob("*.py"))
    own = {path.relative_to(ROOT).as_posix() for path in models}
    assert own and read_by(models) - own <= set(dbt_project._PYTHON)
    assert all((ROOT / name).exists() for name in dbt_project._PYTHON)
