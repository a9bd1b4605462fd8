"""What the trees lean on: what a score is made of, and what is lost out of sample when a column is dealt anew."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crosssection import rank_correlation
from models.features.panel import FeaturePanel
from models.gbm.config import GbmConfig
from models.gbm.fit import parameters
from models.gbm.score import ACROSS, RAW, GbmModel, session_inputs

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def plain(column: str) -> str:
    """The feature behind a column of the text model."""
    return column.removeprefix(ACROSS).removeprefix(RAW)


def gains(booster: Any) -> dict[str, float]:
    """Total gain of each feature in the trees."""
    told = booster.feature_importance("gain")
    return {plain(name): float(gain) for name, gain in zip(booster.feature_name(), told, strict=True)}


def contributions(model: GbmModel, panel: FeaturePanel, rows: Rows) -> dict[str, float]:
    """Mean size of each feature's share of the scores (SHAP values of trees, LightGBM's own) over sessions."""
    inputs = np.vstack([session_inputs(panel, int(row), model.features, model.context)[1] for row in rows])
    if not len(inputs):
        return {}
    shares = np.abs(model.booster.predict(inputs, pred_contrib=True, num_threads=1)[:, :-1]).mean(axis=0)
    return {plain(name): float(share) for name, share in zip(model.booster.feature_name(), shares, strict=True)}


def permutation(
    model: GbmModel, panel: FeaturePanel, returns: Floats, rows: Rows, seed: int, repeats: int = 2
) -> dict[str, float]:
    """Rank correlation lost when a feature is dealt anew: among the names of each session, or, where it is the same for
    all names, among the sessions."""
    told = [(int(row), *session_inputs(panel, int(row), model.features, model.context)) for row in rows]
    told = [(row, active, inputs) for row, active, inputs in told if len(inputs) > 2]
    if not told:
        return {}
    ends = np.cumsum([len(inputs) for _, _, inputs in told])[:-1]
    earned = [returns[row][active] for row, active, _ in told]
    stacked = np.vstack([inputs for _, _, inputs in told])
    of_session = np.repeat(np.arange(len(told)), [len(inputs) for _, _, inputs in told])

    def skill(inputs: Floats) -> float:
        said = np.split(model.rows(inputs), ends)
        each = [rank_correlation(score, came) for score, came in zip(said, earned, strict=True)]
        return float(np.nanmean(each)) if np.isfinite(each).any() else 0.0

    rng, whole = np.random.default_rng(seed), skill(stacked)
    lost: dict[str, float] = {}
    for at, column in enumerate(model.booster.feature_name()):
        drops = []
        for _ in range(repeats):
            dealt = stacked.copy()
            if column.startswith(RAW):
                first = np.concatenate([[0], ends])
                dealt[:, at] = stacked[first, at][rng.permutation(len(told))][of_session]
            else:
                order = np.lexsort((rng.random(len(stacked)), of_session))  # shuffled inside each session
                dealt[:, at] = stacked[order, at]
            drops.append(whole - skill(dealt))
        lost[plain(column)] = float(np.mean(drops))
    return lost


def forest_shares(inputs: Floats, came: Floats, names: Sequence[str], seed: int) -> dict[str, float]:
    """Each feature's share of what a random forest gains by it on these few rows; they sum to one, or are all nought
    where no branch was worth making."""
    import lightgbm

    config = GbmConfig(features=tuple(names), boosting="rf", min_leaf=max(2, len(came) // 20),
                       row_fraction=0.632, l2=0.0)
    data = lightgbm.Dataset(inputs, came, feature_name=[f"f{at}" for at in range(len(names))],
                            params={"verbosity": -1, "num_threads": 1})
    booster = lightgbm.train(parameters(config, seed), data, num_boost_round=config.rounds)
    gained = booster.feature_importance("gain").astype(np.float64)
    told = gained / gained.sum() if gained.sum() > 0.0 else gained
    return dict(zip(names, told.tolist(), strict=True))
