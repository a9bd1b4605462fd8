"""MLflow: a night, under it its fits and candidates, under a fit the trials that chose it, each once."""

import subprocess

import pytest

from pipelines import commit
from pipelines.training import tracking
from pipelines.training.story import EXPERIMENT
from tests.test_pipelines.training_home import NOW, small_home, small_inputs, small_settings

FOLD = {"first_session": "2024-01-02", "last_session": "2024-03-28", "train_rows": 250, "train_last": "2023-12-20",
        "seconds": 0.1, "cached": False, "digest": "d" * 64, "params": {"leaves": 3}, "curve": [1.0, 0.9],
        "metrics": {"rank_ic": 0.05}, "final": False, "search": "s" * 64}
FINAL = {**FOLD, "final": True, "metrics": {}}
TRIALS = [{"search": "s" * 64, "trial": 0, "params": {"leaves": 3}, "rank_ic": 0.04},
          {"search": "s" * 64, "trial": 1, "params": {"leaves": 8}, "rank_ic": 0.01, "pruned": True,
           "watched": [[20, 0.01]]}]
JUDGED = {"name": "ensemble", "key": "k" * 64, "kind": "candidate", "sharpe_net": 1.5, "dsr": None,
          "equity": [1.0 + 0.01 * at for at in range(12)], "folds": [{"first": "", "last": "", "sharpe": 1.1}]}


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    home, _ = small_home(tmp_path_factory.mktemp("tracked"))
    home.write_section("training", {"trials": 2, "families": {
        "gbm": {"folds": [FOLD, FINAL], "searches": [TRIALS]}}})
    home.write_section("judged", {"strategies": [JUDGED]})
    home.write_section("warehouse", {"generation": "g" * 16})
    home.write_section("features", {"families": {"equity_v1": {"digest": "e" * 64}}})
    assert tracking.track(home, small_settings(), small_inputs(), NOW) == 6
    return home


def runs_of(home):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{tracking.store_of(home)}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return client, {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def parent_of(runs, name):
    above = runs[name].data.tags["mlflow.parentRunId"]
    return next(other for other, run in runs.items() if run.info.run_id == above)


def test_trials_stand_under_the_fit_they_chose_and_fits_under_their_night(tracked):
    _, runs = runs_of(tracked)
    (night,) = [name for name in runs if name.startswith("night 2025-07-01")]
    assert set(runs) == {night, "gbm fold 1", "gbm final", "gbm trial 1", "gbm trial 2", "ensemble"}
    assert {parent_of(runs, name) for name in ("gbm fold 1", "gbm final", "ensemble")} == {night}
    assert {parent_of(runs, name) for name in ("gbm trial 1", "gbm trial 2")} == {"gbm fold 1"}
    assert runs["gbm trial 2"].data.tags["nightdesk.pruned"] == "true"


def test_a_night_says_what_it_knew_and_which_code_ran(tracked):
    _, runs = runs_of(tracked)
    night = next(run for name, run in runs.items() if name.startswith("night")).data
    told = {key.removeprefix("nightdesk."): value for key, value in night.tags.items()}
    assert told["inputs"] == small_inputs().digest() and told["knowledge_cut"] == NOW.isoformat()
    assert told["marts"] == "g" * 16 and len(told["feature_set"]) == 64 and len(told["code.gbm"]) == 64
    assert night.params["seed"] == "7" and night.metrics["tuning_trials"] == 2.0
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=commit.ROOT, capture_output=True, text=True)
    if asked.returncode == 0:
        assert night.tags["mlflow.source.git.commit"] == asked.stdout.strip()


def test_figures_and_curves_are_there_once(tracked):
    client, runs = runs_of(tracked)
    fit, judged = runs["gbm fold 1"], runs["ensemble"]
    assert fit.data.metrics == {"rank_ic": 0.05, "loss": 0.9, "seconds": 0.1, "train_rows": 250.0}
    assert fit.data.params["leaves"] == "3"
    assert judged.data.metrics == {"sharpe_net": 1.5, "fold_sharpe": 1.1, "equity": pytest.approx(1.1)}

    def curve(run, key):
        return [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, key)]

    assert curve(fit, "loss") == [(0, 1.0), (1, 0.9)]
    assert [step for step, _ in curve(judged, "equity")] == [0, 5, 10]

    # Nothing changed: nothing is written. Killed before it could say so: taken up again, nothing is there twice.
    assert tracking.track(tracked, small_settings(), small_inputs(), NOW) == 0
    for told in (tracked.work / "mlflow").glob("*.json"):
        told.unlink()
    assert tracking.track(tracked, small_settings(), small_inputs(), NOW) == 6
    _, again = runs_of(tracked)
    assert {run.info.run_id for run in again.values()} == {run.info.run_id for run in runs.values()}
    assert curve(again["gbm fold 1"], "loss") == [(0, 1.0), (1, 0.9)]


def test_a_fit_that_took_longer_is_no_other_run(tracked):
    section = tracked.read_section("training")
    slower = [{**fold, "seconds": 9.0, "cached": True} for fold in section["families"]["gbm"]["folds"]]
    tracked.write_section("training", {**section, "families": {"gbm": {**section["families"]["gbm"], "folds": slower}}})
    assert tracking.track(tracked, small_settings(), small_inputs(), NOW) == 0


def test_a_commit_is_found_however_a_checkout_keeps_it(tmp_path):
    assert commit.commit(tmp_path) is None
    git = tmp_path / ".git"
    git.mkdir()
    (git / "HEAD").write_text("a" * 40 + "\n")
    assert commit.commit(tmp_path) == "a" * 40
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{'b' * 40} refs/heads/main\n")
    assert commit.commit(tmp_path) == "b" * 40
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "main").write_text("c" * 40 + "\n")
    assert commit.commit(tmp_path) == "c" * 40
