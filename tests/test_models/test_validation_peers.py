"""What is known to be wrong elsewhere, shown beside ours: each fault is committed here in a line, and must be seen."""

import inspect

import numpy as np
import pytest
from scipy import stats

from models.combinatorial import CombinatorialPurgedValidator
from models.labelling.barriers import Barriers, triple_barrier
from models.labels import label_lives
from models.splits import purged
from models.validation import statistics, superior
from models.validation.statistics import Moments

NOISE = np.random.default_rng(11).normal(0.0, 0.01, (252, 6))


def test_excess_kurtosis_in_the_formula_for_raw_is_not_ours():
    """An engine's own expected value, 0.257146306116665, is what excess kurtosis gives; the formula gives 0.263967."""
    returns = np.array([-0.009025132, 0.003653969, 0.0, 0.0])
    sharpe = float(returns.mean() / returns.std(ddof=1))
    skew = float(stats.skew(returns, bias=False))
    raw = float(stats.kurtosis(returns, bias=False, fisher=False))
    right, wrong = (statistics.psr(Moments(sharpe, skew, kurtosis, 4), 252**-0.5) for kurtosis in (raw, raw - 3.0))
    assert (right, wrong) == pytest.approx((0.263967, 0.257146306116665), abs=1e-6)
    own = statistics.moments(np.random.default_rng(0).normal(size=100_000))
    assert own.kurtosis == pytest.approx(3.0, abs=0.05)  # a normal's is 3, not 0


def test_a_librarys_studentised_test_is_studentised_in_name():
    """arch 8: `RealityCheck` adds nothing to `SPA`, `studentize` moves no number, and its 'upper' is White's test."""
    from arch.bootstrap import SPA, RealityCheck

    assert issubclass(RealityCheck, SPA) and inspect.signature(RealityCheck).parameters["studentize"].default is True
    nobody, told = np.zeros(len(NOISE)), []
    for kind, studentised in ((SPA, True), (SPA, False), (RealityCheck, True)):
        test = kind(nobody, -NOISE, block_size=10, reps=200, studentize=studentised, seed=1)
        test.compute()
        told.append(tuple(test.pvalues))
    assert told[0] == told[1] == told[2]
    assert superior.reality_check_p_value(NOISE, nobody, seed=1, resamples=200) == told[0][2]
    wild = np.column_stack([NOISE[:, 0] + 0.0022, 30.0 * (NOISE[:, 1] - NOISE[:, 1].mean())])
    assert superior.spa_p_value(wild, nobody, seed=1, resamples=200) > 0.3  # … so that a wild rule hides a good one,
    alike = wild / wild.std(axis=0)  # … which is seen on one scale
    assert superior.spa_p_value(alike, nobody, seed=1, resamples=200) < 0.05


def test_hopeless_rules_cost_the_reality_check_its_power_and_spa_none():
    good = NOISE[:, 0] - NOISE[:, 0].mean() + 0.0014
    crowded = np.column_stack([good, np.random.default_rng(2).normal(-0.003, 0.01, (252, 40))])
    nobody = np.zeros(252)
    spa, reality = (ask(crowded, nobody, seed=3, resamples=200) for ask in (
        superior.spa_p_value, superior.reality_check_p_value))
    assert spa < 0.05 < reality


def test_lives_of_any_length_are_purged_and_never_refused():
    """Two libraries raise 'Train and test intersect' where labels are of different lengths."""
    chance = np.random.default_rng(4)
    first = np.arange(120)
    lives = np.stack([first, first + chance.integers(0, 40, 120)], axis=1)
    for split in CombinatorialPurgedValidator(6, 2, embargo=0).generate_splits(lives):
        assert not set(split.train) & set(split.test)
        for block in np.split(split.test, np.flatnonzero(np.diff(split.test) > 1) + 1):
            assert np.array_equal(purged(split.train, block, lives), split.train)


def test_a_fixed_number_of_purged_rows_lets_long_labels_through():
    """skfolio 1.12.2 purges rows, not labels: five on either side are too few for the labels that live longer."""
    first = np.arange(120)
    lives = np.stack([first, first + np.where(first % 10 == 9, 15, 2)], axis=1)
    by_rows = CombinatorialPurgedValidator(6, 2, embargo=0).generate_splits(label_lives(120, 5))
    by_lives = CombinatorialPurgedValidator(6, 2, embargo=0).generate_splits(lives)
    shared = [sum(len(split.train) - len(purged(split.train, block, lives))
                  for split in splits for block in np.split(split.test, np.flatnonzero(np.diff(split.test) > 1) + 1))
              for splits in (by_rows, by_lives)]
    assert shared[0] > 0 == shared[1]


def test_a_touch_and_its_label_are_told_by_the_same_return():
    """A library touches by simple returns and labels by logarithms: of +1.99 % then, a barrier of 1.98 % is touched
    while the logarithm, 1.970 %, says that it was not."""
    prices, rule = np.array([100.0, 101.99, 101.99]), Barriers(1.0, 1.0, 2)
    found = triple_barrier(prices, np.array([0]), np.full(3, 0.0198), rule)
    assert np.log(prices[1] / prices[0]) < 0.0198 < found.returns[0]
    assert (found.touched[0], found.label[0], found.lives[0, 1]) == (1, 1.0, 1)


def test_few_trials_spread_says_nothing_and_is_not_asked():
    """With three trials the population's and the sample's variance give 0.958 and 0.152: ours asks neither unless told,
    takes the null's 1 / (T − 1), and counts ten trials at the least in the gate."""
    from models.validation.policy import GatePolicy

    record, few = Moments(1.14, 0.0, 3.0, 250), np.array([3.5, 1.01, 1.02])
    assert [statistics.dsr(record, 3, float(np.var(few, ddof=ddof))) for ddof in (0, 1)] == pytest.approx(
        [0.95836, 0.15238], abs=1e-5)
    assert statistics.dsr(record, 3) == statistics.dsr(record, 3, 1.0 / 249)
    assert GatePolicy().min_trials == 10


def test_a_smoothed_regime_cannot_be_asked_for():
    """hmmlearn's `predict` and `predict_proba` read the whole sequence ('a feature, not a bug'): neither is in ours."""
    from models.hmm.score import HmmModel

    assert not [name for name in dir(HmmModel) if "smooth" in name or "predict" in name or "viterbi" in name]
