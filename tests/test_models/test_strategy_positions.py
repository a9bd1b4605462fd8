"""The position rule and the risk behind it."""

import numpy as np
import pytest

from models.positions import dollar_neutral, hedged
from models.risk import shrunk_risk
from models.signals.rules import MOMENTUM, RuleConfig, buy_and_hold, rule_weights
from tests.test_models import planted


@pytest.mark.parametrize("seed", range(20))
def test_any_score_becomes_a_neutral_book_within_its_limits(seed):
    rng = np.random.default_rng(seed)
    score = rng.standard_normal(20) ** 3
    score[rng.random(20) < 0.2] = np.nan
    weights = dollar_neutral(score, 1.0, 0.15)
    longs, shorts = weights[weights > 0].sum(), -weights[weights < 0].sum()
    assert longs == pytest.approx(shorts, abs=1e-12) and longs <= 0.5 + 1e-12
    assert np.abs(weights).max() <= 0.15 + 1e-12
    assert (weights[np.isnan(score)] == 0.0).all()


def test_what_the_cap_cuts_goes_to_the_others():
    weights = dollar_neutral(np.array([10.0, 1.0, 1.0, -4.0, -4.0, -4.0]), 1.0, 0.2)
    assert weights[0] == pytest.approx(0.2) and weights[:3].sum() == pytest.approx(0.5)


@pytest.mark.parametrize("score", [[np.nan, np.nan], [1.0, np.nan], [2.0, 2.0, 2.0], []])
def test_no_opinion_holds_nothing(score):
    assert not dollar_neutral(np.array(score), 1.0, 0.5).any()


def test_the_hedge_earns_its_score_at_the_least_variance():
    rng = np.random.default_rng(3)
    moves = 0.01 * rng.standard_normal((200, 2))[:, [0, 0, 0, 1, 1, 1]] + 0.01 * rng.standard_normal((200, 6))
    likeness, vol = shrunk_risk(moves, 0.0)
    score = rng.standard_normal(6)
    book = hedged(score, likeness, vol)
    covariance = likeness.matrix * np.outer(vol, vol)
    assert book.sum() == pytest.approx(0.0, abs=1e-9)

    def ratio(weights):
        return weights @ ((score - score.mean()) * vol) / np.sqrt(weights @ covariance @ weights)

    for _ in range(200):
        other = rng.standard_normal(6)
        assert ratio(book) >= ratio(other - other.mean()) - 1e-12


def test_a_name_without_history_is_as_wild_as_the_wildest_and_like_nobody():
    moves = np.random.default_rng(0).standard_normal((60, 4)) * [0.01, 0.02, 0.03, 0.0]
    moves[:, 3] = np.nan
    likeness, vol = shrunk_risk(moves, 0.3)
    assert vol[3] == vol[2] and np.array_equal(likeness.matrix[3], [0.0, 0.0, 0.0, 1.0])


def test_too_little_history_assumes_nothing():
    likeness, vol = shrunk_risk(np.full((5, 3), 0.01), 0.3)
    assert np.array_equal(likeness.matrix, np.eye(3)) and np.array_equal(vol, np.ones(3))


@pytest.mark.parametrize("sessions", [30, 120])
def test_many_names_are_hedged_as_the_whole_matrix_would(sessions):
    rng = np.random.default_rng(sessions)
    moves = 0.01 * rng.standard_normal((sessions, 300)) + 0.01 * rng.standard_normal((sessions, 1))
    moves[:, :5] = np.nan  # listed yesterday
    moves[rng.random(moves.shape) < 0.02] = np.nan
    likeness, _ = shrunk_risk(moves, 0.3)
    values = rng.standard_normal(300)
    assert likeness.precise(values) == pytest.approx(np.linalg.solve(likeness.matrix, values), rel=1e-11, abs=1e-12)
    assert np.array_equal(likeness.precise(values)[:5], values[:5])


def test_few_names_are_hedged_to_the_bit_as_ever():
    rng = np.random.default_rng(1)
    likeness, _ = shrunk_risk(0.01 * rng.standard_normal((60, 100)), 0.3)
    values = rng.standard_normal(100)
    assert likeness.precise(values).tobytes() == np.linalg.solve(likeness.matrix, values).tobytes()


def test_rules_hold_what_they_say():
    panel, _ = planted.market(1, sessions=60, names=8)
    rule = RuleConfig("m", "ret_20", 1.0, hold_sessions=1)
    (weights,) = rule_weights(rule, panel, [50])
    held = weights != 0.0
    assert np.corrcoef(weights[held], panel.column("ret_20")[50][held])[0, 1] > 0.9
    assert rule_weights(RuleConfig("r", "ret_20", -1.0, hold_sessions=1), panel, [50])[0] == pytest.approx(-weights)
    assert rule.key() != MOMENTUM.key()


def test_buy_and_hold_shares_out_what_is_tradable():
    panel, _ = planted.market(1, sessions=60, names=8)
    weights = buy_and_hold(panel, [10, 50])
    assert not weights[0].any() and weights[1].sum() == pytest.approx(1.0)
    assert weights[1][7] == 0.0  # dead by then
