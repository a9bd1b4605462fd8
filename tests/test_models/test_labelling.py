"""Barriers, yes-or-no labels and sample weights against hand-made paths and published numbers."""

import numpy as np
import pytest

from models.labelling.barriers import Barriers, triple_barrier
from models.labelling.bets import meta_labels, target_5m
from models.labelling.volatility import known_volatility
from models.labelling.weights import (
    attribution_weights,
    concurrency,
    draw_probabilities,
    mean_uniqueness,
    sequential_bootstrap,
    uniqueness,
)

NAN = np.nan
LIVES = np.array([[0, 2], [2, 3], [4, 5]])  # mlfinlab:mlfinlab/tests/test_sampling.py


def one(prices, barriers, side=1.0, vol=0.02):
    """(label, touched, last row, return) of a bet at row 0."""
    path = np.array(prices, dtype=float)
    found = triple_barrier(path, np.array([0]), np.full(len(path), vol), barriers, np.array([side]))
    return found.label[0], found.touched[0], found.lives[0, 1], found.returns[0]


@pytest.mark.parametrize(("prices", "side", "expected"), [
    ([100, 101, 105, 90, 100], 1, (1, 1, 2, 0.05)),  # profit first; what follows is no matter
    ([100, 101, 97.9, 110, 120], 1, (-1, -1, 2, -0.021)),
    ([100, 101, 97.9, 110, 120], -1, (-1, -1, 3, -0.10)),  # the same path sold: +2.1 % is not 4 %, then the loss
    ([100, 101, 100.5, 99, 100.5], 1, (1, 0, 4, 0.005)),  # the vertical barrier, by the sign there
    ([100, 101, 100.5, 99, 100], 1, (0, 0, 4, 0.0)),
    ([100, 98, 100, 100, 105], 1, (-1, -1, 1, -0.02)),  # 98 / 100 − 1 = −0.020000000000000018 lies beyond −0.02
    ([100, NAN, NAN, 99, NAN], 1, (-1, 0, 4, -0.01)),  # rows without a price touch nothing; worth the last price
])
def test_which_barrier_comes_first(prices, side, expected):
    assert one(prices, Barriers(2.0, 1.0, 4), side) == pytest.approx(expected)


def test_a_touch_is_strict():
    exact = [1.0, 1.5, 1.0]  # 0.5 in binary, so the barrier is met to the bit
    assert one(exact, Barriers(1.0, 1.0, 2), vol=0.5)[1] == 0
    assert one(exact, Barriers(0.999, 1.0, 2), vol=0.5)[1] == 1


def test_the_vertical_barrier_can_say_nothing():
    assert one([100, 101], Barriers(2.0, 2.0, 1, vertical="zero"))[:2] == (0.0, 0)
    assert one([100, 105], Barriers(2.0, 2.0, 1, vertical="zero"))[:2] == (1.0, 1)


def test_what_is_not_over_or_not_known_has_no_label():
    prices = np.array([100.0, 120.0, NAN, 100.0, 150.0])
    vol = np.array([NAN, 0.02, 0.02, 0.02, 0.02])
    found = triple_barrier(prices, np.array([0, 1, 2, 3]), vol, Barriers(1.0, 1.0, 2))
    assert np.isnan(found.label[[0, 2, 3]]).all()  # no volatility; no entry price; horizon not over, though touched
    assert found.label[1] == -1.0
    assert found.lives.tolist() == [[0, 2], [1, 3], [2, 4], [3, 5]]  # row 3 lives as long as it may


def test_barriers_know_nothing_after_entry_and_labels_nothing_after_their_life():
    rng = np.random.default_rng(3)
    prices = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 400)))
    events, rule = np.arange(30, 390, 3), Barriers(2.0, 2.0, 8)
    whole = triple_barrier(prices, events, known_volatility(prices), rule)
    assert set(whole.touched) == {-1, 0, 1}
    for at in range(0, len(events), 10):
        cut = prices.copy()
        cut[whole.lives[at, 1] + 1 :] = 1e6
        again = triple_barrier(cut, events, known_volatility(cut), rule)
        assert (again.label[at], again.returns[at], again.lives[at, 1]) == (
            whole.label[at], whole.returns[at], whole.lives[at, 1])


def test_all_events_at_once_agree_with_one_path_at_a_time():
    rng = np.random.default_rng(8)
    prices = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, 200)))
    prices[rng.integers(0, 200, 20)] = NAN
    vol, sides = np.full(200, 0.02), rng.choice([-1.0, 1.0], 200)
    found = triple_barrier(prices, np.arange(200), vol, Barriers(1.5, 1.0, 6), sides)
    for event in range(200):
        if event + 6 >= 200 or not np.isfinite(prices[event]):
            assert np.isnan(found.label[event])
            continue
        value, outcome = 0.0, 0
        for row in range(event + 1, event + 7):
            if np.isfinite(prices[row]):
                value = sides[event] * (prices[row] / prices[event] - 1.0)
            outcome = 1 if value > 1.5 * 0.02 else -1 if value < -0.02 else 0
            if outcome:
                break
        assert (found.touched[event], found.lives[event, 1], found.returns[event]) == (outcome, row, value)


def test_volatility_is_known_at_its_row():
    prices = np.array([100.0, 110.0, NAN, 99.0, 99.0])
    vol = known_volatility(prices, decay=0.5, least=1)
    assert vol == pytest.approx([NAN, 0.1, 0.1, 0.1, np.sqrt((0.25 * 0.01 + 0.5 * 0.01) / 1.75)], nan_ok=True)
    assert np.isnan(known_volatility(prices, least=4)).all()


def test_target_5m_asks_for_more_than_half_a_percent_above_the_fill_within_five_minutes():
    opens = np.full(12, 100.0)
    highs = np.full(12, 100.2)
    highs[8] = 100.6
    opens[5] = NAN
    labels, lives = target_5m(opens, highs)
    expected = [0, 0, 0, 1, NAN, 1, 1, NAN, NAN, NAN, NAN, NAN]  # minute 8 is within five minutes of decisions 3 to 7
    assert labels == pytest.approx(expected, nan_ok=True)
    assert lives[3].tolist() == [3, 8]
    panel, _ = target_5m(np.stack([opens, opens], axis=1), np.stack([highs, highs], axis=1))
    assert panel[:, 1] == pytest.approx(expected, nan_ok=True)
    assert np.isnan(target_5m(opens[:5], highs[:5])[0]).all()


def test_the_fill_is_the_open_after_the_decision_not_the_price_before_it():
    opens, highs = np.array([100.0, 101.0, 101.0]), np.array([100.0, 101.2, 101.2])
    assert target_5m(opens, highs, minutes=1)[0][0] == 0.0  # 1.2 % above the old price, 0.2 % above the fill


def test_a_meta_label_asks_whether_following_paid():
    sides, moves = np.array([1.0, -1.0, 1.0, -1.0, 0.0, NAN]), np.array([0.02, 0.02, 0.001, -0.01, 0.5, 0.5])
    assert meta_labels(sides, moves, 0.001) == pytest.approx([1, 0, 0, 1, NAN, NAN], nan_ok=True)


def test_published_uniqueness():
    assert concurrency(LIVES, 6).tolist() == [1, 1, 2, 1, 1, 1]
    assert uniqueness(LIVES, 6) == pytest.approx([5 / 6, 3 / 4, 1.0])
    assert mean_uniqueness(LIVES, 6) == pytest.approx(0.8571, abs=1e-4)


def test_published_chances_after_the_second_label_was_drawn():
    alive = concurrency(LIVES[[1]], 6)
    assert draw_probabilities(LIVES, alive) == pytest.approx([5 / 14, 3 / 14, 6 / 14])


def test_attribution_shares_each_return_among_the_living():
    returns = np.array([0.0, 0.01, 0.04, -0.01, 0.0, -0.02])
    raw = np.array([0.01 + 0.02, 0.02 - 0.01, 0.02])  # row 2 is shared by two
    assert attribution_weights(LIVES, returns) == pytest.approx(raw * 3 / raw.sum())
    assert attribution_weights(LIVES, np.zeros(6)).tolist() == [1.0, 1.0, 1.0]


def test_the_sequential_bootstrap_is_seeded_and_draws_more_unique_sets_than_plain_luck():
    begin = np.sort(np.random.default_rng(0).integers(0, 300, 120))
    lives = np.stack([begin, begin + 10], axis=1)
    assert np.array_equal(sequential_bootstrap(lives, 311, 120, 5), sequential_bootstrap(lives, 311, 120, 5))
    ours = [uniqueness(lives[sequential_bootstrap(lives, 311, 120, seed)], 311).mean() for seed in range(20)]
    plain = [uniqueness(lives[np.random.default_rng(seed).integers(0, 120, 120)], 311).mean() for seed in range(20)]
    error = np.std(np.subtract(ours, plain)) / np.sqrt(20)
    assert np.mean(ours) - np.mean(plain) > 5 * error


def test_first_draws_follow_the_stated_chances():
    first = np.array([sequential_bootstrap(LIVES, 6, 2, seed) for seed in range(3000)])
    after = first[first[:, 0] == 1, 1]
    assert np.bincount(after, minlength=3) / len(after) == pytest.approx([5 / 14, 3 / 14, 6 / 14], abs=0.05)
