"""MLflow: tonight's runs, written once for each set of inputs and figures."""

import datetime as dt
import os
from pathlib import Path

from pipelines import commit, durable, failpoints
from pipelines.digest import json_digest
from pipelines.home import Home
from pipelines.libraries_sqlite import settled
from pipelines.settings import Settings
from pipelines.training.counted import tied
from pipelines.training.inputs import Inputs
from pipelines.training.runs import NIGHT, Run, tonight
from pipelines.training.story import EXPERIMENT

# The vendor's switches; they must stand before the first import.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}
MOST_METRICS = 1000  # of one batch, MLflow's own limit


def store_of(home: Home) -> Path:
    return home.mlflow / "mlflow.db"


def track(home: Home, settings: Settings, inputs: Inputs, now: dt.datetime) -> int:
    """Write tonight's runs unless these very fits and figures are already there; returns how many were written."""
    runs = tied(home, tonight(home, settings, inputs, now), inputs.digest())
    digest = json_digest([inputs.digest(), [run.told() for run in runs[1:]]])
    done = home.work / "mlflow" / f"{digest}.json"
    if done.exists():
        return 0
    os.environ.update(QUIET)
    home.mlflow.mkdir(parents=True, exist_ok=True)
    ids = _write(home, runs, digest, now)
    settled(store_of(home))  # the marker below must not outlive the runs it tells of
    durable.write_json(done, {"parent": ids[NIGHT], "runs": len(runs) - 1}, failpoint="mlflow")
    return len(runs)


def _write(home: Home, runs: list[Run], digest: str, now: dt.datetime) -> dict[str, str]:
    from mlflow.entities import Metric, Param
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{store_of(home)}")
    found = client.get_experiment_by_name(EXPERIMENT)
    experiment = found.experiment_id if found else client.create_experiment(
        EXPERIMENT, artifact_location=(home.mlflow / "artifacts").as_uri(),
        tags={"mlflow.experimentKind": "custom_model_development"})  # so that its page opens on runs and metrics
    at = int(now.timestamp() * 1000)
    # A killed attempt is taken up where it stopped: what is logged twice into one run is there once.
    begun = {run.data.tags["nightdesk.place"]: run for run in client.search_runs(
        [experiment], f"tags.`nightdesk.night` = '{digest}'", max_results=len(runs))}
    source = {"mlflow.source.name": "nightdesk nightly", "mlflow.source.type": "JOB", **commit.tags()}
    ids: dict[str, str] = {}
    for number, run in enumerate(runs):
        begin = at + len(runs) - number  # a millisecond each, so that pages, which put the newest first, keep our order
        name = f"{run.name} {digest[:8]}" if run.parent is None else run.name
        tags = {"nightdesk.night": digest, "nightdesk.place": run.place, **source,
                **{f"nightdesk.{key}": value for key, value in run.tags.items()},
                **({} if run.parent is None else {"mlflow.parentRunId": ids[run.parent]})}
        made = begun.get(run.place) or client.create_run(experiment, start_time=begin, run_name=name, tags=tags)
        failpoints.reached("mlflow.begun")
        ids[run.place] = made.info.run_id
        metrics = [Metric(key, value, at, 0) for key, value in run.metrics.items()]
        metrics += [Metric(key, value, at, step) for key, curve in run.curves.items() for step, value in curve]
        params = [Param(key, str(value)[:400]) for key, value in run.params.items()]
        for first in range(0, max(1, len(metrics)), MOST_METRICS):
            client.log_batch(made.info.run_id, metrics=metrics[first : first + MOST_METRICS],
                             params=params if first == 0 else [])
        client.set_terminated(made.info.run_id, end_time=begin + int(1000.0 * run.metrics.get("seconds", 0.0)))
    return ids
