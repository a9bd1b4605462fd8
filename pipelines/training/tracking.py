"""MLflow: one parent run for each set of inputs, under it a run for each fit and each judged candidate."""

import datetime as dt
import os
from pathlib import Path
from typing import Any

from pipelines import durable, failpoints
from pipelines.digest import json_digest
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.training.inputs import Inputs
from pipelines.training.story import EXPERIMENT

# The vendor's switches; they must stand before the first import.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}


def store_of(home: Home) -> Path:
    return home.mlflow / "mlflow.db"


def track(home: Home, settings: Settings, inputs: Inputs, now: dt.datetime) -> int:
    """Write tonight's runs unless these very fits and figures are already there; returns how many were written."""
    runs = _runs(home.read_section("training"), home.read_section("judged"))
    digest = json_digest([inputs.digest(), [(run["name"], run["params"], run["metrics"]) for run in runs]])
    done = home.work / "mlflow" / f"{digest}.json"
    if done.exists():
        return 0
    os.environ.update(QUIET)
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.tracking import MlflowClient

    home.mlflow.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(tracking_uri=f"sqlite:///{store_of(home)}")
    found = client.get_experiment_by_name(EXPERIMENT)
    experiment = found.experiment_id if found else client.create_experiment(
        EXPERIMENT, artifact_location=(home.mlflow / "artifacts").as_uri(),
        tags={"mlflow.experimentKind": "custom_model_development"})  # so that its page opens on runs and metrics
    at = int(now.timestamp() * 1000)
    # A killed attempt is taken up where it stopped: what is logged twice into one run is there once.
    begun = {run.data.tags["nightdesk.place"]: run for run in client.search_runs(
        [experiment], f"tags.`nightdesk.night` = '{digest}'", max_results=len(runs) + 1)}

    def one_run(place: int, name: str, tags: dict[str, str]) -> Any:
        named = {"nightdesk.night": digest, "nightdesk.place": str(place), **tags}
        made = begun.get(str(place)) or client.create_run(experiment, start_time=at, run_name=name, tags=named)
        failpoints.reached("mlflow.begun")
        return made

    parent = one_run(0, f"night {now.date()} {digest[:8]}", {
        "nightdesk.inputs": inputs.digest(), "nightdesk.knowledge_cut": now.isoformat(),
        "nightdesk.features": ",".join(inputs.panel.features), "nightdesk.seed": str(settings.seed)})
    for place, run in enumerate(runs, start=1):
        made = one_run(place, run["name"], {"mlflow.parentRunId": parent.info.run_id})
        metrics = [Metric(key, value, at, 0) for key, value in run["metrics"].items()]
        metrics += [Metric("loss", value, at, epoch) for epoch, value in enumerate(run["curve"])]
        client.log_batch(
            made.info.run_id, metrics=metrics, params=[Param(k, str(v)[:400]) for k, v in run["params"].items()],
            tags=[RunTag(f"nightdesk.{key}", value) for key, value in run["tags"].items()])
        client.set_terminated(made.info.run_id, end_time=at)
    client.set_terminated(parent.info.run_id, end_time=at)
    durable.write_json(done, {"parent": parent.info.run_id, "runs": len(runs)}, failpoint="mlflow")
    return len(runs) + 1


def _runs(training: dict[str, Any], judged: dict[str, Any]) -> list[dict[str, Any]]:
    told = []
    for name, family in sorted(training.get("families", {}).items()):
        for number, fold in enumerate(family["folds"]):
            told.append({
                "name": f"{name} final" if fold["final"] else f"{name} fold {number + 1}", "params": fold["params"],
                "metrics": fold["metrics"], "curve": fold["curve"],
                "tags": {"kind": "fit", "model": fold["digest"], "train_last": fold["train_last"],
                         "first_session": fold["first_session"], "last_session": fold["last_session"]},
            })
    for one in judged.get("strategies", []):
        figures = {key: float(value) for key, value in one.items()
                   if isinstance(value, int | float) and not isinstance(value, bool) and value == value}
        told.append({"name": one["name"], "params": {"key": one["key"]}, "metrics": figures, "curve": [],
                     "tags": {"kind": one["kind"]}})
    return told
