"""Capital as a bandit deals it: against draws, by hand, and where nothing is known yet."""

import numpy as np
import pytest

from models.portfolio import Allocation
from models.portfolio.bandit import thompson, upper_confidence, worth


def records(*sharpes: float, sessions: int = 126, volatility: float = 0.01) -> np.ndarray:
    """Of exactly these Sharpes per session, whatever the noise."""
    noise = np.random.default_rng(11).normal(size=(sessions, len(sharpes)))
    unit = (noise - noise.mean(axis=0)) / noise.std(axis=0, ddof=1)
    return volatility * (unit + np.array(sharpes))


@pytest.mark.parametrize("sharpes", [(0.1, 0.15, 0.1), (0.0, 0.0), (-0.3, 0.2, 0.05, 0.1), (-0.2, -0.1), (0.3,)])
def test_the_shares_are_those_that_drawing_would_give(sharpes: tuple[float, ...]) -> None:
    excess = records(*sharpes)
    told = thompson(excess)
    mean, error = worth(excess)
    assert mean == pytest.approx(sharpes) and error == pytest.approx(np.sqrt((1 + mean**2 / 2) / 126))
    drawn = np.random.default_rng(3).normal(mean, error, (200_000, len(sharpes)))
    won = np.bincount(drawn.argmax(axis=1)[drawn.max(axis=1) > 0.0], minlength=len(sharpes)) / len(drawn)
    assert told == pytest.approx(won, abs=0.005)
    assert 1.0 - told.sum() == pytest.approx((drawn.max(axis=1) <= 0.0).mean(), abs=0.005)


def test_of_three_like_models_the_better_one_gets_the_half() -> None:
    """The 25, 50, 25 of the books: a lead that the record does not make sure of."""
    told = Allocation("thompson").shares(records(*(np.array([1.7, 2.6, 1.7]) / 15.9)))
    assert told[0] == pytest.approx(told[2]) and told[1] == pytest.approx(0.5, abs=0.06)
    surer = thompson(records(*(np.array([1.7, 2.6, 1.7]) / 15.9), sessions=2520))
    assert surer[1] > 0.9


def test_wildness_wins_nothing_and_a_short_record_is_not_held_against_anybody() -> None:
    calm, wild = records(0.1, 0.1), records(0.1, 0.1)
    wild[:, 1] *= 20.0
    assert thompson(wild) == pytest.approx(thompson(calm))
    young = records(0.1, 0.1)
    young[:100, 1] = 0.0  # it began later; since then alike
    young[100:, 1] = records(0.1, sessions=26)[:, 0]
    assert thompson(young)[1] > thompson(young)[0] > 0.4 and upper_confidence(young).tolist() == [0.0, 1.0]


def test_the_upper_bound_gives_all_to_one_and_equals_share() -> None:
    assert upper_confidence(records(0.1, 0.2, 0.15)).tolist() == [0.0, 1.0, 0.0]
    twins = np.repeat(records(0.1), 2, axis=1)
    assert upper_confidence(twins).tolist() == [0.5, 0.5] and thompson(twins)[0] == thompson(twins)[1]


def test_where_all_have_lost_cash_is_best_and_where_nothing_moved_nobody_is_known() -> None:
    assert upper_confidence(records(-0.4, -0.5)).tolist() == [0.0, 0.0] and thompson(records(-0.4, -0.5)).sum() < 1e-4
    assert thompson(records(-1.0, -2.0)).tolist() == [0.0, 0.0]
    assert thompson(np.zeros((50, 2))).tolist() == upper_confidence(np.zeros((50, 2))).tolist() == [0.0, 0.0]
