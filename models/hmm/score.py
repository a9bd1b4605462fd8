"""Filtered regime posteriors: what was believed at a session, from that session and those before it."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HmmModel:
    """Gaussian states on standardised market features. There is no smoothed posterior in this class, on purpose."""

    names: tuple[str, ...]
    features: tuple[str, ...]
    window: int
    centre: Floats  # (features,) training mean
    scale: Floats  # (features,) training spread
    transitions: Floats  # (states, states)
    stationary: Floats  # (states,)
    means: Floats  # (states, features)
    whiten: Floats  # (states, features, features) inverse Cholesky factor of each covariance
    log_norm: Floats  # (states,)
    median: tuple[str, ...] = ()  # columns of single names, observed as their median over the tradable

    @classmethod
    def from_bytes(cls, data: bytes) -> "HmmModel":
        told: dict[str, Any] = json.loads(data)
        covariances = np.asarray(told["covariances"], dtype=np.float64)
        factors = np.linalg.cholesky(covariances)
        size = covariances.shape[-1]
        log_det = 2.0 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
        return cls(
            names=tuple(told["states"]), features=tuple(told["features"]), window=int(told["window"]),
            centre=np.asarray(told["centre"], dtype=np.float64), scale=np.asarray(told["scale"], dtype=np.float64),
            transitions=np.asarray(told["transitions"], dtype=np.float64),
            stationary=np.asarray(told["stationary"], dtype=np.float64),
            means=np.asarray(told["means"], dtype=np.float64), whiten=np.linalg.inv(factors),
            log_norm=-0.5 * (size * np.log(2.0 * np.pi) + log_det), median=tuple(told.get("median", ())),
        )

    def log_density(self, observed: Floats) -> Floats:
        """(sessions, states) from standardised (sessions, features); a session with a gap says nothing (0)."""
        gap = observed[:, None, :] - self.means[None, :, :]
        whitened = (self.whiten[None, :, :, :] * gap[:, :, None, :]).sum(axis=3)
        density = self.log_norm[None, :] - 0.5 * (whitened * whitened).sum(axis=2)
        return np.where(np.isfinite(density), density, 0.0)

    def filter(self, observed: Floats) -> Floats:
        """Forward pass over standardised (sessions, features) -> (sessions, states), from the stationary law."""
        density = self.log_density(observed)
        believed = np.empty_like(density)
        prior = self.stationary
        for step in range(len(density)):
            if step:
                prior = (believed[step - 1][:, None] * self.transitions).sum(axis=0)
            weight = np.log(prior + 1e-300) + density[step]
            likely = np.exp(weight - weight.max())
            believed[step] = likely / likely.sum()
        return believed

    def posterior(self, panel: FeaturePanel, row: int) -> Floats:
        """(states,) believed at the panel's `row`, from the last `window` rows up to it."""
        first = max(0, row - self.window + 1)
        observed = market_features(panel, self.features, first, row + 1, self.median)
        believed: Floats = self.filter((observed - self.centre) / self.scale)[-1]
        return believed


def market_features(
    panel: FeaturePanel, features: tuple[str, ...], first: int, stop: int, median: tuple[str, ...] = ()
) -> Floats:
    """(sessions, features + median): market-wide features, which every name repeats, from the first name that has a
    value; then for each column of single names the median over those that may be traded."""
    columns = [panel.features.index(name) for name in features]
    values = panel.values[first:stop, :, columns]
    known = np.isfinite(values)
    holder = known.argmax(axis=1)
    picked = np.take_along_axis(values, holder[:, None, :], axis=1)[:, 0, :]
    if median:
        own = panel.values[first:stop][:, :, [panel.features.index(name) for name in median]]
        told = panel.tradable[first:stop, :, None] & np.isfinite(own)
        middle = np.full((len(own), len(median)), np.nan)
        for row, column in zip(*np.nonzero(np.logical_or.reduce(told, axis=1)), strict=True):
            middle[row, column] = np.median(own[row, told[row, :, column], column])
        picked = np.hstack([picked, middle])
    return np.ascontiguousarray(picked)
