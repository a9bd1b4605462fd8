"""As-of truth: what the whole lake says about a moment equals what a lake that ends at that moment says."""

import datetime as dt
import random
from pathlib import Path

import pytest

from pipelines.digest import table_digest
from pipelines.home import Home
from pipelines.lake import marts
from tests.test_pipelines.random_market import random_market
from tests.test_pipelines.small_lake import RECEIVED

MOMENTS_A_MARKET = 2


def _digest(home: Home, folder: Path, query: str, key: list[str], as_of: dt.datetime | None = None) -> str:
    with marts.connect(home, as_of=as_of, marts_dir=folder) as connection:
        return table_digest(connection.sql(f"select * from {query}").to_arrow_table(), key)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_later_knowledge_changes_nothing_that_was_known(seed: int, tmp_path: Path) -> None:
    lake, days = random_market(seed)
    home = lake.write(tmp_path)
    whole = marts.build(home, now=RECEIVED)
    chance = random.Random(1000 + seed)
    first, last = (dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) for day in (days[3], days[-1]))
    for _ in range(MOMENTS_A_MARKET):
        moment = (first + chance.random() * (last - first)).replace(microsecond=0)
        literal = f"timestamptz '{moment.isoformat()}'"
        past = marts.build(home, truncate_at=moment, now=RECEIVED)
        for mart, grain in marts.GRAINS.items():
            known = f"{mart}_versions where available_at <= {literal}"
            versions = _digest(home, whole.path, known, [*grain, "available_at"])
            assert versions == past.digests[mart], f"versions of {mart} known by {moment}"
            shown = _digest(home, whole.path, mart, list(grain), as_of=moment)
            assert shown == _digest(home, past.path, mart, list(grain)), f"{mart} as of {moment}"
        key = ["instrument_id", "session"]
        adjusted = [_digest(home, folder, f"adjusted_bars({literal})", key) for folder in (whole.path, past.path)]
        assert adjusted[0] == adjusted[1]
