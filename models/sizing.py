"""How many units a trade may have: by a fixed fraction at risk, by Kelly, by ATR, or by volatility."""

import math
from dataclasses import dataclass, field
from enum import StrEnum

from models.voltarget import VolatilityTarget


class Method(StrEnum):
    FIXED_FRACTIONAL = "fixed_fractional"
    KELLY = "kelly"
    ATR = "atr"
    VOLATILITY = "volatility"


@dataclass(frozen=True)
class Edge:
    """What is known of a strategy's bets: how often they win, the mean win in units of the mean loss, its Sharpe."""

    win_probability: float
    payoff_ratio: float
    sharpe: float = math.inf


def kelly_bet(win_probability: float, payoff_ratio: float) -> float:
    """f* = (p b − q) / b: the share of capital to put at risk on each bet; negative where the other side is better."""
    if not (0.0 <= win_probability <= 1.0 and payoff_ratio > 0.0):
        raise ValueError("Kelly needs a probability and a positive payoff")
    return (win_probability * payoff_ratio - (1.0 - win_probability)) / payoff_ratio


def kelly_leverage(mean: float, variance: float) -> float:
    """f* = mu / sigma²: the leverage of an asset with normal excess returns, both of one period."""
    if not variance > 0.0:
        raise ValueError("Kelly needs a positive variance")
    return mean / variance


@dataclass(frozen=True)
class KellyRule:
    """A fraction of full Kelly, never above `cap`, and nothing unless the Sharpe (annual) is above the threshold."""

    fraction: float = 0.5
    cap: float = 0.25
    sharpe_threshold: float = 0.0

    def practical(self, full: float, sharpe: float) -> float:
        """Never negative: an edge that is not there is no reason to bet on its opposite."""
        return max(0.0, min(self.fraction * full, self.cap)) if sharpe > self.sharpe_threshold else 0.0


@dataclass(frozen=True)
class PositionSizer:
    """Sizes one instrument at `price` (money per unit); what a method needs beyond that is given here too.

    `atr` is in price units, `annual_vol` a fraction; `atr_multiple` is how many ATR a trade is given to move."""

    price: float
    atr: float | None = None
    annual_vol: float | None = None
    edge: Edge | None = None
    atr_multiple: float = 1.0
    kelly: KellyRule = field(default_factory=KellyRule)
    target: VolatilityTarget = field(default_factory=VolatilityTarget)

    def calculate_size(self, capital: float, risk_pct: float, stop_distance: float, method: Method | str) -> float:
        """Units, not rounded, never negative, never worth more than the leverage limit times `capital`.

        `risk_pct` is a fraction (0.02 = 2 %), `stop_distance` in price units.
        - fixed_fractional: the stop loses `risk_pct` of the capital.
        - kelly: the stop loses the practical Kelly share of the capital, `risk_pct` at most.
        - atr: a move of `atr_multiple` ATR, or to the stop where that is further, loses `risk_pct` of the capital.
        - volatility: target over asset volatility, times `risk_pct` as the budget's share of the capital; no stop."""
        if not (0.0 < capital < math.inf and 0.0 < self.price < math.inf and 0.0 <= risk_pct <= 1.0
                and 0.0 <= stop_distance < math.inf):
            raise ValueError(
                f"no size for capital {capital}, price {self.price}, risk {risk_pct}, stop {stop_distance}")
        units = self._units(capital, risk_pct, stop_distance, Method(method))
        return min(units, self.target.max_leverage * capital / self.price)

    def _units(self, capital: float, risk_pct: float, stop_distance: float, method: Method) -> float:
        if method is Method.FIXED_FRACTIONAL:
            return capital * risk_pct / _positive(stop_distance, "stop distance")
        if method is Method.KELLY:
            if self.edge is None:
                raise ValueError("Kelly needs an edge")
            full = kelly_bet(self.edge.win_probability, self.edge.payoff_ratio)
            share = min(self.kelly.practical(full, self.edge.sharpe), risk_pct)
            return capital * share / _positive(stop_distance, "stop distance")
        if method is Method.ATR:
            return capital * risk_pct / max(self.atr_multiple * _positive(self.atr, "ATR"), stop_distance)
        vol = _positive(self.annual_vol, "annual volatility")
        return self.target.size(1.0, vol, capital, risk_pct).dollar_amount / self.price


def _positive(value: float | None, name: str) -> float:
    if value is None or not value > 0.0 or not math.isfinite(value):
        raise ValueError(f"{name} must be positive and finite, not {value}")
    return value
