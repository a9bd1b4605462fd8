"""Splits: time order, the stated steps, and never a training label that meets a test label."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.labels import label_lives
from models.splits import inner_split, purged
from models.validation import TrainTestSplit, WalkForwardValidator


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


@st.composite
def walks(draw):
    """(lives in order of their beginning, validator) of any kind."""
    count = draw(st.integers(20, 90))
    starts = sorted(draw(st.lists(st.integers(0, 100), min_size=count, max_size=count)))
    lengths = draw(st.lists(st.integers(0, 30), min_size=count, max_size=count))
    validator = WalkForwardValidator(draw(st.integers(1, count)), draw(st.integers(1, 30)),
                                     draw(st.one_of(st.none(), st.integers(1, 60))))
    return np.stack([starts, np.add(starts, lengths)], axis=1), validator


@settings(max_examples=60)
@given(walks())
def test_no_label_of_any_walk_is_shared_by_train_and_test(case):
    lives, validator = case
    for split in validator.generate_splits(lives):
        first = 0 if validator.window is None else max(0, split.test[0] - validator.window)
        asked = np.arange(first, split.test[0])
        assert not overlapping(split.train, split.test, lives)
        assert sorted(set(asked) - set(split.train)) == overlapping(asked, split.test, lives)


def test_rolling_forgets_what_lies_before_its_window():
    lives = label_lives(700, 5)
    rolling = WalkForwardValidator(252, 63, 200).generate_splits(lives)
    expanding = WalkForwardValidator(252, 63).generate_splits(lives)
    for ours, whole in zip(rolling, expanding, strict=True):
        assert np.array_equal(ours.test, whole.test) and ours.train[0] == ours.test[0] - 200
        assert np.array_equal(ours.train, whole.train[whole.train >= ours.test[0] - 200])


@pytest.mark.parametrize(("windows", "folds"), [
    ((40, 20, 20), [(40, 59), (60, 79), (80, 99)]),  # one after the other
    ((40, 20, 30), [(40, 59), (70, 89)]),  # tests that leave some rows out
    ((40, 20, 10), [(40, 59), (50, 69), (60, 79), (70, 89), (80, 99), (90, 99)]),  # and that look twice
])
def test_windows_said_in_the_call_roll_over_rows_of_anything(windows, folds):
    rows = [{"close": 1.0}] * 100
    found = WalkForwardValidator().generate_splits(rows, *windows)
    assert all(isinstance(split, TrainTestSplit) for split in found)
    assert [(split.test[0], split.test[-1]) for split in found] == folds
    assert all(split.train.tolist() == list(range(split.test[0] - 40, split.test[0])) for split in found)
    named = WalkForwardValidator().generate_splits(data=rows, train_window=40, test_window=20, step=20)
    assert len(named) == 3


def test_labels_that_last_are_purged_from_windows_said_in_the_call_too():
    lives = label_lives(100, 7)
    (first, *_) = WalkForwardValidator().generate_splits(lives, 40, 20, 20)
    assert first.train.tolist() == list(range(33)) and not overlapping(first.train, first.test, lives)
