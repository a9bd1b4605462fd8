"""Fit the regime model. States get their names from what they are, so that a refit cannot swap them."""

import json
import logging
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.hmm.config import STATES, HmmConfig
from models.hmm.score import market_features
from models.labels import TrainingSet

Floats = NDArray[np.float64]
# Where the search begins, in standardised (return, volatility, volume): one corner a regime, so no random restarts.
START = np.array([[0.4, -0.4, 0.0], [-0.4, 0.6, 0.2], [0.0, 1.2, 0.4], [0.0, -0.9, -0.3]])


def fit(
    training: TrainingSet, config: HmmConfig, seed: int, on_step: Callable[[int, float], None] | None = None
) -> bytes:
    """JSON of a four-state Gaussian model on market features standardised by the training sessions. `on_step` hears
    (iteration, minus the log likelihood of a session)."""
    columns = config.columns
    if len(columns) < 2:
        raise ValueError("a regime model is told by a return and a volatility at least: name both in `features`")
    first, stop = int(training.rows[0]), len(training.panel.sessions)
    observed = market_features(training.panel, config.features, first, stop, config.median)
    observed = observed[np.isfinite(observed).all(axis=1)]
    if len(observed) < config.min_sessions:
        raise ValueError(f"{len(observed)} sessions with {', '.join(columns)}: a regime model needs "
                         f"{config.min_sessions}")
    centre, scale = observed.mean(axis=0), observed.std(axis=0) + 1e-12
    standard = (observed - centre) / scale
    # With priors EM climbs the posterior, not the likelihood it reports: its warnings of a falling one are noise.
    logging.getLogger("hmmlearn.base").setLevel(logging.ERROR)
    model = _searched(standard, corners(len(columns)), config, seed)
    if config.restarts:
        rng = np.random.default_rng(seed)
        others = [_searched(standard, corners(len(columns)) + 0.5 * rng.standard_normal((len(STATES), len(columns))),
                            config, seed) for _ in range(config.restarts)]
        model = max((model, *others), key=lambda one: float(one.score(standard)))
    if on_step is not None:
        for step, likely in enumerate(model.monitor_.history):
            on_step(step, -float(likely) / len(standard))
    name = name_states if config.naming == "extremes" else nearest_states
    order = name(model.means_)
    transitions = model.transmat_[np.ix_(order, order)]
    told = {
        "states": list(STATES), "features": list(config.features), "window": config.window,
        "centre": centre.tolist(), "scale": scale.tolist(), "transitions": transitions.tolist(),
        "stationary": stationary(transitions).tolist(), "means": model.means_[order].tolist(),
        "covariances": model.covars_[order].tolist(), **({"median": list(config.median)} if config.median else {}),
    }
    return json.dumps(told, sort_keys=True).encode()


def corners(width: int) -> Floats:
    """(states, width) where the search begins; a column beyond the first three tells no regime from another."""
    begun = np.zeros((len(STATES), width))
    begun[:, : START.shape[1]] = START[:, :width]
    return begun


def _searched(standard: Floats, begun: Floats, config: HmmConfig, seed: int) -> Any:
    from hmmlearn.hmm import GaussianHMM

    size, width = begun.shape
    model = GaussianHMM(
        n_components=size, covariance_type="full", min_covar=config.min_covariance, n_iter=config.iterations,
        tol=1e-3, random_state=seed, init_params="", params="tmc",
        transmat_prior=1.0 + config.stickiness * np.eye(size), covars_prior=config.min_covariance,
    )
    model.startprob_ = np.full(size, 1.0 / size)
    model.transmat_ = np.full((size, size), 0.02) + np.eye(size) * (1.0 - 0.02 * size)
    model.means_ = begun.copy()
    model.covars_ = np.stack([np.eye(width)] * size)
    return model.fit(standard)


def name_states(means: Floats) -> list[int]:
    """Which fitted state is Bull, Bear, HighVol_Chop, LowVol_Chop: the extremes of mean return, then volatility."""
    by_return = sorted(range(len(means)), key=lambda state: (means[state, 0], state))
    bear, bull = by_return[0], by_return[-1]
    low, high = sorted(by_return[1:-1], key=lambda state: (means[state, 1], state))
    return [bull, bear, high, low]


def nearest_states(means: Floats) -> list[int]:
    """Which fitted state is which, by the pairing with the corners that moves returns and volatilities least."""
    gap = ((means[None, :, :2] - START[:, None, :2]) ** 2).sum(axis=2)  # (name, fitted state)
    names = range(len(means))
    return list(min(permutations(names), key=lambda order: (float(gap[names, order].sum()), order)))


def stationary(transitions: Floats) -> Floats:
    """The law that the chain forgets its start into: solves pi = pi A, sum 1."""
    size = len(transitions)
    system = np.vstack([transitions.T - np.eye(size), np.ones(size)])
    law = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    law = np.maximum(law, 0.0)
    return np.asarray(law / law.sum())
