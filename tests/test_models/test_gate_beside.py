"""What stands beside the gate: paths of the search, regimes, and how many candidates there really were."""

import numpy as np
import pytest
from scipy import signal

from models.validation import beside, nulls
from models.validation.evidence import Evidence, Health
from models.validation.gate import GatePolicy, judge
from models.validation.policy import preset

CLEAN = Health(leak_clean=True, parity_clean=True, structure_clean=True)


def test_a_path_never_lives_a_session_with_what_it_chose_by():
    """Each candidate wins on one sixth and loses elsewhere: a search that saw its test would look good."""
    active = np.full((600, 6), -0.001) + np.tile([0.01, -0.01], 300)[:, None] * np.arange(1, 7) * 0.01
    for group in range(6):
        active[group * 100 : (group + 1) * 100, group] += 0.01
    paths = beside.path_sharpes(active)
    assert len(paths) == 5 and max(paths) < 0.0
    skilled = nulls.planted_market(1, 4.0, 3, 0, 504, 8, 0.0)
    assert min(beside.path_sharpes(skilled)) > 1.0 and beside.worst_path(skilled) == min(beside.path_sharpes(skilled))
    assert beside.path_sharpes(active[:10]) == []


def test_the_worst_regime_is_one_that_was_seen_often_enough():
    returns, regimes = np.tile([0.02, -0.01], 100), np.zeros(200, np.int32)
    regimes[120:] = 1
    regimes[195:] = 2
    returns[120:195] -= 0.02
    returns[195:] -= 1.0  # five sessions say nothing
    worst = beside.worst_regime(returns, regimes)
    assert worst == pytest.approx(returns[120:195].mean() / returns[120:195].std(ddof=1) * np.sqrt(252))


def test_copies_count_once():
    one = np.random.default_rng(1).standard_normal((500, 4))
    assert beside.effective_candidates(one) == pytest.approx(4.0, abs=0.1)
    assert beside.effective_candidates(np.repeat(one[:, :1], 5, axis=1)) == pytest.approx(1.0)
    assert beside.effective_candidates(np.zeros((500, 3))) == 0.0


def test_profits_that_echo_say_less_than_their_number():
    found = []
    for seed in range(10):
        shocks = np.random.default_rng(seed).standard_normal(40_000)
        found.append(beside.independent_sessions(signal.lfilter([1.0], [1.0, -0.4], shocks)) / len(shocks))
    assert np.mean(found) == pytest.approx((1 - 0.4) / (1 + 0.4), rel=0.05)  # known of such a series
    assert beside.independent_sessions(np.tile([0.02, -0.01], 100)) == 200.0  # and never more than there are
    assert beside.independent_sessions(np.zeros(30)) == 30.0


def test_drift_is_a_bar_for_who_asks_for_one_and_for_nobody_else():
    active = nulls.planted_market(1, 6.0, 3, 1, 504, 3, 0.0)
    moved = Evidence(("a", "b", "c"), active, active[:, 0], 0, None, 3,
                     Health(leak_clean=True, parity_clean=True, structure_clean=True, drifted=("iv30",)), 7,
                     np.zeros(504, np.int32))
    assert judge(moved, GatePolicy()).promoted
    refused = judge(moved, preset("seeds"))
    assert [one.plain for one in refused.checks if not one.passed] == ["Features that have moved: iv30."]
    assert refused.figures["worst_regime_sharpe"] == pytest.approx(refused.figures["sharpe_active"])
