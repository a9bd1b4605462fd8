"""Optuna inside the training fold: a handful of seeded trials, each a row of the ledger before it is scored."""

import datetime as dt
import json
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crosssection import rank_correlation
from models.gbm.config import GbmConfig
from models.gbm.score import GbmModel
from models.labels import TrainingSet, label_lives
from models.options import told as told_of
from models.splits import inner_split
from pipelines import durable
from pipelines.digest import json_digest
from pipelines.evidence.ledger import Ledger, Trial
from pipelines.home import Home
from pipelines.training.candidates import TARGET
from pipelines.training.families import code_digest, columns_of

RETUNE_SESSIONS = 252
LOOK_EVERY = 20  # rounds between two looks at a trial that may be given up


def tuned(
    home: Home, ledger: Ledger, training: TrainingSet, base: GbmConfig, horizon: int, *, trials: int, seed: int,
    now: dt.datetime, prune: bool = False,
) -> tuple[GbmConfig, list[dict[str, Any]]]:
    """The best of `trials` by rank correlation on the purged end of the fold, and what each trial was and scored.

    That is the whole budget: so many trials of `base.rounds` rounds at most, once in RETUNE_SESSIONS. With `prune` a
    trial ends early when it stands below the median of those before it."""
    if trials == 0:
        return base, []
    told = {"base": told_of(base), "trials": trials, "horizon": horizon, "seed": seed, "code": code_digest("gbm"),
            "data": training.digest(columns_of(base)), **({"prune": LOOK_EVERY} if prune else {})}
    digest = json_digest(told)
    path = home.work / "tuning" / f"{digest}.json"
    if path.exists():
        kept = json.loads(path.read_text())
        return replace(base, **kept["best"]), kept["trials"]
    # Always from the first trial: a search resumed half-way would draw other numbers than one that was never killed.
    best, done = _search(ledger, training, base, horizon, trials, seed, now, digest, prune)
    durable.write_json(path, {**told, "best": best, "trials": done}, failpoint="tuning")
    return replace(base, **best), done


def _search(
    ledger: Ledger, training: TrainingSet, base: GbmConfig, horizon: int, trials: int, seed: int, now: dt.datetime,
    digest: str, prune: bool,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    import optuna

    from models.gbm.fit import covered, fit

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    split = inner_split(training.rows, label_lives(len(training.panel.sessions), horizon))
    inner = TrainingSet.cut(training.panel, training.targets, split.train)
    done: list[dict[str, Any]] = []

    def objective(trial: Any) -> float:
        chosen: dict[str, Any] = {
            "leaves": trial.suggest_int("leaves", 2, base.leaves + 5),
            "learning_rate": trial.suggest_float("learning_rate", base.learning_rate / 2, base.learning_rate * 2,
                                                 log=True),
            "min_leaf": trial.suggest_int("min_leaf", base.min_leaf // 2, base.min_leaf * 2),
            "feature_fraction": trial.suggest_float("feature_fraction", min(0.3, base.feature_fraction), 1.0),
        }
        config = replace(base, **chosen)
        one: dict[str, Any] = {"search": digest, "trial": trial.number, "params": chosen}
        ledger.register_many([Trial("inner", TARGET, json_digest(told_of(config)), seed, dict(one))], now)
        watched: list[tuple[int, float]] = []

        def watch(rounds: int, booster: Any) -> None:
            if rounds % LOOK_EVERY or rounds >= config.rounds:
                return
            so_far = GbmModel(booster, config.features, covered(inner, config.context))
            watched.append((rounds, _skill(so_far, training, split.test)))
            trial.report(watched[-1][1], rounds)
            if trial.should_prune():
                done.append({**one, "rank_ic": watched[-1][1], "pruned": True, "watched": watched})
                raise optuna.TrialPruned

        model = GbmModel.from_bytes(fit(inner, config, seed, watch=watch if prune else None))
        value = _skill(model, training, split.test)
        done.append({**one, "rank_ic": value, **({"watched": watched} if prune else {})})
        return value

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=LOOK_EVERY))
    study.enqueue_trial({"leaves": base.leaves, "learning_rate": base.learning_rate, "min_leaf": base.min_leaf,
                         "feature_fraction": base.feature_fraction})
    study.optimize(objective, n_trials=trials, n_jobs=1)
    best = max((one for one in done if not one.get("pruned")), key=lambda one: (one["rank_ic"], -one["trial"]))
    return best["params"], done


def _skill(model: GbmModel, training: TrainingSet, rows: NDArray[np.intp]) -> float:
    """Mean rank correlation of scores and targets over held-out sessions; 0 where there is none."""
    each = [rank_correlation(model.score(training.panel, int(row)), training.targets[row]) for row in rows]
    return float(np.nanmean(each)) if np.isfinite(each).any() else 0.0
