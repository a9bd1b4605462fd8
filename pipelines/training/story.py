"""What the fits of tonight were and how they did out of sample, for the graph, the report and MLflow."""

from typing import Any

import numpy as np

from models.crosssection import rank_correlation
from models.gbm.config import GbmConfig
from models.gbm.importance import gains
from models.gbm.score import GbmModel
from models.gnn.score import GnnModel
from models.hmm.config import HmmConfig
from models.hmm.score import HmmModel, market_features
from models.options import told as told_of
from pipelines.home import Home
from pipelines.training.explained import explain
from pipelines.training.folds import Bench, Fold

EXPERIMENT = "nightdesk"


def fit_family(bench: Bench, name: str) -> list[Fold]:
    """Every fold's fit and the final one, cached or made now."""
    return [*bench.folds(name), bench.final(name)]


def skill(fold: Fold, bench: Bench) -> dict[str, float]:
    """How one fold's model did on the sessions it judges: rank correlation with returns, or the regimes it saw."""
    panel, returns = bench.inputs.panel, bench.inputs.returns
    rows = [int(row) for row in fold.test if row < bench.inputs.labelled]
    if not rows:
        return {}
    if fold.family == "hmm":
        regimes = HmmModel.from_bytes(fold.fitted.data)
        seen = np.mean([regimes.posterior(panel, row) for row in rows], axis=0)
        return {f"share_{state}": float(share) for state, share in zip(regimes.names, seen, strict=True)}
    scorer: Any = (GbmModel if fold.family == "gbm" else GnnModel).from_bytes(fold.fitted.data)
    each = np.array([rank_correlation(scorer.score(panel, row), returns[row]) for row in rows])
    known = each[np.isfinite(each)]
    if len(known) < 2:
        return {}
    told = {"rank_ic": float(known.mean()), "rank_ic_t": float(known.mean() / known.std(ddof=1) * len(known) ** 0.5)}
    if fold.fitted.curve:
        told["last_loss"] = fold.fitted.curve[-1]
    return told


def agreement(folds: list[Fold], bench: Bench) -> list[dict[str, Any]]:
    """For each refit of the regimes, on how many sessions known by then it names the same one as the fit before it."""
    panel, told = bench.inputs.panel, []
    for earlier, later in zip(folds, folds[1:], strict=False):
        known = int(later.test[0])
        named = []
        for fold in (earlier, later):
            model = HmmModel.from_bytes(fold.fitted.data)
            observed = market_features(panel, model.features, 0, known, model.median)
            named.append(model.filter((observed - model.centre) / model.scale).argmax(axis=1))
        told.append({"first_session": str(panel.sessions[known]), "share": float((named[0] == named[1]).mean())})
    return told


def tell(home: Home, bench: Bench, name: str, folds: list[Fold]) -> dict[str, Any]:
    """This family's part of the section `training`; the parts of the other families stay."""
    days = bench.inputs.panel.sessions
    told: dict[str, Any] = {
        "folds": [
            {"first_session": str(days[fold.test[0]]), "last_session": str(days[fold.test[-1]]),
             "train_rows": fold.fitted.train_rows, "train_last": fold.fitted.train_last,
             "seconds": fold.fitted.seconds, "cached": fold.fitted.cached, "digest": fold.fitted.digest,
             "params": told_of(fold.config), "curve": list(fold.fitted.curve), "metrics": skill(fold, bench),
             "final": fold.number < 0, "search": fold.trials[0]["search"] if fold.trials else None}
            for fold in folds
        ],
        "chosen_params": {key: value for key, value in told_of(folds[-1].config).items()
                          if isinstance(value, int | float)},
    }
    if isinstance(folds[-1].config, GbmConfig):
        told["importances"] = gains(GbmModel.from_bytes(folds[-1].fitted.data).booster)
        told["explained"] = explain(bench, folds)
        searches = {fold.trials[0]["search"]: fold.trials for fold in folds if fold.trials}
        told["searches"] = [list(trials) for trials in searches.values()]
    if isinstance(folds[-1].config, HmmConfig):
        told["agreement"] = agreement(folds, bench)
    _write(home, name, told)
    return told


def again(home: Home, name: str, digests: list[str]) -> dict[str, Any] | None:
    """The same part where none of these fits is new; None where one of them is not in the home any more."""
    told: dict[str, Any] | None = home.read_section("training").get("families", {}).get(name)
    if told is None or [fold["digest"] for fold in told["folds"]] != digests or not all(
            (home.work / "models" / digest / "fit.json").exists() for digest in digests):
        return None
    told["folds"] = [{**fold, "cached": True} for fold in told["folds"]]
    _write(home, name, told)
    return told


def _write(home: Home, name: str, told: dict[str, Any]) -> None:
    section = home.read_section("training")
    families = {**section.get("families", {}), name: told}
    trials = sum(len(search) for search in families.get("gbm", {}).get("searches", []))
    home.write_section("training", {"families": families, "trials": trials, "mlflow_experiment": EXPERIMENT})
