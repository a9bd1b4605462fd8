"""Combinatorial splits: no label shared by train and test, the stated embargo, whole paths, a million rows."""

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.combinatorial import CombinatorialPurgedValidator
from models.labels import label_lives


def blocks(test):
    """Contiguous runs of test rows."""
    return np.split(test, np.flatnonzero(np.diff(test) > 1) + 1)


def meets(row, block, lives):
    """Whether a training label shares an instant with the time from a block's first label to the end of its last."""
    return lives[row, 0] <= lives[block, 1].max() and lives[row, 1] >= lives[block, 0].min()


@st.composite
def label_sets(draw):
    count = draw(st.integers(24, 80))
    starts = sorted(draw(st.lists(st.integers(0, 120), min_size=count, max_size=count)))
    lengths = draw(st.lists(st.integers(0, 25), min_size=count, max_size=count))
    return np.stack([starts, np.add(starts, lengths)], axis=1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(label_sets(), st.sampled_from([(6, 2), (5, 1), (4, 3)]), st.sampled_from([0, 3, None]))
def test_no_label_is_shared_and_no_more_is_lost_than_must_be(lives, shape, embargo):
    validator = CombinatorialPurgedValidator(*shape, embargo=embargo)
    gap = validator.embargo_of(lives)
    for split in validator.generate_splits(lives):
        runs = blocks(split.test)
        dropped = np.setdiff1d(np.arange(len(lives)), np.concatenate([split.train, split.test]))
        for row in split.train:
            assert not any(meets(row, block, lives) for block in runs)
            assert not any(0 < lives[row, 0] - lives[block, 1].max() <= gap for block in runs)
        for row in dropped:
            assert any(meets(row, block, lives) or 0 < lives[row, 0] - lives[block, 1].max() <= gap for block in runs)


def test_six_two_gives_fifteen_splits_and_five_paths_and_tests_each_row_five_times():
    validator, lives = CombinatorialPurgedValidator(), label_lives(600, 5)
    found = list(validator.generate_splits(lives))
    assert (len(found), validator.splits, validator.paths) == (15, 15, 5)
    assert [split.tested for split in found] == list(combinations(range(6), 2))
    assert (np.bincount(np.concatenate([split.test for split in found]), minlength=600) == 5).all()
    assert (CombinatorialPurgedValidator(10, 8).splits, CombinatorialPurgedValidator(10, 8).paths) == (45, 36)


@pytest.mark.parametrize(("sessions", "horizon", "expected"), [(600, 5, 6), (600, 20, 20), (250, 1, 3)])
def test_the_embargo_is_the_longer_of_a_label_and_one_percent(sessions, horizon, expected):
    lives = label_lives(sessions, horizon)
    validator = CombinatorialPurgedValidator()
    assert validator.embargo_of(lives) == expected
    split = next(iter(validator.generate_splits(lives)))  # tests groups 0 and 1
    assert split.train[0] == split.test[-1] + horizon + expected + 1


def test_names_of_one_session_that_a_group_boundary_divides_are_not_both_used():
    lives = np.repeat(label_lives(13, 1), 5, axis=0)  # 65 rows: boundaries fall within sessions
    for split in CombinatorialPurgedValidator(4, 1, embargo=0).generate_splits(lives):
        assert not set(lives[split.train, 0]) & set(lives[split.test, 0])


def test_the_documented_example_of_skfolio():
    """skfolio 1.12.2, `CombinatorialPurgedCV(n_folds=3, n_test_folds=2, purged_size=1, embargo_size=0)` on 12 rows; a
    purge of one row is a label that needs the next row."""
    validator = CombinatorialPurgedValidator(3, 2, embargo=0)
    trains = [split.train.tolist() for split in validator.generate_splits(label_lives(12, 1))]
    assert trains == [[9, 10, 11], [5, 6], [0, 1, 2]]


def test_paths_are_those_of_skfolio():
    """skfolio 1.12.2, `CombinatorialPurgedCV(n_folds=6, n_test_folds=2).get_path_ids()` after a split of 60 rows."""
    assert CombinatorialPurgedValidator().path_of().tolist() == [
        [0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [1, 1], [2, 1], [3, 1], [4, 1], [2, 2], [3, 2], [4, 2], [3, 3], [4, 3],
        [4, 4]]


def test_a_path_holds_every_row_once_and_each_prediction_is_on_one_path():
    validator, lives = CombinatorialPurgedValidator(), label_lives(100, 2)
    found = list(validator.generate_splits(lives))
    whole = validator.recombine([split.test + 1000.0 * at for at, split in enumerate(found)], 100)
    assert whole.shape == (5, 100)
    assert np.array_equal(whole % 1000.0, np.tile(np.arange(100.0), (5, 1)))
    assert len(np.unique(whole)) == 500


def test_a_known_peer_keeps_forty_of_three_hundred_and_sixty_overlapping_labels_and_we_none():
    """mlfinlab's and mlfinpy 0.1.2's PurgedKFold starts the test window at the END of the first test label, so labels
    that reach into the test from before it are kept: 40 of 360 rows at n=100, h=10, 5 folds."""
    lives, kept, shared = label_lives(100, 10), 0, 0
    for block in np.array_split(np.arange(100), 5):
        begin, end = lives[block[0], 1], lives[block, 1].max()  # the fault: a test begins at lives[block[0], 0]
        others = np.setdiff1d(np.arange(100), block)
        train = others[~((lives[others, 0] <= end) & (lives[others, 1] >= begin))]
        kept, shared = kept + len(train), shared + sum(meets(row, block, lives) for row in train)
    assert (kept, shared) == (360, 40)
    for split in CombinatorialPurgedValidator(5, 1, embargo=0).generate_splits(lives):
        assert not any(meets(row, split.test, lives) for row in split.train)


def test_a_million_labels_are_split_in_a_moment():
    begin = np.sort(np.random.default_rng(1).integers(0, 400_000, 1_000_000))
    lives = np.stack([begin, begin + np.random.default_rng(2).integers(1, 390, len(begin))], axis=1)
    started = time.process_time()
    sizes = [len(split.train) for split in CombinatorialPurgedValidator().generate_splits(lives)]
    assert time.process_time() - started < 2.0  # 0.1 s on one 2026 core; a loop over rows takes minutes
    assert len(sizes) == 15 and min(sizes) > 640_000


def test_what_cannot_be_split_is_refused():
    with pytest.raises(ValueError, match="order"):
        list(CombinatorialPurgedValidator().generate_splits(label_lives(60)[::-1]))
    with pytest.raises(ValueError, match="at least one"):
        list(CombinatorialPurgedValidator().generate_splits(label_lives(5)))
    with pytest.raises(ValueError, match="cannot test"):
        CombinatorialPurgedValidator(3, 3)
