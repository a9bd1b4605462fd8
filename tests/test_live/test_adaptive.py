"""Sizes adapt to regime and recent results where limits ask for it, and every preset's figures act in the engine."""

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path

import pytest

from live.backtest import backtest
from live.fakes import ListFeed
from live.journal import Journal
from live.risk import PRESETS, Limits, Memory
from live.risk.adaptive import performance_scale, regime_scale, size_scale
from live.settings import load_limits
from models.intraday import Intraday, Size, StopRule
from models.signals.intraday import EmaCross
from tests.test_live import world
from tests.test_live.test_inside import bundle, market, rows
from tests.test_live.test_replay import bars, engine

NOW = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
COMING = world.world().coming


def memory(*profits: float) -> Memory:
    made = Memory(1e6, 1e6, 1e6)
    for profit in profits:
        made.exited(NOW, profit)
    return made


def test_the_seeds_figures_by_hand() -> None:
    scales = Limits().regime_scales
    assert regime_scale(scales, {"HIGH_VOLATILITY": 1.0}) == 0.7 and regime_scale(scales, {"PINNING": 1.0}) == 0.5
    assert regime_scale(scales, {"HighVol_Chop": 0.5, "Bull": 0.5}) == pytest.approx(0.85)
    assert performance_scale(memory(1, 2, -1, -1)) == 1.0  # too few to say anything
    assert performance_scale(memory(1, 2, -1, -1, 1)) == 2.0  # four won for two lost
    assert performance_scale(memory(*[-1.0] * 6)) == 0.3 and performance_scale(memory(*[1.0] * 6)) == 2.0
    assert performance_scale(memory(3, -1, -1, -1, -1, -1)) == pytest.approx(0.6)
    assert size_scale(Limits(), memory(*[-1.0] * 9), {"PINNING": 1.0}) == 1.0  # nobody asked for it
    assert size_scale(Limits(adaptive_sizing=True), memory(*[-1.0] * 9), {"PINNING": 1.0}) == pytest.approx(0.15)


def test_a_daily_strategy_asks_for_less_after_losses_and_the_decision_says_so(tmp_path: Path) -> None:
    folder = world.publish(tmp_path / "bundles")
    wanted = []
    for adaptive in (False, True):
        with Journal(tmp_path / f"{adaptive}.sqlite") as journal:
            trading = engine(folder, journal, limits=Limits(adaptive_sizing=adaptive))
            trading.memory.results.extend([-5.0] * 8)
            trading.run_session(COMING[0], ListFeed({COMING[0]: bars(0)}))
            wanted.append(next(iter(journal.entries("decision"))).payload)
    assert wanted[0]["weights"] == wanted[1]["weights"] and "scale" not in wanted[0]
    scale = wanted[1]["scale"]
    assert 0.3 * 0.7 <= scale <= 0.3
    for small, whole in zip(wanted[1]["wanted"], wanted[0]["wanted"], strict=True):
        assert abs(small - whole * scale) <= 1.0 + scale


def test_inside_the_session_a_rule_trades_less_after_trades_that_lost(tmp_path: Path) -> None:
    chosen = bundle(Intraday(rule=EmaCross(3, 8, short=True), size=Size("shares", 1_000)))
    result = backtest(chosen, ListFeed(market()), tmp_path / "j.sqlite", limits=Limits(adaptive_sizing=True))
    by_day: dict[str, set[int]] = {}
    for trade in result.trades:
        by_day.setdefault(trade["opened_at"][:10], set()).add(trade["shares"])
    days = sorted(by_day)
    assert by_day[days[0]] == {1_000}
    assert any(size != 1_000 and 300 <= size <= 2_000 for day in days[1:] for size in by_day[day])


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_no_preset_is_breached_by_a_rule_that_wants_too_much(tmp_path: Path, name: str) -> None:
    """RSK-8 to 13 where they act: positions, gross, losses and cooling-off of a strategy that bets the house."""
    limits = replace(PRESETS[name], stops=StopRule("fixed", pct=0.01, reward_risk=3.0))
    chosen = bundle(Intraday(rule=EmaCross(2, 5, short=True), size=Size("weight", 0.15)))
    result = backtest(chosen, ListFeed(market(volume=1e6)), tmp_path / "j.sqlite", limits=limits)
    book: dict[str, int] = {}
    last: dict[str, float] = {}
    peak = equity = result.capital
    for row in rows(tmp_path / "j.sqlite", "fill"):
        before = book.get(row["instrument_id"], 0)
        book[row["instrument_id"]], last[row["instrument_id"]] = before + row["quantity"], row["price"]
        if abs(book[row["instrument_id"]]) > abs(before):
            value = abs(book[row["instrument_id"]]) * row["price"]
            assert value <= limits.max_weight * 1.01 * peak  # by the price and equity known when it was decided
            gross = math.fsum(abs(shares) * last[held] for held, shares in book.items())
            assert gross <= limits.max_gross * 1.02 * peak
    closes = rows(tmp_path / "j.sqlite", "close")
    for row in closes:
        peak, equity = max(peak, row["equity"]), row["equity"]
    assert equity > 0 and result.orders < limits.max_orders_per_session * len(closes) + 1
    if limits.max_risk_per_trade < 1:  # a stop of 1 % of the price may cost no more than 1 % of the account
        assert all(abs(trade["shares"] * trade["entry"] * 0.01) <= limits.max_risk_per_trade * peak * 1.01
                   for trade in result.trades)


def test_stops_in_a_row_cool_the_desk_off(tmp_path: Path) -> None:
    limits = Limits(max_losses_in_a_row=3, cooling_off_s=3600.0, stops=StopRule("fixed", pct=0.0015))
    chosen = bundle(Intraday(rule=EmaCross(2, 5, short=True), size=Size("shares", 500)))
    result = backtest(chosen, ListFeed(market()), tmp_path / "j.sqlite", limits=limits)
    in_a_row, cold_until = 0, ""
    intents = {row["order_id"]: row for row in rows(tmp_path / "j.sqlite", "intent")}
    events = sorted([(trade["closed_at"], 1, trade) for trade in result.trades]
                    + [(row["at"], 0, row) for row in intents.values()], key=lambda event: event[:2])
    cooled = 0
    for at, kind, row in events:
        if kind == 1:  # an order of the same moment was decided before its fill was known
            in_a_row = in_a_row + 1 if row["pnl"] < 0 else 0 if row["pnl"] > 0 else in_a_row
            if in_a_row >= 3:
                cold_until = (dt.datetime.fromisoformat(at) + dt.timedelta(hours=1)).isoformat()
                cooled += 1
        elif at < cold_until and in_a_row >= 3:
            assert row.get("reduce_only"), (at, cold_until, row)
    assert cooled > 2


def test_the_new_limits_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text(
        '[limits]\npreset = "guardrails"\nadaptive_sizing = true\nregime_scales = { Bear = 0.4 }\n'
        '[limits.stops]\nmethod = "trailing"\npct = 0.02\n')
    told = load_limits(tmp_path / "limits.toml")
    assert told.stops == StopRule("trailing", pct=0.02) and told.adaptive_sizing and told.max_weight == 0.2
    assert told.regime_scales == {"Bear": 0.4}
