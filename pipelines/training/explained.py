"""What the trees lean on, four ways: gain, and on the last judged fold permutation, SHAP and a random forest's gain."""

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np

from models.gbm.config import GbmConfig
from models.gbm.importance import contributions, gains, permutation
from models.gbm.score import GbmModel
from models.labels import TrainingSet
from pipelines import durable
from pipelines.digest import json_digest
from pipelines.training.cache import fitted
from pipelines.training.folds import Bench, Fold


def explain(bench: Bench, folds: list[Fold]) -> dict[str, Any]:
    """Of the last fold that is judged; kept by what it is a function of, so that an unchanged night asks nothing."""
    judged = [fold for fold in folds if fold.number >= 0]
    if not judged:
        return {}
    fold = judged[-1]
    assert isinstance(fold.config, GbmConfig)
    rows = fold.test[fold.test < bench.inputs.labelled]
    path = bench.home.work / "explained" / f"{json_digest([fold.fitted.digest, bench.inputs.digest()])}.json"
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text())
        return kept
    begun = time.perf_counter()
    model, panel = GbmModel.from_bytes(fold.fitted.data), bench.inputs.panel
    first, last = (int(np.searchsorted(panel.sessions, np.datetime64(day)))
                   for day in (fold.fitted.train_first, fold.fitted.train_last))
    learned = TrainingSet.cut(panel, bench.targets, np.arange(first, last + 1))
    forest = fitted(bench.home, "gbm", learned, replace(fold.config, boosting="rf"), bench.settings.seed)
    told = {
        "first_session": str(panel.sessions[fold.test[0]]), "last_session": str(panel.sessions[fold.test[-1]]),
        "permutation": permutation(model, panel, bench.inputs.returns, rows, bench.settings.seed),
        "shap": contributions(model, panel, rows),
        "forest": gains(GbmModel.from_bytes(forest.data).booster),
        "seconds": round(time.perf_counter() - begun, 3),
    }
    durable.write_json(path, told, failpoint="explained")
    return told
