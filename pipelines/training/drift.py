"""Drift of the night: the newest sessions against those before, in what the models look at, say, and get wrong."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crosssection import zscore
from models.hmm.score import market_features
from models.strategy import StrategyConfig
from models.validation.drift import (
    FEWEST_WINDOWS,
    Moved,
    any_of,
    moved,
    out_of_range,
    reference_sessions,
    unusual,
    windows_of,
)
from models.validation.multiple import discoveries
from pipelines.training.decided import Decided
from pipelines.training.inputs import Inputs

Floats = NDArray[np.float64]
WINDOW_SESSIONS = 63
FALSE_DISCOVERIES = 0.05  # of the alarms of a night, at most so many are to be expected calm
UNUSUAL = 0.01  # and each alone lies beyond its own 99 % quantile
LEAST_NAMES = 5


def measure(inputs: Inputs, strategy: StrategyConfig, window: int = WINDOW_SESSIONS,
            decided: Decided | None = None) -> dict[str, Any]:
    """Each figure with the level that calm windows reach by themselves; alarms only where that many at once are not to
    be expected by chance."""
    panel = inputs.panel
    told = {name: _feature(inputs, strategy, name, window) for name in strategy.features}
    said = _predictions(decided, window) if decided is not None else {}
    wrong = _residuals(decided, inputs, window) if decided is not None else {}
    every = {**told, **said, **wrong}
    called = discoveries(np.array([np.nan if one["p_value"] is None else one["p_value"] for one in every.values()]),
                         FALSE_DISCOVERIES)
    for one, found in zip(every.values(), called, strict=True):
        one["alarm"] = bool(found and one["p_value"] < UNUSUAL)
    return {"features": told, "predictions": said, "residuals": wrong,
            "alarms": [name for name, one in every.items() if one["alarm"]], "compared": len(every),
            "false_discoveries": FALSE_DISCOVERIES, "current_sessions": window,
            "reference_sessions": reference_sessions(len(panel.sessions), window),
            "past_windows": round(windows_of(len(panel.sessions), window)[1], 1)}


def _feature(inputs: Inputs, strategy: StrategyConfig, name: str, window: int) -> dict[str, Any]:
    panel = inputs.panel
    own = {*strategy.gbm.features, *strategy.gnn.features, strategy.gnn.returns}
    cut = len(panel.sessions) - window
    shared = name not in own  # every name repeats it: one column is all there is to know
    values = (market_features(panel, (name,), 0, len(panel.sessions)) if shared
              else np.where(panel.tradable, panel.column(name), np.nan))
    reference, current = values[:cut], values[cut:]
    present = np.isfinite(current if shared else current[panel.tradable[cut:]])
    return {**_told(moved(values, window)), "outside_training_range": _number(out_of_range(reference, current)),
            "missing_share": float(1.0 - present.mean()) if present.size else 1.0}


def _told(found: dict[str, Moved]) -> dict[str, Any]:
    psi, kl, shift = found["psi"], found["kl"], found["shift"]
    return {"psi": _number(psi.value), "unusual_level": _number(psi.level), "kl": _number(kl.value),
            "kl_level": _number(kl.level), "shift": _number(shift.value), "shift_level": _number(shift.level),
            "p_value": _number(any_of(psi, kl, shift))}


def _predictions(decided: Decided, window: int) -> dict[str, dict[str, Any]]:
    """What the models said out of sample, and how sure the regimes were; refits are in it, then as now."""
    sure = decided.regimes.max(axis=1)[:, None]
    columns = {**{f"{name} scores": values for name, values in decided.raw.items()}, "regime certainty": sure}
    return {name: _told(moved(values, window)) for name, values in columns.items()}


def _residuals(decided: Decided, inputs: Inputs, window: int) -> dict[str, dict[str, Any]]:
    """A shift of what the models leave unexplained: of its mean along the score (the relation itself has moved), and of
    its size. One figure a session, as the names of one session are not independent of each other."""
    returns = inputs.returns[np.searchsorted(inputs.panel.sessions, decided.sessions)]
    told = {}
    for name, raw in decided.raw.items():
        along, size = residuals(raw, returns)
        told[f"{name} residuals, along the score"] = _shifted(along, window)
        told[f"{name} residuals, size"] = _shifted(size, window)
    return told


def residuals(scores: Floats, returns: Floats) -> tuple[Floats, Floats]:
    """By session: mean product of score and residual, and root mean square of the residuals. Both in the session's own
    units of spread; the slope is that of all sessions, so a relation that has moved leaves its mark in the first."""
    count = len(scores)
    along, size = np.full(count, np.nan), np.full(count, np.nan)
    rows = []
    for at in range(count):
        both = np.isfinite(scores[at]) & np.isfinite(returns[at])
        if int(both.sum()) >= LEAST_NAMES:
            rows.append((at, zscore(scores[at][both]), returns[at][both] - returns[at][both].mean()))
    if not rows:
        return along, size
    scale = float(np.sqrt(np.mean(np.concatenate([earned for _, _, earned in rows]) ** 2))) or 1.0
    slope = float(np.mean([float((said * earned).mean()) for _, said, earned in rows])) / scale
    for at, said, earned in rows:
        left = earned / scale - slope * said
        along[at], size[at] = float((said * left).mean()), float(np.log(np.sqrt((left * left).mean()) + 1e-12))
    return along, size


def _shifted(values: Floats, window: int) -> dict[str, Any]:
    """The mean of the newest window against the reference's, in the reference's spread, among the same of the past."""
    known = values[: len(values) - int(np.argmax(np.isfinite(values)[::-1]))]  # the last labels are not over
    begins, windows = windows_of(len(known), window)
    if windows < FEWEST_WINDOWS:
        return {"shift": None, "shift_level": None, "p_value": None}
    length = reference_sessions(len(known), window)
    every = []
    for begin in begins:
        before, now = known[begin - length : begin], known[begin : begin + window]
        spread = float(np.nanstd(before))
        every.append((float(np.nanmean(now)) - float(np.nanmean(before))) / spread if spread > 0.0 else np.nan)
    found = unusual(np.array(every[:-1]), every[-1], windows, signed=True)
    return {"shift": _number(found.value), "shift_level": _number(found.level), "p_value": _number(found.p_value)}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
