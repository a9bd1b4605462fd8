"""`VolatilityTargetedSizer`: volatility targeting under the name and signatures that people know, a thin shell."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.voltarget import MAX_PORTFOLIO_VOL, SESSIONS_A_YEAR, PositionSize, VolatilityTarget, cap_portfolio_vol


class VolatilityTargetedSizer:
    """Hold half as much of what is twice as wild. All volatilities are annual fractions unless one says otherwise."""

    def __init__(
        self, target_vol: float = 0.15, lookback_days: int = 20, max_leverage: float = 2.0, min_position: float = 0.01,
        vol_floor: float = 0.05, vol_ceiling: float = 1.0,
    ) -> None:
        self.target = VolatilityTarget(target_vol, lookback_days, vol_floor=vol_floor, vol_ceiling=vol_ceiling,
                                       max_leverage=max_leverage, min_position=min_position)

    def calculate_realized_vol(self, returns: ArrayLike, annualize: bool = True) -> float:
        """Of the last `lookback_days` daily returns, weighted by 0.94 to the power of their age. The bounds are annual
        ones, so a daily volatility is bounded as its year's is, and not by 5 % a day."""
        annual = self.target.realized_vol(np.asarray(returns, dtype=np.float64))
        return annual if annualize else annual / math.sqrt(SESSIONS_A_YEAR)

    def size_position(
        self, signal_strength: float, asset_vol: float, nav: float, risk_budget_pct: float = 1.0
    ) -> PositionSize:
        """Target over asset volatility, times the signal (-1 to 1), times the budget's share of net asset value."""
        return self.target.size(signal_strength, asset_vol, nav, risk_budget_pct)

    def adjust_for_correlation(
        self, positions: Mapping[str, PositionSize], correlation_matrix: NDArray[np.float64],
        max_portfolio_vol: float = MAX_PORTFOLIO_VOL, asset_vols: Sequence[float] | None = None,
    ) -> dict[str, PositionSize]:
        """All scaled alike where together they are wilder than `max_portfolio_vol`; what was given is left as it is.

        An asset's volatility is the target over its `vol_scalar`, and not their product, as is sometimes written: that
        takes two assets of 30 % for a book of 7.5 %. It is the volatility as bounded, so of assets beyond the bounds
        the true ones are told in `asset_vols`, in the positions' order."""
        vols = asset_vols or [self.target.target_vol / one.vol_scalar for one in positions.values()]
        return cap_portfolio_vol(positions, vols, correlation_matrix, max_portfolio_vol)
