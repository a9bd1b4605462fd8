"""MLflow: nested runs of fits and candidates, once for each set of figures."""

from pipelines.training import tracking
from pipelines.training.story import EXPERIMENT
from tests.test_pipelines.training_home import NOW, small_home, small_inputs, small_settings

FOLD = {"first_session": "2024-01-02", "last_session": "2024-03-28", "train_rows": 250, "train_last": "2023-12-20",
        "seconds": 0.1, "cached": False, "digest": "d" * 64, "params": {"leaves": 3}, "curve": [1.0, 0.9],
        "metrics": {"rank_ic": 0.05}, "final": False}
JUDGED = {"name": "ensemble", "key": "k" * 64, "kind": "candidate", "sharpe_net": 1.5, "dsr": None, "equity": [1.0]}


def test_fits_and_candidates_become_nested_runs_once(tmp_path):
    home, _ = small_home(tmp_path)
    inputs, settings = small_inputs(), small_settings()
    home.write_section("training", {"families": {"gnn": {"folds": [FOLD]}}})
    home.write_section("judged", {"strategies": [JUDGED]})
    assert tracking.track(home, settings, inputs, NOW) == 3
    assert tracking.track(home, settings, inputs, NOW) == 0

    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{tracking.store_of(home)}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    (parent,) = [run for name, run in runs.items() if name.startswith("night 2025-07-01")]
    fit, judged = runs["gnn fold 1"], runs["ensemble"]
    assert fit.data.tags["mlflow.parentRunId"] == judged.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert parent.data.tags["nightdesk.inputs"] == inputs.digest()
    assert fit.data.metrics == {"rank_ic": 0.05, "loss": 0.9} and fit.data.params["leaves"] == "3"
    assert [point.value for point in client.get_metric_history(fit.info.run_id, "loss")] == [1.0, 0.9]
    assert judged.data.metrics == {"sharpe_net": 1.5}

    # Killed after its runs and before it could say so: taken up again, nothing is there twice.
    for told in (home.work / "mlflow").glob("*.json"):
        told.unlink()
    assert tracking.track(home, settings, inputs, NOW) == 3
    again = client.search_runs([experiment.experiment_id])
    assert {run.info.run_id for run in again} == {run.info.run_id for run in runs.values()}
    assert [point.value for point in client.get_metric_history(fit.info.run_id, "loss")] == [1.0, 0.9]
