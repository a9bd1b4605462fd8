"""Vendors that misbehave over real HTTP: asked again where that helps, set aside with a reason where it does not, no
good row lost, and the night after heals."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines import sandbox, settings
from pipelines.home import Home
from pipelines.lake.facts import read_dataset, row_counts
from pipelines.lake.ingest import IngestResult, ingest
from pipelines.lake.sources import HttpSource, sandbox_plan
from pipelines.sandbox.faults import BadSchedule, parse
from pipelines.settings import Settings
from pipelines.vendors.http import Hosts, HttpTransport
from tests import OWN
from tests.test_pipelines.small_market import SIZES, small_market

SESSIONS = 14  # asked for on the first night; the last ten of them again on each
DAY = "/grouped/locale/us/market/stocks/2025-06-27"
OLD_DAY = "/grouped/locale/us/market/stocks/2025-06-11"  # before the sessions that every night asks again


@pytest.fixture(scope="module")
def market() -> sandbox.Market:
    return small_market()


@pytest.fixture(scope="module")
def well(market: sandbox.Market, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Rows of two nights of vendors without faults."""
    folder = tmp_path_factory.mktemp("well")
    for number in (0, 1):
        night(market, folder, number, "")
    return row_counts(Home(folder))


def chosen(folder: Path) -> Settings:
    return settings.load({"home": str(folder), "sandbox": SIZES}, environment=OWN)


def night(market: sandbox.Market, folder: Path, number: int, schedule: str, **how: Any) -> IngestResult:
    """One ingest from the embedded vendors, as the sandbox source does it, but with little patience."""
    now = market.night_now(number)
    with sandbox.serve(market, now, faults=schedule, slow_s=how.pop("slow_s", 0.05)) as served:
        hosts = Hosts(served.polygon, served.cboe, served.databento, served.key, served.key)
        with HttpTransport(hosts, first_wait_s=0.001, quota_wait_s=0.001, **how) as transport:
            plan = sandbox_plan(chosen(folder), market, now)
            plan = replace(plan, days=plan.days[-SESSIONS - number :], minutes=(), ticks=plan.ticks[1:])
            source = HttpSource(Home(folder), transport, plan)
            return ingest(chosen(folder), Home(folder), now, source)


def test_what_passes_is_waited_out(market: sandbox.Market, well: dict[str, int], tmp_path: Path) -> None:
    parts = (DAY, "_SPX", "timeseries", "active=true")
    schedule = ",".join(f"{kind}@{part}" for part in parts for kind in ("429", "503", "cut", "slow"))
    told = night(market, tmp_path, 0, f"{schedule},429-after@{DAY}")
    assert told.quarantined == {}
    night(market, tmp_path, 1, "")
    assert row_counts(Home(tmp_path)) == well


def test_a_body_slower_than_patience_is_asked_for_again(
    market: sandbox.Market, tmp_path: Path
) -> None:
    assert night(market, tmp_path, 0, f"slow@{DAY}", slow_s=4, timeout_s=0.6).quarantined == {}


def test_a_body_that_is_none_is_asked_for_again(market: sandbox.Market, tmp_path: Path) -> None:
    schedule = f"html@{DAY}*2,truncated@_SPX*2,html@/stocks/v1/splits,truncated@active=true*2"
    assert night(market, tmp_path, 0, schedule).quarantined == {}


@pytest.mark.parametrize(
    ("schedule", "reasons"),
    [
        (f"html@{OLD_DAY}*always,truncated@timeseries*always,drift@_SPX*always,truncated@active=true*always",
         {"not_data": 1, "truncated": 2}),
        (f"drift@{OLD_DAY}*always,html@timeseries*always,truncated@_SPX*always,html@/stocks/v1/splits*always",
         {"not_data": 2, "truncated": 2}),
    ],
)  # fmt: skip
def test_what_stays_wrong_is_quarantined_and_the_next_night_heals(
    market: sandbox.Market, well: dict[str, int], tmp_path: Path, schedule: str, reasons: dict[str, int]
) -> None:
    told = night(market, tmp_path, 0, schedule)
    assert {reason: told.quarantined.get(reason) for reason in reasons} == reasons
    assert set(told.quarantined) - set(reasons)  # what drifted has reasons of its own
    assert set(told.rows) >= {"equity_bars", "dividends"}  # everybody else's rows are in
    night(market, tmp_path, 1, "")
    assert row_counts(Home(tmp_path)) == well


def test_malformed_rows_cost_no_good_row(market: sandbox.Market, well: dict[str, int], tmp_path: Path) -> None:
    told = night(market, tmp_path, 0, f"malformed@{OLD_DAY},malformed@_SPX")
    refused = sum(told.quarantined.values())
    assert refused > 2
    home = Home(tmp_path)
    now_held = row_counts(home)
    night(market, tmp_path, 1, "")
    assert row_counts(home) == well
    bars = read_dataset(home, "equity_bars")
    assert now_held["equity_bars"] < bars.num_rows
    # What the first pull should have held counts from the night that brought it.
    late = [row for row in bars.to_pylist() if str(row["session"]) == "2025-06-11"]
    assert sum(row["available_at"] == market.night_now(1) for row in late) == 1


def test_a_vendor_who_repeats_bad_rows_is_asked_once_more_only(market: sandbox.Market, tmp_path: Path) -> None:
    asked, refused = [], []
    for number in range(3):
        told = night(market, tmp_path, number, f"malformed@{OLD_DAY}*always")
        asked.append(told.vendors["polygon"].requests)
        refused.append(told.quarantined)
    assert refused == [{"bad_type": 1}, {}, {}]
    # Four lists, the last ten sessions; on night 1 the old one again. A change of ticker may add a question.
    assert [asked[1] - 15, asked[2] - 14] in ([0, 0], [0, 1])


def test_what_a_vendor_does_not_give_costs_nobody_the_rest(market: sandbox.Market, tmp_path: Path) -> None:
    told = night(market, tmp_path, 0, f"502@{DAY}*always,cut@_SPX*always", attempts=2)
    assert list(told.failed) == ["polygon, days", "cboe, option chains"] and told.stops
    assert "polygon still answers 502" in told.not_had and "run again later" in told.not_had
    assert told.rows["futures_trades"] == 4000 and "option_chain" not in told.rows
    days = read_dataset(Home(tmp_path), "equity_bars")["session"].unique()
    assert len(days) == SESSIONS - 1
    assert night(market, tmp_path, 0, "").failed == {}
    again = read_dataset(Home(tmp_path), "equity_bars")
    assert len(again["session"].unique()) == SESSIONS
    first = [row for row in again.to_pylist() if DAY.endswith(str(row["session"]))]
    assert first and all(row["available_at"] == row["event_time"] + dt.timedelta(minutes=15) for row in first)


def test_a_schedule_that_cannot_be_read_says_what_can() -> None:
    assert [(rule.kind, rule.where, rule.times) for rule in parse("503@/grouped/*2, html")] == [
        ("503", "/grouped/", 2), ("html", "", 1)
    ]  # fmt: skip
    with pytest.raises(BadSchedule, match="404.*truncated"):
        parse("404")
