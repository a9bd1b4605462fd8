"""Markets of known truth, the policy file, and the shortcuts of the harness: each equal to what it stands in for."""

import numpy as np
import pytest

from models.backtest.benchmark import active_returns
from models.validation import batch, nulls, statistics
from models.validation.gate import Evidence, GatePolicy, Health, best, judge, judge_refresh, passes
from models.validation.policy import preset, presets, words

CLEAN = Health(True, True, True)


def evidence(active, trials=10):
    chosen = best(active)
    return Evidence(tuple(map(str, range(active.shape[1]))), active, active[:, chosen], chosen, None, trials, CLEAN, 3)


@pytest.mark.parametrize("family", nulls.FAMILIES)
def test_no_candidate_of_a_null_market_has_skill_and_they_are_as_alike_as_asked(family):
    markets = np.stack([nulls.null_market(family, 1, number, 504, 8, 0.5) for number in range(60)])
    sharpe = markets.mean(axis=1) / markets.std(axis=1, ddof=1) * np.sqrt(252)
    assert abs(sharpe.mean()) < 0.35  # its standard error is about 0.07 for what is common, twice that in storms
    alike = np.mean([np.corrcoef(one.T)[np.triu_indices(8, 1)].mean() for one in markets])
    assert 0.25 < alike < 0.6
    again = nulls.null_market(family, 1, 7, 504, 8, 0.5)
    assert np.array_equal(again, markets[7]) and not np.array_equal(markets[7], markets[8])


def test_the_quick_way_to_active_returns_is_the_judges_own():
    chance = np.random.default_rng(0)
    earned, index, exposure = chance.normal(size=(400, 3)), chance.normal(size=400), chance.uniform(0, 1, (400, 3))
    one_by_one = np.column_stack([active_returns(earned[:, at], index, exposure[:, at]) for at in range(3)])
    assert np.allclose(nulls.active_of(earned, index, exposure), one_by_one, rtol=0.0, atol=1e-12)


def test_a_years_deflated_sharpes_are_those_of_each_night():
    active = nulls.null_market("student_garch", 2, 0, 300, 6, 0.5)
    column, z = batch.nightly_best(active, 200, 12)
    for night in (0, 50, 100):
        window = active[: 200 + night]
        assert column[night] == best(window)
        told = statistics.dsr(statistics.moments(window[:, column[night]]), 12)
        assert statistics._NORMAL.cdf(z[night]) == pytest.approx(told, abs=1e-9)
    assert statistics._NORMAL.cdf(batch.z_bar(0.95)) == pytest.approx(0.95)


def test_the_gate_in_a_hurry_answers_as_the_gate():
    answers = []
    for number in range(8):
        active = nulls.planted_market(3, 0.8 * number, 1, number, 256, 3, 0.5)
        one = evidence(active)
        for policy in (preset("default"), preset("seeds")):
            answers.append(passes(one, policy))
            assert answers[-1] == judge(one, policy).promoted
    assert 3 < sum(answers) < 13
    leaky = Evidence(**{**vars(one), "health": Health(None, True, True)})
    assert not passes(leaky, policy) and not passes(evidence(active[:20]), policy)


def test_the_seeds_ask_for_a_sharpe_and_thirds_and_nothing_of_luck():
    steady = nulls.planted_market(1, 4.0, 1, 0, 504, 1, 0.0)
    verdict = judge(evidence(steady), preset("seeds"))
    assert [one.name for one in verdict.checks][:3] == ["sharpe", "stable", "cost_stress"] and verdict.promoted
    assert verdict.smallest_visible_sharpe == {}
    late = steady.copy()
    late[:168] -= 2 * late[:168].mean()
    assert [one.name for one in judge(evidence(late), preset("seeds")).checks if not one.passed] == ["stable"]
    silent = steady.copy()
    silent[168:336] = 0.0  # nothing was traded in the middle third: nobody knows whether it is stable
    assert [one.name for one in judge(evidence(silent), preset("seeds")).checks if not one.passed] == ["stable"]
    refreshed = judge_refresh(Evidence(**{**vars(evidence(steady)), "champion_active": steady[:, 0]}), preset("seeds"))
    assert refreshed.act == "refresh"


def test_presets_are_read_whole_and_known_by_what_they_ask():
    assert presets()["default"] == GatePolicy() and set(words()) == set(presets())
    assert "min_sharpe" not in GatePolicy().told() and preset("seeds").told()["min_sharpe"] == 1.5
    assert GatePolicy(**preset("seeds").told()) == preset("seeds")
    assert GatePolicy(name="mine").digest() == GatePolicy().digest() != GatePolicy(min_dsr=0.9).digest()
    with pytest.raises(ValueError, match="known: default, seeds"):
        preset("lax")
