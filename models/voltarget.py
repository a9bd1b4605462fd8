"""Volatility targeting: if an asset is twice as wild, hold half as much, and hold the whole book to a ceiling."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SESSIONS_A_YEAR = 252
MAX_PORTFOLIO_VOL = 0.20


@dataclass(frozen=True)
class PositionSize:
    """A position as a share of net asset value and in money. `vol_scalar` is target over asset volatility, the latter
    as bounded; `capped` says that the leverage limit held the position back."""

    percent_of_nav: float
    dollar_amount: float
    vol_scalar: float
    raw_signal: float
    capped: bool


@dataclass(frozen=True)
class VolatilityTarget:
    """All volatilities are annual. Below `vol_floor` an asset is not believed to be so calm, above `vol_ceiling` not so
    wild; a position smaller than `min_position` of net asset value is not worth having."""

    target_vol: float = 0.15
    lookback_days: int = 20
    decay: float = 0.94
    vol_floor: float = 0.05
    vol_ceiling: float = 1.0
    max_leverage: float = 2.0
    min_position: float = 0.01

    def realized_vol(self, returns: Floats) -> float:
        """From the last `lookback_days` daily returns, exponentially weighted, the newest most; within the bounds."""
        recent = returns[-self.lookback_days :]
        if not len(recent) or not np.isfinite(recent).all():
            raise ValueError("volatility needs at least one return, and all of them finite")
        weights = self.decay ** np.arange(len(recent) - 1, -1, -1.0)
        daily = math.sqrt(float((weights * recent**2).sum() / weights.sum()))
        return self.bounded(daily * math.sqrt(SESSIONS_A_YEAR))

    def bounded(self, vol: float) -> float:
        return min(max(vol, self.vol_floor), self.vol_ceiling)

    def size(self, signal: float, asset_vol: float, nav: float, budget: float = 1.0) -> PositionSize:
        """For a signal in [-1, 1]; `budget` is the share of net asset value given to this strategy."""
        if not (math.isfinite(signal) and asset_vol >= 0.0 and nav > 0.0 and budget >= 0.0):
            raise ValueError(f"no size for signal {signal}, volatility {asset_vol}, value {nav}, budget {budget}")
        scalar = self.target_vol / self.bounded(asset_vol)
        wanted = scalar * min(max(signal, -1.0), 1.0) * budget
        share = min(max(wanted, -self.max_leverage), self.max_leverage)
        capped = share != wanted
        if abs(share) < self.min_position:
            share = 0.0
        return PositionSize(share, share * nav, scalar, signal, capped)


def portfolio_vol(weights: Floats, vols: Floats, correlation: Floats) -> float:
    """sqrt(w'Σw), Σ from each asset's own annual volatility."""
    exposure = weights * vols
    variance = float(exposure @ correlation @ exposure)
    if not variance >= -1e-12:  # also catches NaN
        raise ValueError("these correlations belong to no portfolio: the variance is negative or unknown")
    return math.sqrt(max(variance, 0.0))


def cap_portfolio_vol(
    positions: Mapping[str, PositionSize], vols: Sequence[float], correlation: Floats,
    max_vol: float = MAX_PORTFOLIO_VOL,
) -> dict[str, PositionSize]:
    """All positions scaled alike when together they exceed `max_vol`, otherwise as they are.

    `vols` are the assets' annual volatilities, in the positions' order and NOT as bounded for sizing: the scalar that
    sized a position is target / volatility, and taking it for a volatility turns calm into wild."""
    weights = np.array([one.percent_of_nav for one in positions.values()])
    together = portfolio_vol(weights, np.asarray(vols, dtype=np.float64), correlation)
    scale = max_vol / together if together > max_vol else 1.0
    return {name: replace(one, percent_of_nav=one.percent_of_nav * scale, dollar_amount=one.dollar_amount * scale)
            for name, one in positions.items()}
