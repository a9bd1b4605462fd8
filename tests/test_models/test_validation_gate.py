"""The gate: what it lets through, what it stops, and whether it says why."""

from dataclasses import replace

import numpy as np
import pytest

from models.validation.gate import Evidence, GatePolicy, Health, best, judge, judge_refresh

POLICY = GatePolicy()
CLEAN = Health(True, True, True)


def evidence(annual_sharpe, seed=0, **changes):
    rng = np.random.default_rng(seed)
    common = rng.normal(0.0, 0.008, (504, 1))
    active = annual_sharpe * 0.01 / np.sqrt(252) + common + rng.normal(0.0, 0.006, (504, 4))
    chosen = best(active)
    base = Evidence(("a", "b", "c", "d"), active, active[:, chosen] - 1e-4, chosen, None, 4, CLEAN, 7)
    return replace(base, **changes)


def failed(verdict):
    return [check.name for check in verdict.checks if not check.passed]


def test_strong_skill_is_promoted_and_every_check_is_reported():
    verdict = judge(evidence(5.5), POLICY)
    assert verdict.act == "promote" and verdict.promoted and not failed(verdict)
    assert [check.name for check in verdict.checks] == [
        "deflated_sharpe", "loss_probability", "spa_buy_and_hold", "cost_stress", "leak", "parity", "structure",
        "ledger", "feature_range"]
    assert all(reason.endswith(".") for reason in verdict.reasons)


def test_noise_is_refused_in_words():
    promotions = 0
    for seed in range(15):
        verdict = judge(evidence(0.0, seed), POLICY)
        promotions += verdict.promoted
        assert verdict.promoted or any("Luck is not ruled out" in reason for reason in verdict.reasons)
    assert promotions == 0


def test_n_has_a_floor_and_raises_the_bar():
    few, many = judge(evidence(2.4, trials_n=1), POLICY), judge(evidence(2.4, trials_n=400), POLICY)
    assert few.figures["trials_n"] == 10.0
    assert few.checks[0].value > many.checks[0].value
    assert few.smallest_visible_sharpe["50"] < many.smallest_visible_sharpe["50"]


@pytest.mark.parametrize(("health", "name", "word"), [
    (Health(False, True, True, words=("leaky_ret, first on 2024-03-05",)), "leak", "leaky_ret"),
    (Health(None, True, True), "leak", "did not run"),
    (Health(True, False, True), "parity", "do not repeat"),
    (Health(True, True, True, ledger_clean=False), "ledger", "lost trials"),
    (Health(True, True, False), "structure", "not what it claims"),
    (Health(True, True, True, out_of_range=("iv30",)), "feature_range", "iv30"),
    (Health(True, True, True, missing=("ret_5",)), "feature_range", "ret_5"),
])
def test_any_unclean_part_vetoes_alone(health, name, word):
    verdict = judge(evidence(5.5, health=health), POLICY)
    assert verdict.act == "reject" and failed(verdict) == [name] and word in verdict.reasons[0]


def test_dear_trading_and_a_better_champion_veto():
    strong = evidence(5.5)
    assert failed(judge(replace(strong, active_stressed=strong.active_stressed - 0.01), POLICY)) == ["cost_stress"]
    rival = strong.active.max(axis=1)
    assert failed(judge(replace(strong, champion_active=rival), POLICY)) == ["spa_champion"]


def test_a_refresh_needs_no_alpha_but_must_not_be_worse():
    weak = evidence(0.3)
    same = replace(weak, champion_active=weak.active[:, weak.chosen].copy())
    assert judge_refresh(same, POLICY).act == "refresh"
    worse = replace(same, champion_active=same.champion_active + 0.001)
    assert failed(judge_refresh(worse, POLICY)) == ["non_inferiority"]
    leaky = replace(same, health=Health(False, True, True))
    assert failed(judge_refresh(leaky, POLICY)) == ["leak"]
