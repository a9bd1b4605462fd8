"""Fit the boosted cross-section. Same rows, same configuration and seed: same bytes."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.crosssection import rank_label
from models.gbm.config import GbmConfig
from models.gbm.score import ACROSS, RAW, session_inputs
from models.labels import TrainingSet

Floats = NDArray[np.float64]
FEWEST_ROWS = 200
MIN_COVERAGE = 0.5  # of training sessions: a context column that began lately says more about dates than markets


def fit(training: TrainingSet, config: GbmConfig, seed: int) -> bytes:
    """LightGBM's text model, on each session's targets as ranks across names."""
    import lightgbm

    config = replace(config, context=covered(training, config.context))
    inputs, labels = rows_of(training, config)
    columns = [ACROSS + name for name in config.features] + [RAW + name for name in config.context]
    data = lightgbm.Dataset(inputs, labels, feature_name=columns, params={"verbosity": -1, "num_threads": 1})
    # A small market has fewer rows than the house's leaves ask for; four leaves must find room in it.
    config = replace(config, min_leaf=min(config.min_leaf, len(labels) // 4))
    booster = lightgbm.train(parameters(config, seed), data, num_boost_round=config.rounds)
    return bytes(booster.model_to_string(num_iteration=-1).encode())


def parameters(config: GbmConfig, seed: int) -> dict[str, object]:
    return {
        "objective": "regression", "num_leaves": config.leaves, "learning_rate": config.learning_rate,
        "min_data_in_leaf": config.min_leaf, "feature_fraction": config.feature_fraction,
        "bagging_fraction": config.row_fraction, "bagging_freq": 1, "lambda_l2": config.l2, "max_bin": 63,
        "seed": seed, "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1,
    }


def covered(training: TrainingSet, context: tuple[str, ...]) -> tuple[str, ...]:
    """The context columns that most training sessions have; the others stay out of this model."""
    values = training.panel.values[training.rows]
    return tuple(name for name in context
                 if np.isfinite(values[:, :, training.panel.features.index(name)]).any(axis=1).mean() >= MIN_COVERAGE)


def rows_of(training: TrainingSet, config: GbmConfig) -> tuple[Floats, Floats]:
    """Prepared inputs and rank labels of every name and training session that has both."""
    inputs, labels = [], []
    for row in training.rows:
        active, prepared = session_inputs(training.panel, int(row), config.features, config.context)
        label = rank_label(training.targets[row][active])
        known = np.isfinite(label)
        inputs.append(prepared[known])
        labels.append(label[known])
    stacked = np.concatenate(labels)
    if len(stacked) < FEWEST_ROWS:
        raise ValueError(f"only {len(stacked)} labelled rows in {len(training.rows)} training sessions; trees want "
                         f"{FEWEST_ROWS}: train on more sessions or names")
    return np.vstack(inputs), stacked
