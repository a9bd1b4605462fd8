"""The short ways into the lake say what the marts say: one implementation, several names for it."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from pipelines import calendars, lake
from pipelines.home import Home
from pipelines.lake import marts
from tests.conftest import ROOT
from tests.test_pipelines.random_market import random_market
from tests.test_pipelines.small_lake import RECEIVED

DAYS = random_market(0)[1]
RENAMED = DAYS[17]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    written = random_market(0)[0].write(tmp_path_factory.mktemp("names"))
    marts.build(written, now=RECEIVED)
    return written


def test_the_engine_adjusts_as_the_warehouse_does(home: Home) -> None:
    with marts.connect(home) as con:
        ids = [row[0] for row in con.sql("select distinct instrument_id from daily_bars order by 1").fetchall()]
        moment = RECEIVED.isoformat()
        seen = 0
        for one in ids:
            raw = con.execute("select * from daily_bars where instrument_id = $1", [one]).df()
            columns = "ex_date, kind, split_from, split_to, cash_amount"
            told = con.execute(
                f"select {columns} from corporate_actions where instrument_id = $1", [one]
            ).fetchall()
            actions = [lake.CorporateAction(day, kind, old or 1.0, new or 1.0, cash or 0.0)
                       for day, kind, old, new, cash in told]  # fmt: skip
            ours = lake.AdjustmentEngine().adjust(raw, actions, as_of=RECEIVED.date())
            theirs = con.execute(
                f"select * from adjusted_bars(timestamptz '{moment}') where instrument_id = $1 order by session", [one]
            ).df()
            for name in ("open", "close", "volume", "adjustment_factor"):
                assert ours[name].to_numpy() == pytest.approx(theirs[name].to_numpy(), rel=1e-12), (one, name)
            seen += len(actions)
        assert seen > 8


def test_an_announced_action_waits_for_its_day_and_one_on_the_first_bar_counts_nothing() -> None:
    days = [dt.date(2025, 1, 6), dt.date(2025, 1, 7)]
    raw = pd.DataFrame({"session": days, **dict.fromkeys(("open", "high", "low", "close"), 10.0), "volume": 100.0})
    split = [lake.CorporateAction(day, "split", 1, 2) for day in (days[0], dt.date(2025, 1, 9))]
    assert lake.AdjustmentEngine().adjust(raw, split)["adjustment_factor"].tolist() == [1.0, 1.0]
    assert lake.AdjustmentEngine().adjust(raw, split, as_of=dt.date(2025, 1, 9))["close"].tolist() == [5.0, 5.0]
    assert lake.AdjustmentEngine().adjust(raw.iloc[:0], split).empty


def test_a_ticker_leads_to_the_company_and_to_its_name_of_the_day(home: Home) -> None:
    mapper = lake.TickerMapper(home)
    assert mapper.resolve("OLD", RENAMED - dt.timedelta(days=1)) == "OLD"
    assert mapper.resolve("OLD", RENAMED) == mapper.resolve("NEW", DAYS[-1]) == "NEW"
    assert mapper.resolve("NEW", DAYS[0]) == "OLD"
    # The ticker of a company that died, taken over by another one later.
    assert mapper.owner("TKN", DAYS[3]) == "FIGI-DEAD" and mapper.owner("TKN", DAYS[-1]) == "FIGI-HEIR"
    with pytest.raises(KeyError, match="NOBODY"):
        mapper.resolve("NOBODY", DAYS[0])


def test_the_universe_of_a_day_holds_those_who_died_since(home: Home) -> None:
    builder = lake.UniverseBuilder(home)
    with marts.connect(home) as con:
        for day in (DAYS[8], DAYS[-1]):
            listed = con.execute("select symbol from universe where session = $1 order by 1", [day]).fetchall()
            assert builder.get_universe(day, "equity") == [row[0] for row in listed]
    assert "TKN" in builder.get_universe(DAYS[8].isoformat(), "equity") and "OLD" in builder.get_universe(DAYS[8])
    assert builder.get_universe(DAYS[8], "crypto") == []


def test_history_is_stitched_through_a_rename_and_coarser_bars_hold_the_finer(home: Home) -> None:
    store = lake.HistoricalDataStore(home)
    daily = store.query("NEW", DAYS[0], DAYS[-1], "1d")
    assert set(daily["symbol"]) == {"OLD", "NEW"} and daily["timestamp"].is_monotonic_increasing
    with marts.connect(home) as con:
        closes = con.sql("select close from daily_bars where instrument_id = 'FIGI-OLD' order by session").fetchall()
    assert daily["close"].tolist() == [row[0] for row in closes]
    minutes = store.query("PLN", DAYS[-1], DAYS[-1], "1m")
    (five,) = store.query("PLN", DAYS[-1], DAYS[-1], "5m").to_dict("records")
    assert len(minutes) == 4 and five["volume"] == minutes["volume"].sum() and five["close"] == 13.0
    assert len(store.query("ESH5", DAYS[-6], DAYS[-1], "1h")) == 6
    rolled = store.query("ES", DAYS[-6], DAYS[-1], "1m")
    assert set(rolled["symbol"]) == {"ESH5", "ESM5"}
    with pytest.raises(ValueError, match="1d, 1m"):
        store.query("PLN", DAYS[0], DAYS[-1], "1w")
    past = lake.HistoricalDataStore(home, as_of=calendars.close_at(DAYS[5]))
    assert len(past.query("PLN", DAYS[0], DAYS[-1], "1d")) <= 5


def test_what_was_asked_is_kept_for_its_generation_and_its_moment_alone(home: Home) -> None:
    store = lake.HistoricalDataStore(home)
    asked = [("PLN", DAYS[0], DAYS[-1], "1d"), ("ESH5", DAYS[-6], DAYS[-1], "1h"), ("PLN", DAYS[-1], DAYS[-1], "1m")]
    first = [store.query(*one) for one in asked]
    again = [store.query(*one) for one in asked]
    for one, other in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert (store.cache.stats()["hits"], store.cache.stats()["misses"]) == (3, 3)
    shared = lake.PredictiveCache(8)
    past = lake.HistoricalDataStore(home, as_of=calendars.close_at(DAYS[5]), cache=shared)
    assert len(past.query("PLN", DAYS[0], DAYS[-1])) < len(first[0])
    pd.testing.assert_frame_equal(lake.HistoricalDataStore(home, cache=shared).query(*asked[0]), first[0])
    assert shared.stats()["entries"] == 2 and shared.stats()["hits"] == 0
    mapper, builder = lake.TickerMapper(home), lake.UniverseBuilder(home)
    for _ in range(2):
        assert mapper.resolve("OLD", RENAMED) == "NEW" and "OLD" in builder.get_universe(DAYS[8])
    assert (mapper._answers.stats()["hits"], builder._answers.stats()["hits"]) == (2, 1)


class Memory:
    """A tier as a server would be one, over a dictionary."""

    def __init__(self) -> None:
        self.held: dict[str, list[dict[str, object]]] = {}

    def write(self, asset_class: str, asset: str, rows: pa.Table) -> None:
        self.held.setdefault(asset, []).extend(rows.to_pylist())

    def read(self, asset_class: str, asset: str, start: dt.datetime, end: dt.datetime) -> pa.Table:
        rows = [row for row in self.held.get(asset, []) if start <= row["timestamp"] < end]  # type: ignore[operator]
        return pa.Table.from_pylist(rows, schema=pa.schema([("timestamp", pa.timestamp("us", tz="UTC")),
                                                            ("close", pa.float64())]))  # fmt: skip

    def drop_before(self, asset_class: str, asset: str, moment: dt.datetime) -> None:
        self.held[asset] = [row for row in self.held[asset] if row["timestamp"] >= moment]  # type: ignore[operator]


NOW = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)


def ticks(*ages_days: float) -> pa.Table:
    moments = [NOW - dt.timedelta(days=age) for age in ages_days]
    instants = pa.array(moments, pa.timestamp("us", tz="UTC"))
    return pa.table({"timestamp": instants, "close": [float(age) for age in ages_days]})


def test_rows_go_where_their_age_belongs_and_move_on_when_they_age(tmp_path: Path) -> None:
    hot, warm = Memory(), Memory()
    router = lake.StorageRouter(lake.ParquetTier(tmp_path), warm=warm, hot=hot)
    rows = ticks(70, 40, 31, 12, 2, 0.5, 0.1)
    assert router.write("equity", "AAA", rows, NOW) == {"hot": 2, "warm": 2, "cold": 3}
    whole = router.read("equity", "AAA", NOW - dt.timedelta(days=99), NOW)
    assert whole["close"].to_pylist() == rows["close"].to_pylist()
    later = NOW + dt.timedelta(days=25)
    assert router.archive("equity", "AAA", later) == 3
    assert router.read("equity", "AAA", NOW - dt.timedelta(days=99), later).equals(whole)
    assert {"/".join(file.parts[-3:-1]) for file in tmp_path.rglob("*.parquet")} == {"2025/04", "2025/05", "2025/06"}
    only = lake.ParquetTier(tmp_path).read("equity", "AAA", NOW - dt.timedelta(days=45), NOW - dt.timedelta(days=30))
    assert only["close"].to_pylist() == [40.0, 31.0]


def test_a_move_that_broke_off_is_finished_on_a_later_night_and_doubles_nothing(tmp_path: Path) -> None:
    warm, cold = Memory(), lake.ParquetTier(tmp_path)
    rows = ticks(31.5, 31.5, 30.5, 29.5, 28.5)  # two equal prints of one moment are two
    warm.write("equity", "AAA", rows)
    cold.write("equity", "AAA", rows.slice(0, 3))  # written there, and ended before it was let go here
    router = lake.StorageRouter(cold, warm=warm)
    assert router.archive("equity", "AAA", NOW + dt.timedelta(days=1)) == 4
    assert cold.read("equity", "AAA", NOW - dt.timedelta(days=99), NOW).equals(rows.slice(0, 4))


def test_without_hot_and_warm_everything_is_cold_and_a_repeated_write_is_one(tmp_path: Path) -> None:
    router = lake.StorageRouter(lake.ParquetTier(tmp_path))
    for _ in range(2):
        assert router.write("equity", "AAA", ticks(3, 0.1), NOW) == {"cold": 2}
    assert router.read("equity", "AAA", NOW - dt.timedelta(days=9), NOW).num_rows == 2
    assert router.read("equity", "BBB", NOW - dt.timedelta(days=9), NOW).num_rows == 0
    with pytest.raises(ValueError, match="folder"):
        router.write("equity", "../AAA", ticks(3), NOW)


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        lake.Nothing  # noqa: B018


def test_a_frame_and_another_store_come_to_lie_by_month_and_once(tmp_path: Path) -> None:
    writer, warm = lake.ParquetWriter(tmp_path), Memory()
    rows = ticks(70, 40, 31, 12)
    warm.write("equity", "AAA", rows)
    span = (NOW - dt.timedelta(days=99), NOW)
    assert writer.write(rows.to_pandas(), "equity", "BBB") == 4
    for _ in range(2):  # a move that was ended in the middle is done again
        assert writer.backfill(warm, "equity", "AAA", *span) == 4
    cold = lake.ParquetTier(tmp_path)
    for asset in ("AAA", "BBB"):
        assert cold.read("equity", asset, *span).select(["timestamp", "close"]).equals(rows)
        assert len(list((tmp_path / "equity" / asset).rglob("*.parquet"))) == 3
    with pytest.raises(ValueError, match="time zone"):
        writer.write(rows.to_pandas().assign(timestamp=1), "equity", "CCC")


ASKED_FOR_EVER = """
import os, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background job would not hear it
from pipelines.lake import sql

def ask(*question):
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(60)

sql.ask = ask
from pipelines.cli import main
main()
"""


def test_a_question_that_takes_too_long_is_left_without_a_traceback(home: Home, tmp_path: Path) -> None:
    asked = ["sql", "select 1", "--home", str(home.root), "--out", str(tmp_path / "answer.csv"), "--format", "csv"]
    ended = subprocess.run([sys.executable, "-c", ASKED_FOR_EVER, *asked], cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "Stopped. Nothing was written.\n")
