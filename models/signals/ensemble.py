"""Several alphas as one: each weighted by the name's regime and, inversely, by how wildly it earned of late."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from models.features import cross
from models.features.panel import FeaturePanel
from models.signals.alpha import Alpha, Alphas, Filter, Floats, spoken, union
from models.signals.momentum import Momentum
from models.signals.regimes import RegimeRules, strategy_weights
from models.signals.reversion import MeanReversion
from models.signals.volatility import Breakout

RETURNS = "equity_v1:ret_1"
LEAST_RISK_SESSIONS = 20  # fewer measure no volatility: the alpha then counts as an average one
MOST_TILT = 4.0  # no alpha counts more, or less, than this for being calm, or wild


def paper_returns(conviction: Floats, returns: Floats) -> Floats:
    """(rows,) mean over names of yesterday's conviction times what was earned since; NaN where there is no yesterday.

    A row's return is that of the session before its decision, so the conviction of the row before stood through it."""
    earned = np.full(conviction.shape, np.nan)
    earned[1:] = conviction[:-1] * returns[1:]
    return cross.mean(earned)[:, 0]


def trailing_deviation(series: Floats, window: int) -> Floats:
    """Root mean square of the last `window` rows, NaN where fewer than 20 are known; a row sees no row after it."""
    padded = np.concatenate([np.full(window - 1, np.nan), series])
    windows = np.ascontiguousarray(sliding_window_view(padded, window))
    known = np.isfinite(windows)
    squares = np.where(known, windows * windows, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    return np.where(count >= LEAST_RISK_SESSIONS, np.sqrt(squares / np.maximum(count, 1)), np.nan)


def risk_tilts(deviations: Floats) -> Floats:
    """(rows, alphas): the mean deviation over each one's own, within bounds; 1 where it has none yet."""
    known = np.isfinite(deviations) & (deviations > 0.0)
    mean = np.where(known, deviations, 0.0).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    tilt = np.where(known, mean / np.where(known, deviations, 1.0), 1.0)
    return np.clip(tilt, 1.0 / MOST_TILT, MOST_TILT)


def combined(signals: list[Alphas], weights: Floats) -> tuple[Floats, Floats]:
    """(value, confidence) from (rows, names, alphas) weights: the mean value of those that speak, each by its weight
    and its confidence; confidence is what share of the weight stands behind it."""
    value, confidence = np.zeros(signals[0].value.shape), np.zeros(signals[0].value.shape)
    for at, signal in enumerate(signals):
        value = value + weights[..., at] * signal.conviction
        confidence = confidence + weights[..., at] * signal.confidence
    return np.where(confidence > 0.0, value / np.where(confidence > 0.0, confidence, 1.0), 0.0), confidence


@dataclass(frozen=True)
class Ensemble:
    """Momentum, mean reversion and breakout, in this order: that of the regime weights. In a crisis it holds cash."""

    momentum: Momentum = Momentum()
    reversion: MeanReversion = MeanReversion()
    breakout: Breakout = Breakout()
    regimes: RegimeRules = RegimeRules()
    risk_window: int = 60

    @property
    def alphas(self) -> tuple[Alpha, ...]:
        return self.momentum, self.reversion, self.breakout

    @property
    def features(self) -> tuple[str, ...]:
        return union(*(alpha.features for alpha in self.alphas), self.regimes.features, (RETURNS,))

    @property
    def history(self) -> int:
        return max(self.regimes.history, self.risk_window + max(alpha.history for alpha in self.alphas))

    def weights(self, panel: FeaturePanel, signals: list[Alphas]) -> Floats:
        """(rows, names, alphas): the regime's shares, tilted to the calmer; they sum to what the regime's did."""
        returns = panel.column(RETURNS)
        deviations = np.stack([trailing_deviation(paper_returns(signal.conviction, returns), self.risk_window)
                               for signal in signals], axis=1)
        shares = strategy_weights(self.regimes.of_panel(panel))
        tilted = shares * risk_tilts(deviations)[:, None, :]
        total = tilted.sum(axis=2, keepdims=True)
        weights: Floats = tilted / np.where(total > 0.0, total, 1.0) * shares.sum(axis=2, keepdims=True)
        return weights

    def signal(self, panel: FeaturePanel) -> Alphas:
        signals = [alpha.signal(panel) for alpha in self.alphas]
        weights = self.weights(panel, signals)
        value, confidence = combined(signals, weights)
        crisis = weights.sum(axis=2) == 0.0
        told = {f"weight_{name}": weights[..., at] for at, name in enumerate(("momentum", "reversion", "breakout"))}
        return spoken(value, confidence, Filter.COMBINED, needs=(), components=told,
                      silenced=[(Filter.REGIME_FILTER, crisis), (Filter.THRESHOLD_FILTER, confidence == 0.0)])
