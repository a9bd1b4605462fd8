"""What stands in the mart `quarantine`, and until when."""

import datetime as dt
from pathlib import Path

from pipelines.home import Home
from pipelines.lake import marts
from tests.test_pipelines.lake_told import at, land
from tests.test_pipelines.test_lake_quarantine import DAY, day


def test_what_was_refused_with_its_body_stands_until_a_good_one_comes(tmp_path: Path) -> None:
    def standing(moment: dt.datetime) -> dict[str, int]:
        with marts.connect(Home(tmp_path), as_of=moment) as connection:
            return dict(connection.sql("select reason, count(*) from quarantine group by all").fetchall())

    land(tmp_path, (DAY, at(1), day(100, 10)), now=at(1))
    marts.build(Home(tmp_path), now=at(1))
    assert standing(at(1)) == {"bad_volume": 10, "batch_refused": 90}
    land(tmp_path, (DAY, at(2), day(100, 0)), now=at(2))
    assert not marts.build(Home(tmp_path), now=at(2)).unchanged
    assert standing(at(2)) == {"bad_volume": 10}
    assert standing(at(1)) == {"bad_volume": 10, "batch_refused": 90}
