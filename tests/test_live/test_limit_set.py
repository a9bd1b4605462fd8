"""Every limit of the set, by preset and by name, holds under whatever a model may ask for."""

import datetime as dt
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.clock import TapeClock
from live.risk import PRESETS, Limits, Memory, Proposal, RiskState, Situation, preset, screen
from live.risk.groups import correlated
from live.risk.manager import Portfolio, RiskManager, Trade
from live.settings import LimitsError, load_limits
from models.market.costs import target_shares

NAMES = tuple("ABCDEF")
SECTORS = {"A": "tech", "B": "tech", "C": "energy"}
PRICES = np.array([50.0, 20.0, 400.0, 5.0, 90.0, 10.0])
STRICT = Limits(
    max_gross=1.2, max_weight=0.3, max_order_notional_usd=250_000.0, max_orders_per_session=5, max_sector=0.4,
    max_correlated=0.5, class_caps={"crypto": 0.1}, classes={"F": "crypto"}, sectors=SECTORS, max_risk_per_trade=0.01,
    max_orders_per_minute=4, headroom_scaling=True,
)
GROUPS = {"sector": SECTORS, "class": {"F": "crypto"}, "correlated": {"A": "A", "C": "A", "D": "D"}}
wild = st.one_of(st.floats(-3.0, 3.0), st.sampled_from([math.nan, math.inf, -math.inf, 1e9, -1e9, 0.0]))


def proposals(scores: list[float], weights: list[float], held: dict[str, int]) -> list[Proposal]:
    """As the runner makes them: weights to whole shares, shares to changes."""
    wanted = target_shares(np.array(weights), 1e6, PRICES)
    return [Proposal(name, int(wanted[i]) - held.get(name, 0), float(PRICES[i]), scores[i], True,
                     float(PRICES[i]) * 0.03)
            for i, name in enumerate(NAMES) if math.isfinite(wanted[i]) and int(wanted[i]) != held.get(name, 0)]


@settings(max_examples=250, deadline=None)
@given(st.lists(wild, min_size=6, max_size=6), st.lists(wild, min_size=6, max_size=6),
       st.dictionaries(st.sampled_from(NAMES), st.integers(-3_000, 3_000)), st.floats(0.0, 1.0),
       st.integers(0, 5), st.sampled_from(RiskState))
def test_no_wild_score_or_weight_gets_an_order_past_any_limit(
    scores: list[float], weights: list[float], held: dict[str, int], headroom: float, recent: int, state: RiskState
) -> None:
    prices = dict(zip(NAMES, PRICES.tolist(), strict=True))
    now = Situation(1e6, held, prices, 0, state, GROUPS, headroom, recent)
    asked = proposals(scores, weights, held)
    sent = [verdict for verdict in screen(STRICT, now, asked + asked) if verdict.quantity]  # all of it twice
    assert len({verdict.proposal.instrument_id for verdict in sent}) == len(sent) <= max(0, 4 - recent)
    exposure = {name: abs(shares) * prices[name] for name, shares in held.items()}
    for verdict in sent:
        wanted, before = verdict.proposal, held.get(verdict.proposal.instrument_id, 0)
        after = before + verdict.quantity
        assert math.isfinite(wanted.score) and state is not RiskState.HALTED
        assert abs(verdict.quantity) * wanted.price <= 250_000.0
        if abs(after) <= abs(before) and after * before >= 0:
            continue
        assert state is RiskState.ACTIVE
        exposure[wanted.instrument_id] = max(exposure.get(wanted.instrument_id, 0.0), abs(after) * wanted.price)
        assert abs(after) * wanted.price <= 0.3e6
        assert abs(after) * wanted.risk_usd_per_share <= 0.01e6
        for kind, cap in (("sector", 0.4e6), ("correlated", 0.5e6), ("class", 0.1e6)):
            group = GROUPS[kind].get(wanted.instrument_id)
            if kind != "class" or group == "crypto":
                together = [usd for name, usd in exposure.items() if GROUPS[kind].get(name) == group]
                assert math.fsum(together) <= cap * (1 + 1e-12)
        assert math.fsum(exposure.values()) <= 1.2e6 * (1 + 1e-12)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_refuses_what_is_out_of_all_proportion(name: str) -> None:
    now = Situation(1e5, {}, {"A": 50.0}, 0, RiskState.ACTIVE)
    (verdict,) = screen(preset(name), now, [Proposal("A", 10**6, 50.0, 1e9, True, 1.0)])
    assert verdict.quantity == 0


def test_the_seeds_figures_stand_behind_their_names() -> None:
    assert (preset("risk-manager").daily_loss_halt, preset("risk-manager").drawdown_halt,
            preset("risk-manager").max_weight, preset("risk-manager").max_sector,
            preset("risk-manager").max_correlated) == (0.02, 0.10, 0.20, 0.40, 0.60)
    assert (preset("circuit-breakers").daily_loss_halt, preset("circuit-breakers").max_losses_in_a_row,
            preset("circuit-breakers").cooling_off_s) == (0.05, 3, 3600.0)
    assert (preset("per-trade").max_risk_per_trade, preset("per-trade").min_reward_risk,
            preset("per-trade").monthly_loss_halt) == (0.01, 2.5, 0.05)
    assert preset("guardrails").daily_loss_halt == 0.15
    assert [name for name in PRESETS if preset(name).close_on_halt] == ["risk-manager", "guardrails"]
    assert [preset(name).max_weight for name in ("dev", "staging", "prod", "aggressive")] == [0.05, 0.05, 0.10, 0.20]
    with pytest.raises(ValueError, match="known: default"):
        preset("reckless")


def test_a_trade_with_too_small_a_target_is_refused_and_one_without_any_is_not() -> None:
    now = Situation(1e6, {}, {"A": 50.0}, 0, RiskState.ACTIVE)
    ask = Proposal("A", 100, 50.0, 1.0, True, 1.0)
    for ratio, refused in ((2.4, "reward_risk"), (2.5, None), (None, None)):
        (verdict,) = screen(preset("per-trade"), now, [ask._replace(reward_risk=ratio)])
        assert verdict.refused_by == refused
    (unknown,) = screen(preset("per-trade"), now, [ask._replace(risk_usd_per_share=math.nan)])
    assert unknown.refused_by == "risk_per_trade"


def test_what_is_held_at_an_unknown_price_leaves_no_room_that_anybody_knows_of() -> None:
    proposal = Proposal("B", 10, 20.0, 1.0, True)
    held = Situation(1e6, {"A": 10_000}, {"A": 50.0, "B": 20.0}, 0, RiskState.ACTIVE)
    assert screen(Limits(), held, [proposal])[0].quantity == 10
    assert screen(Limits(), held._replace(prices={"B": 20.0}), [proposal])[0].refused_by == "gross"


def test_targets_shrink_by_the_root_of_the_headroom() -> None:
    ask = Proposal("A", 1_000, 50.0, 1.0, True)
    for left, shares in ((1.0, 1_000), (0.25, 500), (0.0, 0)):
        now = Situation(1e6, {}, {"A": 50.0}, 0, RiskState.ACTIVE, headroom=left)
        (verdict,) = screen(Limits(headroom_scaling=True), now, [ask])
        assert verdict.quantity == shares


def test_names_that_move_together_are_found_over_a_chain_and_either_sign() -> None:
    rng = np.random.default_rng(3)
    base, other = rng.normal(size=60), rng.normal(size=60)
    returns = np.stack([base, -base + rng.normal(0, 0.05, 60), base + rng.normal(0, 0.05, 60), other,
                        np.full(60, np.nan), np.zeros(60)], axis=1)
    assert correlated(NAMES, returns, 0.8) == {"A": "A", "B": "A", "C": "A", "D": "D", "F": "F"}


def test_memory_is_rebuilt_from_closes_and_cools_off_after_losses_in_a_row() -> None:
    day = [dt.datetime(2025, 3, 27, 21, tzinfo=dt.UTC) + dt.timedelta(days=n) for n in range(6)]
    equity = [105.0, 104.0, 103.0, 100.0, 101.0, 99.0]
    memory = Memory.since(100.0, [(at, at.date(), worth) for at, worth in zip(day[:4], equity, strict=False)])
    limits = preset("circuit-breakers")
    assert memory.losses_in_a_row == 3 and memory.drawdown(100.0) == pytest.approx(5 / 105)
    assert memory.cooling_until(limits, day[3] + dt.timedelta(seconds=3599)) == day[3] + dt.timedelta(hours=1)
    assert memory.cooling_until(limits, day[3] + dt.timedelta(hours=1)) is None
    memory.closed(day[4], day[4].date(), equity[4])
    assert memory.losses_in_a_row == 0
    memory.opened(dt.date(2025, 4, 1))
    assert memory.month_loss(99.99) == pytest.approx(0.01)
    assert memory.headroom(Limits(drawdown_halt=0.1, daily_loss_halt=0.02), 105.0, 0.015) == pytest.approx(0.25)


def test_a_limits_file_takes_a_preset_and_groups(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text('[limits]\npreset = "risk-manager"\nmax_weight = 0.1\n[sectors]\ntech = ["A", "B"]\n')
    assert load_limits(path) == replace(preset("risk-manager"), max_weight=0.1, sectors={"A": "tech", "B": "tech"})
    for text in ('preset = "reckless"', "max_weight = -0.1", "drawdown_halt = nan"):
        path.write_text(f"[limits]\n{text}\n")
        with pytest.raises(LimitsError, match=r"(?s)limits\.toml: .*(reckless|max_weight|drawdown_halt)"):
            load_limits(path)


def test_the_manager_answers_like_the_seeds_and_says_which_limit() -> None:
    manager = RiskManager(initial_capital=100_000.0, limits=Limits(max_weight=0.5, max_gross=0.8))
    assert manager.can_open_position("SPY", 100, 450.0, 100_000) == (True, "Position allowed")
    assert manager.can_open_position("SPY", 100, 450.0, 40_000)[1].startswith("capital: 45,000.00")
    assert manager.can_open_position("SPY", 120, 450.0, 100_000)[1].startswith("weight: 0.5400")
    manager.update_position("QQQ", 100, 400.0)
    assert manager.can_open_position("SPY", 100, 450.0, 100_000)[1].startswith("gross: 0.8500")
    assert not manager.can_open_position("SPY", 1, math.nan, 100_000)[0]
    assert manager.validate_trade(Trade("A", 100, 50.0), Portfolio(1e5)) == (True, "within all limits")
    assert [alert["type"] for alert in manager.check_risk_alerts()] == ["position_size_alert"]
    manager.update_pnl(-9_000.0)
    assert manager.kill_switch_active
    assert manager.can_open_position("SPY", 1, 450.0, 100_000)[1].startswith("state")
    assert {(alert["type"], alert["severity"]) for alert in manager.check_risk_alerts()} >= {
        ("daily_loss_alert", "high"), ("kill_switch", "high")}
    manager.reset_daily_metrics()
    assert manager.kill_switch_active  # a new day forgives nothing
    manager.reset("looked into it")
    assert manager.can_open_position("SPY", 1, 450.0, 100_000)[0]


def test_the_manager_knows_the_drawdown_of_the_portfolio_that_it_is_shown() -> None:
    manager = RiskManager(100_000.0, preset("portfolio-constraints"))
    buy, sell = Trade("A", 10, 50.0), Trade("A", -10, 50.0)
    assert manager.validate_trade(buy, Portfolio(96_001.0))[0]
    assert manager.validate_trade(buy, Portfolio(80_000.0)) == (
        False, "state: the account is HALTED; daily loss 0.2000 of equity")
    reducing = Portfolio(95_000.0, {"A": 10}, {"A": 50.0})
    assert not manager.validate_trade(buy, reducing)[0] and manager.validate_trade(sell, reducing)[0]
    assert manager.validate_trade(Trade("A", 0, 50.0), Portfolio(1e5)) == (
        False, "state: not one whole share is left to trade")
    assert manager.state.name == "ACTIVE"  # asking is not telling: only `update_nav` moves the state


def test_after_losses_in_a_row_nothing_is_opened_until_the_cooling_off_is_over() -> None:
    clock = TapeClock(dt.datetime(2025, 6, 26, 16, tzinfo=dt.UTC))
    manager = RiskManager(100_000.0, preset("guardrails"), clock=clock)
    for _ in range(3):
        manager.record_exit(-50.0, clock.now())
    may, why = manager.can_open_position("SPY", 10, 450.0, 100_000.0)
    assert not may and why == "state: the account is REDUCING; cooling off until 17:00:00 after losses in a row"
    manager.update_position("SPY", 10, 450.0)
    assert manager.can_open_position("SPY", -10, 450.0, 100_000.0)[0]
    clock.advance_us(clock.now_us + 3_600_000_000)
    assert manager.can_open_position("SPY", 10, 450.0, 100_000.0)[0]


def test_the_manager_checks_and_scales_a_sized_position() -> None:
    @dataclass(frozen=True)
    class Size:
        percent_of_nav: float
        dollar_amount: float
        capped: bool = False

    manager = RiskManager(100_000.0, preset("risk-manager"))
    assert manager.check_limits(Size(0.2, 20_000)).approved
    assert manager.check_limits(Size(math.nan, 0.0)).violations == ["POSITION_SIZE: nan% > 20.00%"]
    manager.update_pnl(-1_500.0)
    scaled = manager.scale_for_risk(Size(0.2, 20_000))  # a quarter of the day's 2 % is left
    assert (scaled.percent_of_nav, scaled.dollar_amount) == pytest.approx((0.1, 10_000.0)) and scaled.capped
