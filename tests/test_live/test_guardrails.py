"""Guardrails under familiar names: the same answers as the limits that the engine asks."""

import datetime as dt
import math
import subprocess
import sys
from dataclasses import dataclass, replace

import pytest

from live.clock import TapeClock
from live.risk import (
    AdaptivePositionSizing,
    CircuitBreakers,
    Limits,
    LiveTradingEngine,
    Memory,
    Portfolio,
    PortfolioConstraints,
    RiskManager,
    Trade,
    preset,
)
from live.risk.adaptive import size_scale
from tests.test_live.test_light import HEAVY

NOON = dt.datetime(2025, 6, 26, 16, tzinfo=dt.UTC)


@dataclass
class Context:
    regime: str | None


def after(clock: TapeClock, seconds: float) -> None:
    clock.advance_us(clock.now_us + int(seconds * 1e6))


def test_three_losses_in_a_row_break_the_circuit_for_an_hour() -> None:
    clock = TapeClock(NOON)
    breakers = CircuitBreakers(100_000.0, clock=clock)
    stated = preset("circuit-breakers")
    assert (breakers.daily_loss_limit, breakers.consecutive_stops_limit, breakers.cooling_off_period) == (
        stated.daily_loss_halt, stated.max_losses_in_a_row, stated.cooling_off_s) == (0.05, 3, 3600.0)
    for pnl in (-1.0, -1.0, 5.0, -1.0, -1.0):  # a win in between: two in a row
        breakers.record_exit(pnl)
    assert breakers.check_guardrails()
    breakers.record_exit(-1.0)
    assert breakers.consecutive_stops_exceeded() and not breakers.check_guardrails()
    after(clock, 3599.0)
    assert not breakers.check_guardrails()
    after(clock, 1.0)
    assert breakers.check_guardrails()
    breakers.record_exit(-1.0)  # a fourth in a row begins another hour
    assert not breakers.check_guardrails()


def test_a_day_s_loss_breaks_the_circuit_until_a_person_resets_it() -> None:
    breakers = CircuitBreakers(100_000.0, daily_loss_limit=0.03, clock=TapeClock(NOON))
    breakers.update_nav(97_001.0)
    assert breakers.check_guardrails() and not breakers.daily_loss_exceeded()
    breakers.update_nav(97_000.0)
    assert breakers.daily_loss_exceeded() and not breakers.check_guardrails()
    breakers.update_nav(99_000.0)
    breakers.risk.reset_daily_metrics()
    assert not breakers.check_guardrails()  # a halt outlives the day
    breakers.risk.reset("looked at")
    assert breakers.check_guardrails()


@pytest.mark.parametrize(("regime", "by"), [("HIGH_VOLATILITY", 0.7), ("PINNING", 0.5), ("NORMAL", 1.0), (None, 1.0)])
def test_the_adaptive_size_is_the_engine_s_scale_of_two_percent(regime: str | None, by: float) -> None:
    sizing, memory = AdaptivePositionSizing(), Memory(1e6, 1e6, 1e6)
    assert sizing.calculate_size({"side": 1}, Context(regime)) == pytest.approx(0.02 * by)
    for pnl in (3.0, -1.0, -1.0, -1.0, -1.0, -1.0):
        sizing.record_exit(pnl, NOON)
        memory.exited(NOON, pnl)
    assert sizing.get_recent_performance() == pytest.approx(0.6)
    scale = size_scale(Limits(adaptive_sizing=True), memory, {regime: 1.0} if regime else {})
    assert sizing.calculate_size({}, Context(regime)) == 0.02 * scale == pytest.approx(0.02 * by * 0.6)


def test_constraints_are_the_preset_s_and_remember_the_peak() -> None:
    constraints = PortfolioConstraints(replace(
        preset("portfolio-constraints"), classes={"BTC": "crypto", "ETH": "crypto"}, sectors={"BTC": "a", "ETH": "b"}))
    account = Portfolio(1_000_000.0, {"BTC": 20}, {"BTC": 10_000.0, "ETH": 1_000.0})
    asked = Trade("ETH", 150, 1_000.0)
    told = constraints.validate_trade(asked, account)
    assert told == RiskManager(1e6, constraints.risk.limits).validate_trade(asked, account)
    assert told[0] is False and told[1].startswith("class:crypto")
    assert PortfolioConstraints().validate_trade(Trade("ETH", 10, 1_000.0), account) == (True, "within all limits")
    fallen = replace(account, equity=799_000.0)
    assert PortfolioConstraints().validate_trade(Trade("ETH", 10, 1_000.0), fallen)[0]
    assert constraints.validate_trade(Trade("ETH", 10, 1_000.0), fallen)[1].startswith("state: the account is HALTED")


def test_alerts_are_the_manager_s() -> None:
    manager = RiskManager(initial_capital=100_000)
    manager.update_position("SPY", 100, 450.0)
    engine = LiveTradingEngine(risk_manager=manager)
    assert engine.check_risk_alerts() == manager.check_risk_alerts()
    assert [one["type"] for one in engine.check_risk_alerts()] == ["position_size_alert"]
    assert {"type", "severity"} <= set(engine.check_risk_alerts()[0])


def test_limits_by_their_familiar_names_and_a_capital_that_is_told_later() -> None:
    manager = RiskManager(max_daily_loss_pct=0.02, max_drawdown_pct=0.10, max_position_pct=0.20,
                          max_sector_exposure=0.40, max_correlation_exposure=0.60)
    stated = preset("risk-manager")
    assert manager.limits == replace(stated, headroom_scaling=False, close_on_halt=False)
    assert not manager.can_open_position("SPY", 1, 100.0, 1e6)[0]  # of an account that nobody has told of
    assert manager.check_risk_alerts()
    manager.update_nav(50_000.0)
    assert manager.current_drawdown == manager.daily_loss_pct == 0.0
    assert manager.can_open_position("SPY", 50, 100.0, 1e6) == (True, "Position allowed")
    assert not manager.can_open_position("SPY", 101, 100.0, 1e6)[0]
    manager.update_nav(49_000.0)
    assert manager.kill_switch_active


def test_a_worth_that_is_no_number_is_refused_and_not_taken_for_no_loss() -> None:
    breakers = CircuitBreakers(100_000.0, clock=TapeClock(NOON))
    for nav in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite number"):
            breakers.update_nav(nav)
    assert breakers.risk.current_nav == 100_000.0


def test_the_runner_s_names_load_nothing_of_the_night() -> None:
    asked = "import sys, live.outcomes, live.orders, live.risk, live.tick_stream; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert not set(HEAVY) & {name.partition(".")[0] for name in loaded} and "live.ticks" in loaded
