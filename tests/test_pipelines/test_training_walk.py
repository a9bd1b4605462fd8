"""Walking forward: out of sample by construction, counted before scored, resumable, and nothing twice."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from models.strategy import Models, decide
from pipelines.home import Home
from pipelines.training import inputs as inputs_module
from pipelines.training.candidates import TARGET
from pipelines.training.folds import Bench, in_force
from pipelines.training.walk import fit_final, walk_forward
from tests.test_pipelines.training_home import CANDIDATES, NOW, STRATEGY, small_home, small_inputs, small_settings


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    home, ledger = small_home(tmp_path_factory.mktemp("walk"))
    inputs = small_inputs()
    return home, ledger, inputs, walk_forward(home, small_settings(), inputs, ledger, NOW, CANDIDATES)


def bench_of(walked, inputs=None):
    home, ledger, known, _ = walked
    return Bench(home, small_settings(), inputs or known, ledger, NOW, STRATEGY)


def test_every_labelled_session_after_the_first_training_is_judged(walked):
    _, _, inputs, result = walked
    assert np.array_equal(result.rows, np.arange(180, 260)) and inputs.labelled == 260
    assert {name: weights.shape for name, weights in result.weights.items()} == {
        one.name: (80, 12) for one in CANDIDATES}
    assert all(np.abs(weights).sum() > 0.0 for weights in result.weights.values())


def test_no_model_judges_a_session_that_its_labels_reach(walked):
    _, _, inputs, result = walked
    days = [str(day) for day in inputs.panel.sessions]
    for folds in result.folds.values():
        for fold in folds:
            assert days.index(fold.fitted.train_last) + STRATEGY.horizon < fold.test[0]


def test_each_session_is_decided_by_the_newest_models_before_it(walked):
    _, _, inputs, result = walked
    for run, folds in in_force(result.folds):
        models = Models.from_bytes(**{name: fold.fitted.data for name, fold in folds.items()})
        row = int(run[-1])
        alone = decide(STRATEGY, models, inputs.panel.upto(row + 1))
        assert np.array_equal(alone.weights, result.weights["small"][row - 180])
    assert [len(run) for run, _ in in_force(result.folds)] == [30, 30, 20]
    assert {name: len(folds) for name, folds in result.folds.items()} == {"hmm": 2, "gbm": 3, "gnn": 2}


def test_every_candidate_and_every_tuning_trial_is_a_row(walked):
    _, ledger, _, _ = walked
    assert ledger.n(TARGET) == 3
    assert {row["config_key"] for row in ledger.rows("outer")} == {one.key for one in CANDIDATES}
    assert len(ledger.rows("inner")) == 2  # one search in the first 252 judged sessions
    assert ledger.rows()[0]["kind"] == "inner"  # tuned before it was judged


def test_again_fits_nothing_and_writes_no_row(walked):
    home, ledger, inputs, first = walked
    head = ledger.head
    again = walk_forward(home, small_settings(), inputs, ledger, NOW, CANDIDATES)
    assert all(fold.fitted.cached for folds in again.folds.values() for fold in folds)
    assert all(np.array_equal(again.weights[name], first.weights[name]) for name in first.weights)
    assert ledger.head == head


def test_knowledge_of_later_sessions_changes_no_earlier_fold(walked):
    _, _, inputs, result = walked
    shorter = inputs_module.Inputs(inputs.panel.upto(232), inputs.returns[:232].copy())
    shorter.returns[-2:] = np.nan
    bench = bench_of(walked, shorter)
    for name, folds in result.folds.items():
        assert bench.folds(name)[0].fitted.digest == folds[0].fitted.digest


def test_a_corrected_value_refits_only_what_read_it(walked):
    _, _, inputs, result = walked
    values = inputs.panel.values.copy()
    values[215, 3, inputs.panel.features.index("noise_a")] += 0.5  # after the first fold's cut, before the third's
    bench = bench_of(walked, inputs_module.Inputs(replace(inputs.panel, values=values), inputs.returns))
    changed = [bench.folds("gbm")[n].fitted.digest != fold.fitted.digest for n, fold in enumerate(result.folds["gbm"])]
    assert changed == [False, False, True]
    assert all(a.fitted.digest == b.fitted.digest
               for a, b in zip(bench.folds("hmm"), result.folds["hmm"], strict=True))


def test_a_label_that_was_revised_later_is_learnt_as_it_was_told_then(walked):
    home, ledger, inputs, _ = walked
    begin, row, name = 210, 190, 3  # a split that was told after the third fold had begun
    then = inputs.returns.copy()
    then[row, name] = -0.5
    revised = inputs_module.Inputs(inputs.panel, inputs.returns, inputs_module.Revisions(
        np.array([[begin, row, name]]), np.array([-0.5])))
    assert revised.as_known(180) is revised.returns and np.array_equal(revised.as_known(begin), then, equal_nan=True)
    asked = [Bench(home, small_settings(), one, ledger, NOW, STRATEGY).at(family, begin)[0].digest(STRATEGY.features)
             for family in ("gbm", "gnn") for one in (revised, inputs_module.Inputs(inputs.panel, then), inputs)]
    assert asked[0] == asked[1] != asked[2] and asked[3] == asked[4] != asked[5]
    before = Bench(home, small_settings(), revised, ledger, NOW, STRATEGY).folds("gnn")[0]
    assert before.fitted.cached  # folds that began earlier are what they were
    inputs_module.save(home, revised)
    assert inputs_module.load(home).digest() == revised.digest() != inputs.digest()


def test_the_final_fit_learns_from_every_label_that_is_over(walked):
    home, ledger, inputs, _ = walked
    final = fit_final(home, small_settings(), inputs, STRATEGY, ledger, NOW)
    assert final.folds["gbm"].fitted.train_last == str(inputs.panel.sessions[261 - STRATEGY.horizon - 1])
    assert final.config.key() == STRATEGY.key()
    assert np.abs(decide(STRATEGY, final.models(), inputs.panel).weights).sum() > 0.0
    again = fit_final(home, small_settings(), inputs, STRATEGY, ledger, NOW)
    assert (again.hmm, again.gbm, again.gnn) == (final.hmm, final.gbm, final.gnn)


def test_a_history_too_short_to_walk_is_refused_in_words(tmp_path):
    home, ledger = small_home(tmp_path)
    bench = Bench(home, small_settings(), small_inputs(sessions=120), ledger, NOW, STRATEGY)
    with pytest.raises(ValueError, match="first_train_sessions = 180"):
        bench.folds("gbm")


def test_strategies_of_other_models_are_not_walked_together(walked):
    home, ledger, inputs, _ = walked
    other = replace(CANDIDATES[0], config=replace(STRATEGY, horizon=2))
    with pytest.raises(ValueError, match="models and targets"):
        walk_forward(home, small_settings(), inputs, ledger, NOW, (*CANDIDATES, other))


def test_windows_roll_each_family_and_another_walk_of_the_same_configurations_is_counted(walked, tmp_path):
    _, _, inputs, result = walked
    home, ledger = small_home(tmp_path)
    rolling = small_settings(hmm_window_sessions=150, gbm_window_sessions=100, optuna_trials=0)
    other = walk_forward(home, rolling, inputs, ledger, NOW, CANDIDATES)
    days = [str(day) for day in inputs.panel.sessions]
    for name, window in (("hmm", 150), ("gbm", 100), ("gnn", None)):
        for ours, whole in zip(other.folds[name], result.folds[name], strict=True):
            assert days.index(ours.fitted.train_first) == (0 if window is None else ours.test[0] - window)
            assert ours.fitted.train_last == whole.fitted.train_last
            assert (ours.fitted.data == whole.fitted.data) == (window is None)
    final = fit_final(home, rolling, inputs, STRATEGY, ledger, NOW).folds["gbm"].fitted
    assert days.index(final.train_first) == 261 - 100
    assert ledger.n(TARGET) == 3
    walk_forward(home, small_settings(optuna_trials=0), inputs, ledger, NOW, CANDIDATES)
    assert ledger.n(TARGET) == 6  # the same keys, trained otherwise


FITS_TREES = """
from pathlib import Path
import sys
from tests.test_pipelines.training_home import NOW, STRATEGY, small_home, small_inputs, small_settings
from pipelines.training.folds import Bench
home, ledger = small_home(Path(sys.argv[1]))
Bench(home, small_settings(), small_inputs(), ledger, NOW, STRATEGY).folds("gbm")
"""


@pytest.mark.parametrize("failpoint", ["model.staged", "tuning.staged"])
def test_a_fit_killed_at_its_publication_ends_as_if_it_had_not_been(walked, tmp_path, failpoint):
    killed = subprocess.run(
        [sys.executable, "-c", FITS_TREES, str(tmp_path)], env={**os.environ, "NIGHTDESK_FAILPOINT": failpoint},
        capture_output=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    home, ledger = small_home(tmp_path)
    folds = Bench(home, small_settings(), small_inputs(), ledger, NOW, STRATEGY).folds("gbm")
    assert [fold.fitted.data for fold in folds] == [fold.fitted.data for fold in walked[3].folds["gbm"]]
    assert len(ledger.rows("inner")) == 2 and ledger.verify() == 2


def test_what_a_cache_entry_says_is_all_that_its_model_came_from(walked):
    home, _, _, result = walked
    for folds in result.folds.values():
        told = json.loads((home.work / "models" / folds[0].fitted.digest / "fit.json").read_text())
        assert {"family", "config", "seed", "code", "data"} <= set(told)


def test_inputs_come_back_as_they_were_and_are_written_once(tmp_path):
    home, inputs = Home(tmp_path).prepare(), small_inputs()
    inputs_module.save(home, inputs)
    path = home.work / "training" / "inputs.npz"
    written = path.stat().st_mtime_ns
    inputs_module.save(home, inputs)
    assert inputs_module.load(home).digest() == inputs.digest() and path.stat().st_mtime_ns == written
