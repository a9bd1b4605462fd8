"""The Sharpe ratio's sampling error from the judged equity itself, and equity on one footing: growth of one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

SESSIONS_A_YEAR = 252
Z_95 = 1.959964


def growth_of_one(equity: Sequence[float]) -> list[float]:
    """Equity written as growth (1.02), or as cumulative return (0.02) when it starts nearer to zero than to one."""
    if not equity:
        return []
    return [float(value) for value in equity] if abs(equity[0]) > 0.5 else [1.0 + float(value) for value in equity]


def sharpe_interval(strategy: Mapping[str, Any]) -> tuple[float, float] | tuple[None, None]:
    """95 % interval of the annual net Sharpe, with Mertens' allowance for skew and fat tails."""
    growth, sharpe = growth_of_one(strategy.get("equity") or []), strategy.get("sharpe_net")
    returns = [after / before - 1 for before, after in zip(growth, growth[1:], strict=False) if before > 0]
    n = len(returns)
    if n < 20 or not isinstance(sharpe, int | float) or not math.isfinite(sharpe):
        return None, None
    mean = math.fsum(returns) / n
    moment = [math.fsum((r - mean) ** k for r in returns) / n for k in (2, 3, 4)]
    if moment[0] <= 0:
        return None, None
    skew, kurtosis, daily = (
        moment[1] / moment[0] ** 1.5,
        moment[2] / moment[0] ** 2,
        sharpe / math.sqrt(SESSIONS_A_YEAR),
    )
    variance = max(1 - skew * daily + (kurtosis - 1) / 4 * daily**2, 0.0) / (n - 1)
    reach = Z_95 * math.sqrt(variance * SESSIONS_A_YEAR)
    return sharpe - reach, sharpe + reach
