"""Labels: what a decision earns, when it is over, and that a fit can see nothing later."""

import numpy as np
import pytest

from models.labels import TrainingSet, held, label_lives, open_to_open, precision_targets
from tests.test_models import planted

NAN = np.nan


def test_a_label_runs_from_one_open_to_the_next():
    opens = np.array([[100.0], [110.0], [99.0]])
    earned = open_to_open(opens, opens + 1.0)
    assert earned[:, 0] == pytest.approx([0.1, -0.1, NAN], nan_ok=True)


def test_a_dead_name_ends_at_its_last_close_and_earns_nothing_after():
    opens = np.array([[100.0, 50.0], [110.0, 50.0], [NAN, 50.0], [NAN, 50.0]])
    closes = np.array([[101.0, 50.0], [88.0, 50.0], [NAN, 50.0], [NAN, 50.0]])
    earned = open_to_open(opens, closes)[:, 0]
    assert earned[:2] == pytest.approx([0.1, 88.0 / 110.0 - 1.0])
    assert np.isnan(earned[2:]).all()  # nobody can buy it any more


def test_a_session_that_has_not_opened_closes_no_label():
    opens = np.array([[100.0, 50.0], [110.0, 51.0], [NAN, NAN]])
    assert np.isnan(open_to_open(opens, opens)[1]).all()


def test_a_name_that_skips_a_session_is_worth_its_last_close_there():
    opens = np.array([[100.0, 50.0], [NAN, 50.0], [120.0, 50.0]])
    closes = np.array([[105.0, 50.0], [NAN, 50.0], [120.0, 50.0]])
    assert open_to_open(opens, closes)[0, 0] == pytest.approx(0.05)


def test_held_returns_compound_and_wait_until_they_are_over():
    returns = np.array([[0.1, 0.0], [0.2, NAN], [-0.5, NAN], [NAN, NAN]])
    earned = held(returns, 2)
    assert earned[:, 0] == pytest.approx([0.32, -0.4, NAN, NAN], nan_ok=True)
    assert earned[0, 1] == pytest.approx(0.0)  # died on the way: what it earned until then
    assert np.isnan(earned[1:, 1]).all()


@pytest.mark.parametrize("horizon", [1, 5])
def test_targets_of_the_past_do_not_move_when_the_future_does(horizon):
    panel, returns = planted.market(3, sessions=120, names=8)
    cut = 90
    whole = precision_targets(panel, returns, horizon, 40, 0.3)
    changed = returns.copy()
    changed[cut:] *= -3.0
    values = panel.values.copy()
    values[cut:] = 7.0
    other = type(panel)(panel.sessions, panel.names, panel.features, values, panel.tradable)
    known = cut - horizon + 1  # targets that are over before row `cut` opens
    assert np.array_equal(whole[:known], precision_targets(other, changed, horizon, 40, 0.3)[:known], equal_nan=True)


def test_a_target_is_not_about_what_a_sector_shares():
    panel, returns = planted.market(5, sessions=400, names=12, strength=0.0)
    sector = np.arange(11) % 4
    same = (sector[:, None] == sector[None, :]) & ~np.eye(11, dtype=bool)
    panel.tradable[130:, :11] = True
    targets = precision_targets(panel, returns, 1, 120, 0.3)[130:398, :11]
    moves = returns[130:398, :11] - returns[130:398, :11].mean(axis=1, keepdims=True)

    def peers(values):
        """Mean correlation of each name's values with its peers' moves."""
        return np.corrcoef(values.T, moves.T)[:11, 11:][same].mean()

    assert peers(moves) > 0.05
    assert peers(targets) < 0.0  # hedged, and with so few names a little more than that


def test_a_training_set_holds_nothing_after_its_last_row():
    panel, returns = planted.market(1, sessions=100, names=8)
    cut = TrainingSet.cut(panel, returns, np.arange(30, 60))
    assert len(cut.panel.sessions) == len(cut.targets) == 60
    assert np.isnan(cut.targets[:30]).all() and np.array_equal(cut.targets[30:], returns[30:60], equal_nan=True)


def test_a_training_set_does_not_know_names_that_come_later():
    panel, returns = planted.market(1, sessions=100, names=8)
    panel.tradable[:80, 2] = False
    assert "N02" not in TrainingSet.cut(panel, returns, np.arange(60)).panel.names
    assert "N02" in TrainingSet.cut(panel, returns, np.arange(90)).panel.names


def test_the_digest_hears_every_input_of_a_fit_and_nothing_else():
    panel, returns = planted.market(1, sessions=60, names=6)
    rows = np.arange(25, 50)
    told = TrainingSet.cut(panel, returns, rows).digest(planted.OWN)
    panel.values[:, :, panel.features.index("mkt_ret_1")] += 1.0  # not among the fit's features
    panel.values[55:] = 0.0  # after the cut
    assert TrainingSet.cut(panel, returns, rows).digest(planted.OWN) == told
    panel.values[30, 2, 0] += 1e-12
    assert TrainingSet.cut(panel, returns, rows).digest(planted.OWN) != told


def test_lives_span_the_prices_that_make_the_label():
    assert label_lives(3, 5).tolist() == [[0, 5], [1, 6], [2, 7]]
