"""Every real stream of Databento's in one lake: prints once, the vendor's minutes beside, and nothing of options."""

import datetime as dt
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.ingest import IngestResult, ingest
from tests import OWN

pytestmark = pytest.mark.deep
NOW = dt.datetime(2026, 8, 1, tzinfo=dt.UTC)
Desk = tuple[IngestResult, Path]


@pytest.fixture(scope="module")
def desk(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("source")
    for file in sorted((samples / "cme/dbn").rglob("*.dbn.zst")):
        target = folder / "cme/dbn" / f"{file.parent.name}-{file.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    chosen = settings.load({"home": str(tmp_path_factory.mktemp("home")), "source": f"files:{folder}"}, environment=OWN)
    told = ingest(chosen, Home(chosen.home), NOW)
    return told, marts.build(Home(chosen.home), now=NOW).path


def rows(desk: Desk, query: str) -> list[tuple[Any, ...]]:
    with marts.connect(Home(desk[1]), marts_dir=desk[1]) as connection:
        return connection.sql(query).fetchall()


def test_prints_of_two_schemas_are_one_and_options_are_refused_by_name(desk: Desk, samples: Path) -> None:
    counts = Counter(dict(rows(desk, "select symbol, count(*) from futures_trades_versions group by 1")))
    assert counts == {"ESU4": 120, "ESZ4": 2, "ESH1": 4}
    options = len(list((samples / "cme/dbn/databento-python/OPRA.PILLAR").glob("*.zst")))
    assert desk[0].quarantined == {"unknown_instrument": options}
    assert rows(desk, "select count(*) from instruments where name like 'AAPL%'") == [(0,)]


def test_the_vendors_minutes_stand_where_no_trade_was_held_and_agree_where_one_was(desk: Desk, samples: Path) -> None:
    import databento

    name = "futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst"
    vendor = databento.DBNStore.from_bytes((samples / "cme/dbn/esu4_nqu4_2024-07-01" / name).read_bytes()).to_df()
    wanted = sorted(
        (start.to_pydatetime(), row["symbol"], *(row[each] for each in ("open", "high", "low", "close", "volume")))
        for start, row in vendor.iterrows()
    )
    found = rows(desk, "select bar_start, symbol, open, high, low, close, volume, trades from futures_bars "
                       "where symbol in ('ESU4', 'NQU4') order by 1, 2")  # fmt: skip
    assert [row[:-1] for row in found] == wanted and len(found) == 60
    rebuilt = [row for row in found if row[-1] is not None]
    assert (len(rebuilt), sum(row[-1] for row in rebuilt), {row[1] for row in rebuilt}) == (4, 120, {"ESU4"})
    assert rows(desk, "select count(*), sum(volume) from order_flow where symbol = 'ESU4'") == [(4, 253)]
    assert rows(desk, "select distinct symbol from volume_profile order by 1") == [("ESH1",), ("ESU4",), ("ESZ4",)]


def test_seconds_become_the_minute_that_they_are_of(desk: Desk) -> None:
    found = rows(desk, "select symbol, volume, trades from futures_bars where symbol = 'ESZ4' order by bar_start")
    assert found == [("ESZ4", 2, 1), ("ESZ4", 1, 1)]  # told three times over: trades, minutes, seconds


def test_a_definition_tells_the_last_day_and_the_feed_the_front(desk: Desk) -> None:
    assert rows(desk, "select instrument_id, delisted_on from instruments where asset_class = 'future' order by 1") == [
        ("CME:ESH1:2021", dt.date(2021, 3, 19)), ("CME:ESM3:2023", dt.date(2023, 6, 16)),
        ("CME:ESU4:2024", dt.date(2024, 9, 20)), ("CME:ESZ4:2024", dt.date(2024, 12, 20)),
        ("CME:NQU4:2024", dt.date(2024, 9, 20)),
    ]  # fmt: skip
    front = "select rule, session, symbol, evidence_session from roll_calendar where root = 'ES' order by 1"
    told, by = (dt.date(2023, 11, 21), "ESZ4"), dt.date(2023, 11, 20)
    assert rows(desk, front) == [(rule, *told, by) for rule in ("open_interest", "volume")]
