"""Splits: time order, the stated steps, and never a training label that meets a test label."""

import numpy as np
import pytest

from models.labels import label_lives
from models.splits import WalkForwardValidator, inner_split, purged


def overlapping(train, test, lives):
    """Brute force: training labels that share an instant with the test block."""
    first, last = lives[test, 0].min(), lives[test, 1].max()
    return [row for row in train if set(range(lives[row, 0], lives[row, 1] + 1)) & set(range(first, last + 1))]


@pytest.mark.parametrize("seed", range(25))
def test_purged_training_never_meets_a_test_label(seed):
    rng = np.random.default_rng(seed)
    begin = np.sort(rng.integers(0, 200, 120))
    lives = np.stack([begin, begin + rng.integers(0, 15, 120)], axis=1)
    at = int(rng.integers(10, 100))
    test = np.arange(at, min(at + int(rng.integers(1, 30)), 120))
    train = np.setdiff1d(np.arange(120), test)
    kept = purged(train, test, lives)
    assert not overlapping(kept, test, lives)
    assert sorted(set(train) - set(kept)) == overlapping(train, test, lives)  # and no more is lost than must be


def test_five_folds_of_a_hundred_days_with_ten_day_labels_share_nothing():
    lives = label_lives(100, 10)
    for block in np.array_split(np.arange(100), 5):
        assert not overlapping(purged(np.setdiff1d(np.arange(100), block), block, lives), block, lives)


@pytest.mark.parametrize("horizon", [1, 5])
def test_walking_forward_covers_every_session_once_in_order(horizon):
    lives = label_lives(700, horizon)
    splits = list(WalkForwardValidator(252, 63).generate_splits(lives))
    assert np.array_equal(np.concatenate([split.test for split in splits]), np.arange(252, 700))
    for split in splits:
        assert split.train[0] == 0  # expanding
        assert split.train[-1] == split.test[0] - horizon - 1  # its label is over before the test's first open


def test_the_default_night_has_eight_folds():
    assert len(list(WalkForwardValidator(252, 63).generate_splits(label_lives(754)))) == 8


def test_too_short_a_history_gives_no_fold():
    assert not list(WalkForwardValidator(252, 63).generate_splits(label_lives(252)))


def test_tuning_holds_out_the_end_of_the_training_fold():
    lives = label_lives(300, 5)
    split = inner_split(np.arange(247), lives)
    assert split.test[-1] == 246 and split.train[-1] < split.test[0] - 5
    assert not overlapping(split.train, split.test, lives)
