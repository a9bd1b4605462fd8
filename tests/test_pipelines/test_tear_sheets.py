"""The tear sheet: whole, alone, the same every time, silent on what was not measured; and the files beside it."""

import csv
import datetime as dt
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.backtest import Prices, judge
from models.backtest.figures import sharpe_annual
from models.market.costs import CostModel
from models.signals.rules import RuleConfig, rule_weights
from pipelines import calendars
from pipelines.evidence.judged import JudgedNight, judge_all
from pipelines.evidence.price_tag import judged_window
from pipelines.report import export
from pipelines.report.sheet import Comparison, Sheet, compose, figures
from pipelines.report.sheet.record import Bucket, Capacity
from pipelines.report.sheets import file_of
from pipelines.training.candidates import Candidate
from pipelines.training.decided import Decided, of_walk
from pipelines.training.inputs import Inputs
from pipelines.training.prices import prices_of
from pipelines.training.walk import Walked
from tests.test_models import planted
from tests.test_pipelines.report_story import LAST, price_tag
from tests.test_pipelines.test_report import Reader, wide_as_shown

COUNT = 300


def sheet(**changes: object) -> Sheet:
    """A strategy of three hundred sessions with everything that a sheet can show."""
    rng = np.random.default_rng(3)
    days = [day.isoformat() for day in calendars.previous_sessions(dt.date.fromisoformat(LAST), COUNT)]
    net = 0.0015 + 0.008 * rng.standard_normal(COUNT)
    market = 0.0003 + 0.011 * rng.standard_normal(COUNT)
    told = Sheet(
        "ensemble-g30-h5", "Champion", "good", "Let through tonight.", days, net, 0.0001, 1e7, gross=net + 0.0003,
        active=net - 0.1 * market, cost=np.full(COUNT, 0.0003), turnover=np.full(COUNT, 0.3), exposure=np.zeros(COUNT),
        others=[Comparison("Buy and hold", market, "bench"), Comparison("momentum", market * 0.3, "b1")],
        folds=[{"first": days[at], "last": days[at + 49], "sharpe": 2.0 - at / 100} for at in range(0, COUNT, 50)],
        regimes={"Bull": {"sessions": 200, "sharpe": 2.1}, "HighVol_Chop": {"sessions": 100, "sharpe": -0.4},
                 "Bear": {"sessions": 0, "sharpe": 0.0}},
        importances={"zscore_20": 47.0, "ret_5": 13.0, "dead": 0.0},
        calibration=[Bucket(x, 20 * x, 5.0, 400) for x in (-1.2, -0.4, 0.4, 1.2)],
        capacity=[Capacity(usd, 3.0 - at, 3.5, 2.0 * at, 1.0 - 0.1 * at) for at, usd in enumerate((1e6, 1e7, 1e8))],
        trials=24, pbo=0.08, loss_probability=0.02, price_tag=price_tag("k"), links=(("The report", "../index.html"),))
    return replace(told, **changes)  # type: ignore[arg-type]


def test_every_chapter_is_there_and_each_figure_has_its_interval() -> None:
    text = compose(sheet(), "tear sheet")
    read = Reader(text)
    assert re.findall("<h2>(.*?)</h2>", text) == [
        "Profit after costs", "Month by month", "Fold by fold, regime by regime", "How far to believe it",
        "What carelessness would have added", "Luck of order", "Session by session", "Capital that it carries",
        "What its scores are worth"]
    returns = sheet().excess
    shown = f"{sharpe_annual(returns):.2f}"
    for expected in (shown, "95 %:", "Deflated Sharpe", "best of 24 worthless trials", "Zero cost", "+1.07",
                     "0.97 to 1.17", "Adjusted with hindsight", "Smallest Sharpe this sample could show", "zscore_20",
                     "HighVol Chop", "Champion", "500 orders of the same 300 sessions"):  # fmt: skip
        assert expected in read.text, expected
    assert "Bear" not in read.text  # a state that was never believed


def test_it_stands_alone_and_repeats_to_the_byte() -> None:
    text = compose(sheet(), "tear sheet")
    assert text == compose(sheet(), "tear sheet")
    assert not re.search(r"https?:|<script|@import|url\(|\bnan\b|\binf\b", text)
    assert len(text.encode()) < 200_000


def test_what_was_not_measured_is_not_drawn() -> None:
    bare = sheet(gross=None, active=None, cost=None, turnover=None, others=(), folds=(), regimes={}, importances={},
                 calibration=(), capacity=(), trials=None, pbo=None, loss_probability=None, price_tag={}, links=())
    text = compose(bare, "tear sheet")
    assert re.findall("<h2>(.*?)</h2>", text) == [
        "Profit after costs", "Month by month", "How far to believe it", "Luck of order", "Session by session"]
    for silent in ("Deflated", "PBO", "Smallest", "Costs a day", "Active"):
        assert silent not in Reader(text).text, silent


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_record_of_nothing_breaks_nothing(count: int) -> None:
    short = sheet(sessions=sheet().sessions[:count], net=sheet().net[:count], others=(), folds=(), regimes={},
                  gross=None, active=None, cost=None, turnover=None)
    assert "too few" in Reader(compose(short, "tear sheet")).text
    still = sheet(net=np.zeros(COUNT), cash=0.0, active=None, gross=None, others=())
    assert "too few for a statistic" in Reader(compose(still, "tear sheet")).text


def test_a_strategys_name_cannot_script_the_page_or_leave_its_folder() -> None:
    evil = '<script>alert("x")</script>'
    assert "<script" not in compose(sheet(name=evil, told=evil, links=((evil, "../index.html"),)), evil)
    assert file_of("../../etc/passwd") == "etc-passwd.html" and file_of("..") == "strategy.html"
    assert file_of("ensemble-g50-h3") == "ensemble-g50-h3.html"


def test_months_add_up_to_the_whole() -> None:
    told = figures.by_month(["2024-12-30", "2024-12-31", "2025-01-02"], np.array([0.01, -0.02, 0.005]))
    assert told == {2024: {12: pytest.approx(-0.01)}, 2025: {1: pytest.approx(0.005)}}
    whole = sum(value for year in figures.by_month(sheet().sessions, sheet().net).values() for value in year.values())
    assert whole == pytest.approx(float(sheet().net.sum()))


def test_a_rolling_sharpe_is_that_of_its_window() -> None:
    excess = sheet().excess
    rolled = figures.rolling_sharpe(excess, 63)
    assert rolled[:62] == [None] * 62 and len(rolled) == COUNT
    for at in (62, 150, COUNT - 1):
        assert rolled[at] == pytest.approx(sharpe_annual(excess[at - 62 : at + 1]))
    assert figures.longest_under_water(np.array([0.1, -0.05, -0.01, 0.07, -0.2])) == 2


def test_a_score_that_foresees_rises_and_one_that_does_not_stays_level() -> None:
    rng = np.random.default_rng(4)
    score = rng.standard_normal((400, 20))
    score[:, 0] = np.nan
    told = figures.calibration(score, 0.002 * np.nan_to_num(score) + 0.01 * rng.standard_normal((400, 20)))
    assert len(told) == figures.BUCKETS and sum(one.count for one in told) == 400 * 19
    assert told[-1].earned_bp - told[0].earned_bp > 40 and told[0].earned_bp + 3 * told[0].error_bp < 0
    level = figures.calibration(score, 0.01 * rng.standard_normal((400, 20)) + 0.05)  # a market that rose says nothing
    assert max(abs(one.earned_bp) / one.error_bp for one in level) < 4
    # Names that all move together are one observation a session, not twenty.
    common = rng.standard_normal((400, 1)) * 0.01 * np.sign(np.nan_to_num(score))
    together = figures.calibration(score, common)
    alone = figures.calibration(score, rng.standard_normal((400, 20)) * 0.01)
    assert together[0].error_bp > 1.5 * alone[0].error_bp
    assert figures.calibration(score[:1], score[:1]) == []


def rule_night() -> tuple[JudgedNight, Decided, Prices]:
    panel, returns = planted.market(3, sessions=160, names=10)
    returns[-2:] = np.nan
    inputs = Inputs(panel, returns)
    opens = 50.0 * np.cumprod(1 + np.vstack([np.zeros((1, 10)), np.nan_to_num(returns)[:-1]]), axis=0)
    bars = {"session": np.repeat(panel.sessions, 10), "instrument_id": np.tile(panel.names, 160),
            "open": opens.ravel(), "close": opens.ravel(), "volume": np.full(1600, 2e6),
            "split_factor": np.ones(1600), "total_return_factor": np.ones(1600)}
    prices = prices_of(bars, panel)
    rule = Candidate("baseline", RuleConfig("trend", "ret_20", 1.0))
    rows = np.arange(60, 158)
    weights = {"trend": rule_weights(rule.config, panel, rows.tolist())}
    walked = Walked(rows, panel.sessions[rows], panel.names, (rule,), weights, np.zeros((98, 1)), ("Bull",), {}, {}, {},
                    inputs.digest())
    night = judge_all(walked, prices, CostModel.default(), 2.0)
    return night, of_walk(walked), judged_window(prices, night)


def test_more_capital_costs_more_and_fills_less() -> None:
    night, decided, window = rule_night()
    costs = CostModel.default()
    told = figures.capacity(window, decided.weights[0], costs, (1e6, 1e7, 1e9))
    assert told[0].cost_bp_daily < told[1].cost_bp_daily and told[2].filled_share < told[0].filled_share <= 1.0
    assert told[0].sharpe_net > told[1].sharpe_net
    own = judge(window, decided.weights[0], costs)
    assert told[1].sharpe_net == sharpe_annual(own.excess) == pytest.approx(sharpe_annual(night.series["excess"][:, 0]))


def test_the_files_hold_what_was_judged(tmp_path: Path) -> None:
    night, decided, window = rule_night()
    rows = export.write(tmp_path, night, decided, window, {"N00": "AAA"}, "trend")
    returns = pq.read_table(tmp_path / "judged-returns.parquet")
    assert rows["judged-returns"] == returns.num_rows == 2 * len(night.sessions)
    own = returns.filter(np.array(returns["strategy"].to_pylist()) == "trend")
    assert own["net"].to_pylist() == night.series["net"][:, 0].tolist()
    positions = pq.read_table(tmp_path / "judged-positions.parquet").to_pylist()
    trades = pq.read_table(tmp_path / "judged-trades.parquet").to_pylist()
    assert {one["symbol"] for one in positions} >= {"AAA", "N01"}
    held: dict[str, int] = {}
    for one in trades:
        held[one["instrument_id"]] = held.get(one["instrument_id"], 0) + one["shares"]
    last = {one["instrument_id"]: one["shares"] for one in positions if one["session"] == max(
        other["session"] for other in positions)}
    assert {name: shares for name, shares in held.items() if shares} == last  # trades add up to what is held
    costs = sum(one["cost_usd"] for one in trades)
    charged = float(night.series["cost"][:, 0].sum()) * 1e7
    short = sum(max(0.0, -one["shares"] * one["price"]) for one in positions)
    assert costs + short * 0.005 / 252 == pytest.approx(charged)
    text = list(csv.reader(io.StringIO((tmp_path / "judged-trades.csv").read_text())))
    assert len(text) == len(trades) + 1 and text[0][:4] == ["session", "strategy", "instrument_id", "symbol"]
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    export.write(tmp_path, night, decided, window, {"N00": "AAA"}, "trend")
    assert first == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_prices_of_another_night_are_refused(tmp_path: Path) -> None:
    night, decided, window = rule_night()
    other = replace(window, open_raw=window.open_raw * np.linspace(1.0, 1.2, len(window.open_raw))[:, None])
    with pytest.raises(ValueError, match="another night"):
        export.write(tmp_path, night, decided, other, {}, "trend")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_the_sheet_fits_a_phone_and_a_desk(tmp_path: Path, chromium: str, width: int) -> None:
    assert wide_as_shown(compose(sheet(), "tear sheet"), tmp_path, chromium, width) == width
