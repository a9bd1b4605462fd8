"""What the vendors source covers, what it would cost, and what it refuses to spend, over the embedded vendors."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from pipelines import sandbox, settings
from pipelines.home import Home
from pipelines.lake import dry_run, raw, sources
from pipelines.lake.facts import read_dataset
from pipelines.lake.forecast import SpendRefused
from pipelines.lake.ingest import IngestResult, ingest
from tests import OWN
from tests.test_pipelines.small_market import small_market


@pytest.fixture(scope="module")
def market() -> sandbox.Market:
    return small_market()


@pytest.fixture(scope="module")
def symbols(market: sandbox.Market) -> list[str]:
    lasting = [company for company in market.cast if company.trades_on(0) and company.trades_on(market.base + 1)]
    return sorted(one.ticker_on(0) for one in lasting if one.ticker_on(0) == one.ticker_on(market.base + 1))[:2]


@contextmanager
def opened(market: sandbox.Market, folder: Path, number: int, **more: Any) -> Iterator[tuple[Any, Any]]:
    chosen = settings.load({"home": str(folder), "source": "vendors", **more}, environment=OWN)
    with sandbox.serve(market, market.night_now(number)) as served:
        environment = {
            "POLYGON_API_KEY": served.key, "DATABENTO_API_KEY": served.key, "POLYGON_BASE_URL": served.polygon,
            "CBOE_BASE_URL": served.cboe, "DATABENTO_BASE_URL": served.databento,
        }  # fmt: skip
        with sources.opened(chosen, Home(folder), market.night_now(number), environment) as source:
            yield chosen, source


def pull(market: sandbox.Market, folder: Path, number: int = 0, **more: Any) -> IngestResult:
    with opened(market, folder, number, **more) as (chosen, source):
        return ingest(chosen, Home(folder), market.night_now(number), source)


def test_named_symbols_from_a_start_with_minutes_and_nothing_else(
    market: sandbox.Market, symbols: list[str], tmp_path: Path
) -> None:
    coverage = {"symbols": ",".join(symbols), "start": "2025-05-05", "minute_sessions": 1, "roots": ""}
    first = pull(market, tmp_path, coverage=coverage)
    assert first.quarantined == {} and first.vendors["cme"].requests == first.vendors["cboe"].requests == 0
    home = Home(tmp_path)
    bars = read_dataset(home, "equity_bars")
    assert bars["ticker"].unique().to_pylist() == symbols
    assert pc.min(bars["session"]).as_py() == dt.date(2025, 5, 5)
    assert read_dataset(home, "equity_minutes")["ticker"].unique().to_pylist() == symbols
    assert set(read_dataset(home, "ticker_events")["ticker"].to_pylist()) >= set(symbols)
    assert set(read_dataset(home, "ticker_details")["ticker"].to_pylist()) >= set(symbols)
    # Lists and holidays; of each name its changes, what it does, two months and a day of minutes.
    assert first.vendors["polygon"].requests <= 6 + 5 * len(symbols)
    # The month's body of the next night holds the day that was not out yet; it counts from when it was, as any bar.
    second = pull(market, tmp_path, 1, coverage=coverage)
    new = read_dataset(home, "equity_bars")
    assert new.num_rows == bars.num_rows + len(symbols)
    assert second.changed_sessions["polygon"] == [dt.date(2025, 7, 1)]
    closed = market.closes_at[market.base + 1]
    assert pc.max(new["available_at"]).as_py() == closed + dt.timedelta(minutes=15)


def test_an_undocumented_source_is_asked_only_where_its_terms_are_accepted(
    market: sandbox.Market, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coverage = {"start": "2025-06-27"}
    assert pull(market, tmp_path / "no", coverage=coverage).vendors["cboe"].requests == 0
    assert "accept_terms=cboe" in capsys.readouterr().err
    told = pull(market, tmp_path / "yes", coverage={**coverage, "accept_terms": "cboe"})
    assert told.vendors["cboe"].new_bodies == 1


def test_a_night_dearer_than_allowed_asks_for_nothing_charged(market: sandbox.Market, tmp_path: Path) -> None:
    with pytest.raises(SpendRefused, match=r"spend.max_usd is 0.01"):
        pull(market, tmp_path, coverage={"start": "2025-06-27"}, spend={"max_usd": 0.01})
    assert raw.Held.read(Home(tmp_path)).newest == {}
    told = pull(market, tmp_path, coverage={"start": "2025-06-27"})
    held = {path.rpartition("-2025")[0] for path in raw.Held.read(Home(tmp_path)).newest if path.startswith("cme/")}
    assert held == {f"cme/dbn/GLBX.MDP3-ES.FUT-{schema}" for schema in ("trades", "definition", "statistics")}
    assert told.vendors["cme"].new_bodies == 4 and told.quarantined == {}
    assert (told.rows["futures_definitions"], told.rows["futures_statistics"]) == (2, 4)
    # What is held is not bought again.
    with opened(market, tmp_path, 0, coverage={"start": "2025-06-27"}, spend={"max_usd": 0}) as (_, source):
        lines = source.forecast(raw.Held.read(Home(tmp_path)), market.night_now(0))
    assert [(line.requests, line.usd) for line in lines if line.vendor == "cme"] == [(0, 0.0)]


def test_trades_of_a_session_whose_night_was_missed_come_with_the_next_night(
    market: sandbox.Market, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = {"start": "2025-06-20", "schemas": "trades"}
    pull(market, tmp_path, 0, coverage=only)
    assert len(held_trades(tmp_path)) == 1  # what came before the first night is not bought
    with opened(market, tmp_path, 3, coverage=only) as (_, source):
        lines = source.forecast(raw.Held.read(Home(tmp_path)), market.night_now(3))
    price = next(line for line in lines if line.what == "futures trades")
    assert price.requests == 3
    pull(market, tmp_path, 3, coverage=only, spend={"max_usd": price.usd / 2})
    assert len(held_trades(tmp_path)) == 2 and "sessions that were missed are left out" in capsys.readouterr().err
    pull(market, tmp_path, 3, coverage=only)
    assert held_trades(tmp_path) == [f"{session}.dbn.zst" for session in market.sessions[market.base :][:4]]


def held_trades(folder: Path) -> list[str]:
    return sorted(path[-18:] for path in raw.Held.read(Home(folder)).newest if "FUT-trades" in path)


def test_what_is_beside_trades_is_left_out_where_only_it_costs_too_much(
    market: sandbox.Market, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(market, tmp_path, 0, coverage={"start": "2025-06-27"}) as (_, source):
        usd = {line.what: line.usd for line in source.forecast(raw.Held.read(Home(tmp_path)), market.night_now(0))}
    trades = {"max_usd": usd["futures trades"] + 0.0001}
    assert sum(usd.values()) > trades["max_usd"]
    told = pull(market, tmp_path / "one", coverage={"start": "2025-06-27"}, spend=trades)
    assert told.vendors["cme"].new_bodies == 1 and told.rows["futures_trades"] == 4000
    assert "futures definitions and futures statistics are left out" in capsys.readouterr().err
    # Those who name it mean it.
    named = {"start": "2025-06-27", "schemas": "trades,definition"}
    with pytest.raises(SpendRefused, match="coverage.schemas"):
        pull(market, tmp_path / "two", coverage=named, spend=trades)
    with pytest.raises(sources.SourceError, match="nothing is read of mbp-10"):
        pull(market, tmp_path / "two", coverage={**named, "schemas": "mbp-10"})
    told = pull(market, tmp_path / "two", coverage={**named, "schemas": "definition"})
    assert set(told.rows) & {"futures_trades", "futures_definitions"} == {"futures_definitions"}


def test_companies_to_be_asked_about_are_those_that_are_known(market: sandbox.Market, tmp_path: Path) -> None:
    pull(market, tmp_path, coverage={"start": "2025-06-27", "companies": False})
    held = raw.Held.read(Home(tmp_path))
    with opened(market, tmp_path, 0, coverage={"start": "2025-06-27"}) as (_, source):
        asked = {line.what: line.requests for line in source.forecast(held, market.night_now(0))}
    assert asked["what companies do"] == sum("/events.json" in path for path in held.newest) > 0


def test_a_dry_run_says_what_would_be_asked_and_writes_nothing(
    market: sandbox.Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = market.night_now(0)
    with sandbox.serve(market, now) as served:
        for name, value in {
            "POLYGON_API_KEY": served.key, "DATABENTO_API_KEY": served.key, "POLYGON_BASE_URL": served.polygon,
            "DATABENTO_BASE_URL": served.databento, "CBOE_BASE_URL": served.cboe,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        given = {"home": str(tmp_path / "home"), "source": "vendors", "coverage": {"accept_terms": "cboe"}}
        chosen = settings.load({**given, "spend": {"max_usd": 0.01}}, environment=OWN)
        told = dry_run.rehearse(chosen, Home(chosen.home), now)
    assert not (tmp_path / "home").exists()
    by_kind = {line["what"]: line for line in told["lines"]}
    assert by_kind["days"]["requests"] == sources.FIRST_LOAD_SESSIONS
    assert by_kind["futures trades"]["requests"] == 1 and by_kind["futures trades"]["usd"] > 0.01
    assert by_kind["option chains"]["requests"] == 1
    charged = [by_kind[f"futures {what}"] for what in ("trades", "definitions", "statistics")]
    assert all(line["usd"] > 0 for line in charged) and charged[2]["requests"] == 2
    assert told["usd"] == pytest.approx(sum(line["usd"] for line in charged)) and not told["allowed"]
    dry_run.print_table(told)
    assert "REFUSED" in capsys.readouterr().out


def test_a_forecast_of_the_next_night_rests_on_what_is_held(market: sandbox.Market, tmp_path: Path) -> None:
    coverage = {"start": "2025-06-02"}
    pull(market, tmp_path, coverage=coverage)
    with opened(market, tmp_path, 1, coverage=coverage) as (_, source):
        now = market.night_now(1)
        lines = {line.what: line for line in source.forecast(raw.Held.read(Home(tmp_path)), now)}
    told = pull(market, tmp_path, 1, coverage=coverage)
    assert lines["days"].basis == "held" and lines["days"].requests == 10
    assert sum(line.requests for line in lines.values() if line.vendor == "polygon") == told.vendors["polygon"].requests
