"""Markets of known truth, twenty names over three years: some in which nothing can be foreseen, others planted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from pipelines.evidence.calibration import bars, paths
from pipelines.training.prices import label_returns

Floats = NDArray[np.float64]
LEAST_SHIFT = 63  # sessions
REGIME_SESSIONS = 40  # a planted regime lasts about so long
STORM = 1.8  # volatility of a falling market, in units of a rising one's


@dataclass(frozen=True)
class Market:
    """What a decision could read, and what it would have earned: (sessions, names) from open to next open."""

    panel: FeaturePanel
    returns: Floats

    @property
    def labelled(self) -> int:
        return int(np.flatnonzero(np.isfinite(self.returns).any(axis=1))[-1]) + 1


def of_bars(drawn: bars.Bars) -> Market:
    panel = paths.decisions(drawn)
    return Market(panel, label_returns(paths.prices(drawn, panel), panel))


def sandbox(signal: float, number: int) -> Market:
    """The embedded market of this number with its planted effect at this strength; at 0 its noise is a martingale."""
    return of_bars(bars.planted_bars(signal, 5_000 + number))


def regimes(strength: float, number: int) -> Market:
    """A market that rises calmly and falls in storms, the drift of either in units of its daily volatility."""
    def moves(chance: np.random.Generator) -> bars.Moves:
        return _stormy(chance, strength)

    return of_bars(bars.null_bars("gaussian", 41, number, moves))


def _stormy(chance: np.random.Generator, strength: float) -> bars.Moves:
    turns = chance.random(bars.SESSIONS) < 1.0 / REGIME_SESSIONS
    falling = (np.cumsum(turns) + chance.integers(2)) % 2 == 1
    size = bars.DAILY * np.where(falling, STORM, 1.0)
    market = chance.standard_normal(bars.SESSIONS) + strength * np.where(falling, -1.0, 1.0)
    own = chance.standard_normal((bars.SESSIONS, bars.NAMES))
    return size[:, None] * (0.8 * market[:, None] + 0.6 * own), size[:, None]


def permuted(market: Market, number: int) -> Market:
    """Labels dealt out again over sessions, and within each over the names that have one."""
    chance = np.random.default_rng([42, number])
    returns = np.full(market.returns.shape, np.nan)
    for row, other in enumerate(chance.permutation(market.labelled)):
        here = np.flatnonzero(np.isfinite(market.returns[row]))
        drawn = market.returns[other][np.isfinite(market.returns[other])]
        returns[row, here] = chance.choice(drawn, len(here), replace=len(here) > len(drawn))
    return Market(market.panel, returns)


def shifted(market: Market, number: int) -> Market:
    """Labels of another time, their own order kept: the one's end is the other's beginning."""
    count = market.labelled
    by = int(np.random.default_rng([43, number]).integers(LEAST_SHIFT, count - LEAST_SHIFT))
    returns = market.returns.copy()
    returns[:count] = np.roll(market.returns[:count], by, axis=0)
    return Market(market.panel, returns)
