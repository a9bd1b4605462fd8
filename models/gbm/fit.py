"""Fit the boosted cross-section. Same rows, same configuration and seed: same bytes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crosssection import rank_labels
from models.gbm import calibration
from models.gbm.config import GbmConfig
from models.gbm.score import ACROSS, RAW, GbmModel, places, sessions_inputs
from models.labelling.weights import uniqueness
from models.labels import TrainingSet, label_lives
from models.splits import inner_split

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Watch = Callable[[int, Any], None]
FEWEST_ROWS = 200
SESSIONS_AT_ONCE = 64  # of those prepared together: no more memory, however many there are
MIN_COVERAGE = 0.5  # of training sessions: a context column that began lately says more about dates than markets


def fit(
    training: TrainingSet, config: GbmConfig, seed: int, on_step: Callable[[int, float], None] | None = None,
    watch: Watch | None = None,
) -> bytes:
    """LightGBM's text model, on each session's targets as ranks across names, or on yes and no as they are.

    `on_step` hears (round, loss on the training rows); `watch` hears (rounds done, the booster so far) after each
    round, and may end the fit by raising."""
    config = replace(config, context=covered(training, config.context))
    if config.calibration == "none":
        return _boosted(training, training.rows, config, seed, on_step, watch)
    if config.objective != "binary":
        raise ValueError(f"calibration {config.calibration!r} is of probabilities: it wants the objective 'binary'")
    lives = label_lives(len(training.panel.sessions), config.label_rows)
    split = inner_split(training.rows, lives, config.calibration_share)
    data = _boosted(training, split.train, config, seed, on_step, watch)
    inputs, happened, _ = rows_of(training, split.test, config)
    curve = calibration.fit(config.calibration, GbmModel.from_bytes(data).rows(inputs), happened)
    head, found, trees = data.decode().partition("\n\nTree=0\n")
    return f"{head}\n{curve.line()}{found}{trees}".encode()


def _boosted(
    training: TrainingSet, rows: Rows, config: GbmConfig, seed: int, on_step: Callable[[int, float], None] | None,
    watch: Watch | None,
) -> bytes:
    import lightgbm

    inputs, labels, of_row = rows_of(training, rows, config)
    columns = [ACROSS + name for name in config.features] + [RAW + name for name in config.context]
    weights = None
    if config.weights == "unique":
        lives = label_lives(len(training.panel.sessions), config.label_rows)[rows]
        weights = uniqueness(lives, int(lives.max()) + 1)[np.searchsorted(rows, of_row)]
        weights = weights / weights.mean()  # so that penalties weigh what they weigh beside equal rows
    data = lightgbm.Dataset(inputs, labels, weight=weights, feature_name=columns,
                            params={"verbosity": -1, "num_threads": 1})
    # A small market has fewer rows than the house's leaves ask for; four leaves must find room in it.
    config = replace(config, min_leaf=min(config.min_leaf, len(labels) // 4))
    heard: list[Callable[[Any], None]] = []
    if on_step is not None:
        heard.append(lambda env: on_step(env.iteration, float(env.evaluation_result_list[0][2])))
    if watch is not None:
        heard.append(lambda env: watch(env.iteration + 1, env.model))
    # Kept as it is: LightGBM would write the booster as text and read it again, only for us to write it once more.
    booster = lightgbm.train(parameters(config, seed), data, num_boost_round=config.rounds, callbacks=heard,
                             valid_sets=[data] if on_step is not None else None, keep_training_booster=True)
    return bytes(booster.model_to_string(num_iteration=-1).encode())


def parameters(config: GbmConfig, seed: int) -> dict[str, object]:
    told: dict[str, object] = {
        "objective": config.objective, "num_leaves": config.leaves, "learning_rate": config.learning_rate,
        "min_data_in_leaf": config.min_leaf, "feature_fraction": config.feature_fraction,
        "bagging_fraction": config.row_fraction, "bagging_freq": 1, "lambda_l2": config.l2, "max_bin": 63,
        "seed": seed, "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1,
    }
    columns = (*config.features, *config.context)
    if config.boosting != "gbdt":
        told["boosting"] = config.boosting
    if config.monotone:
        ways = dict(config.monotone)
        told["monotone_constraints"] = [ways.get(name, 0) for name in columns]
    if config.interactions:
        groups = [[columns.index(name) for name in group if name in columns] for group in config.interactions]
        met = {place for group in groups for place in group}
        told["interaction_constraints"] = [*groups, *([place] for place in range(len(columns)) if place not in met)]
    return told


def covered(training: TrainingSet, context: tuple[str, ...]) -> tuple[str, ...]:
    """The context columns that most training sessions have; the others stay out of this model."""
    values = training.panel.values[:, :, places(training.panel.features, context)][training.rows]
    shares = np.isfinite(values).any(axis=1).mean(axis=0)
    return tuple(name for name, share in zip(context, shares.tolist(), strict=True) if share >= MIN_COVERAGE)


def rows_of(training: TrainingSet, rows: Rows, config: GbmConfig) -> tuple[Floats, Floats, Rows]:
    """Prepared inputs and labels of every name and session of `rows` that has both, and the row each came from."""
    inputs, labels, counts = [], [], []
    for part in np.array_split(rows, max(1, -(-len(rows) // SESSIONS_AT_ONCE))):
        active, prepared = sessions_inputs(training.panel, part, config.features, config.context)
        targets = training.targets[part]
        label = rank_labels(targets, active) if config.objective == "regression" else targets
        known = active & np.isfinite(label)
        inputs.append(prepared[known])
        labels.append(label[known])
        counts.append(known.sum(axis=1))
    stacked = np.concatenate(labels)
    if len(stacked) < FEWEST_ROWS:
        raise ValueError(f"only {len(stacked)} labelled rows in {len(rows)} training sessions; trees want "
                         f"{FEWEST_ROWS}: train on more sessions or names")
    if config.objective == "binary" and not np.isin(stacked, (0.0, 1.0)).all():
        raise ValueError("a binary objective learns targets that are 0 or 1, and these are others")
    if config.objective == "binary" and stacked.min() == stacked.max():
        raise ValueError(f"all {len(stacked)} targets are {stacked[0]:.0f}: nothing tells yes from no")
    return np.vstack(inputs), stacked, np.repeat(np.asarray(rows, dtype=np.intp), np.concatenate(counts))
