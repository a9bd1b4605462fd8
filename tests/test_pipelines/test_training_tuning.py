"""The search inside a training fold: pruned where asked, inside its budget, and blind to what comes after the fold."""

from dataclasses import replace

import numpy as np
import pytest

from models.gbm.config import GbmConfig
from models.labels import TrainingSet
from pipelines.training.tuning import LOOK_EVERY, tuned
from tests.test_pipelines.training_home import NOW, STRATEGY, small_home, small_inputs

TRIALS = 8


def searched(folder, prune, inputs=None, rounds=60):
    home, ledger = small_home(folder)
    told = inputs or small_inputs()
    base = GbmConfig(features=STRATEGY.gbm.features, rounds=rounds, min_leaf=60)
    training = TrainingSet.cut(told.panel, told.returns, np.arange(20, 180))
    best, trials = tuned(home, ledger, training, base, 1, trials=TRIALS, seed=3, now=NOW, prune=prune)
    return best, trials, ledger, base


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return {prune: searched(tmp_path_factory.mktemp("search"), prune) for prune in (False, True)}


def test_every_trial_is_a_row_whether_it_was_given_up_or_not(both):
    for best, trials, ledger, base in both.values():
        assert len(trials) == TRIALS == len(ledger.rows("inner"))
        assert best in {replace(base, **one["params"]) for one in trials}


def test_a_trial_below_the_median_is_given_up_and_never_chosen(both):
    best, trials, _, _ = both[True]
    pruned = [one for one in trials if one.get("pruned")]
    assert pruned and all(one["watched"][-1][0] % LOOK_EVERY == 0 for one in pruned)
    for one in pruned:
        rounds = one["watched"][-1][0]
        whole = [other for other in trials[: one["trial"]] if not other.get("pruned")]
        before = [dict(other["watched"])[rounds] for other in whole]
        assert max(value for _, value in one["watched"]) < np.median(before)
    whole = [one for one in trials if not one.get("pruned")]
    chosen = max(whole, key=lambda one: one["rank_ic"])["params"]
    assert {key: getattr(best, key) for key in chosen} == chosen


def test_unasked_nothing_is_given_up_and_nothing_is_looked_at(both):
    assert not any("pruned" in one or "watched" in one for one in both[False][1])
    assert both[False][1][0]["rank_ic"] == both[True][1][0]["rank_ic"]  # a look changes no fit


def test_nothing_after_the_fold_reaches_the_search(both, tmp_path):
    inputs = small_inputs()
    inputs.panel.values[180:] = 9.0
    inputs.returns[180:] = -0.5
    assert searched(tmp_path, True, inputs)[:2] == both[True][:2]
