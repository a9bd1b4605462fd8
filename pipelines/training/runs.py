"""Tonight as MLflow's runs: the night, under it each fit and each judged candidate, under a fit its trials."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from pipelines.digest import json_digest
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.training.families import FAMILIES, code_digest
from pipelines.training.inputs import Inputs

EQUITY_STEP = 5  # sessions between two points of a candidate's equity
Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Run:
    """`place` is its own among tonight's; `parent` the place of the run it is shown under."""

    place: str
    name: str
    parent: str | None
    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def told(self) -> list[Any]:
        """What makes it another run; how long a fit took does not."""
        return [self.place, self.name, self.params, {k: v for k, v in self.metrics.items() if k != "seconds"}]


NIGHT = "night"


def tonight(home: Home, settings: Settings, inputs: Inputs, now: dt.datetime) -> list[Run]:
    """Every run, parents before their children."""
    training, judged = home.read_section("training"), home.read_section("judged")
    children = [*_fits(training), *_candidates(judged)]
    return [_night(home, settings, inputs, now, training), *children]


def _night(home: Home, settings: Settings, inputs: Inputs, now: dt.datetime, training: dict[str, Any]) -> Run:
    panel, verdict = inputs.panel, home.read_section("verdict")
    views = {name: one.get("digest", "") for name, one in home.read_section("features").get("families", {}).items()}
    folds = [fold for one in training.get("families", {}).values() for fold in one["folds"]]
    told = {"fits": len(folds), "names": len(panel.names), "sessions": len(panel.sessions),
            "fit_seconds": sum(fold["seconds"] for fold in folds if not fold["cached"]),
            "tuning_trials": training.get("trials") or 0, "trials_n": verdict.get("trials_n") or 0}
    return Run(
        NIGHT, f"night {now.date()}", None,
        params={"source": settings.source, "seed": settings.seed, "verdict": verdict.get("act", "none"),
                "strategy": verdict.get("strategy", "none"), **{f"training.{key}": value for key, value
                                                              in settings.training.model_dump().items()}},
        metrics={key: float(value) for key, value in told.items()},
        tags={"inputs": inputs.digest(), "knowledge_cut": now.isoformat(), "features": ",".join(panel.features),
              "feature_set": json_digest(sorted(views.items())), "seed": str(settings.seed),
              "marts": str(home.read_section("warehouse").get("generation", "")),
              **{f"code.{name}": code_digest(name) for name in FAMILIES}})


def _fits(training: dict[str, Any]) -> list[Run]:
    told: list[Run] = []
    for name, family in sorted(training.get("families", {}).items()):
        searches = {search[0]["search"]: search for search in family.get("searches", [])}
        for number, fold in enumerate(family["folds"]):
            place = f"{name} final" if fold["final"] else f"{name} fold {number + 1}"
            told.append(Run(
                place, place, NIGHT, params=fold["params"],
                metrics={**fold["metrics"], "seconds": float(fold["seconds"]), "train_rows": float(fold["train_rows"])},
                curves={"loss": list(enumerate(fold["curve"]))},
                tags={"kind": "fit", "family": name, "model": fold["digest"], "train_last": fold["train_last"],
                      "first_session": fold["first_session"], "last_session": fold["last_session"]}))
            for trial in searches.pop(fold.get("search"), []):
                told.append(Run(
                    f"{place} trial {trial['trial'] + 1}", f"{name} trial {trial['trial'] + 1}", place,
                    params=trial["params"], metrics={"rank_ic": trial["rank_ic"]},
                    curves={"rank_ic_by_rounds": [(int(at), value) for at, value in trial.get("watched", [])]},
                    tags={"kind": "trial", "family": name, "search": trial["search"],
                          "pruned": str(trial.get("pruned", False)).lower()}))
    return told


def _candidates(judged: dict[str, Any]) -> list[Run]:
    told = []
    for one in judged.get("strategies", []):
        figures = {key: float(value) for key, value in one.items()
                   if isinstance(value, int | float) and not isinstance(value, bool) and value == value}
        folds = [fold.get("sharpe") for fold in one.get("folds", [])]
        told.append(Run(
            f"judged {one['name']}", one["name"], NIGHT, params={"key": one["key"]}, metrics=figures,
            curves={"fold_sharpe": [(at, float(value)) for at, value in enumerate(folds) if value is not None],
                    "equity": list(enumerate(one.get("equity", [])))[::EQUITY_STEP]},
            tags={"kind": one["kind"]}))
    return told
