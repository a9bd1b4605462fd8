"""The Sharpe ratio's sampling error, from the judged equity itself; and equity on one footing."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

SESSIONS_A_YEAR = 252
LEAST_SESSIONS = 20
Z_95 = 1.959964


def profit(equity: Sequence[float]) -> list[float]:
    """Cumulative net return on the stated capital. Returns add up: profit is set aside, losses are made good.

    Equity that starts near one counts from one, equity that starts near zero from zero.
    """
    start = 1.0 if equity and abs(equity[0]) > 0.5 else 0.0
    return [float(value) - start for value in equity]


def drawdown(profits: Sequence[float]) -> list[float]:
    """How far below the highest profit so far, the start included, as a share of the stated capital."""
    peak, depths = 0.0, []
    for value in profits:
        peak = max(peak, value)
        depths.append(value - peak)
    return depths


def sharpe_interval(strategy: Mapping[str, Any]) -> tuple[float, float] | tuple[None, None]:
    """95 % interval of the annual net Sharpe, with Mertens' allowance for skew and fat tails."""
    path, sharpe = [0.0, *profit(strategy.get("equity") or [])], strategy.get("sharpe_net")
    returns = [after - before for before, after in zip(path, path[1:], strict=False)]
    n = len(returns)
    if n < LEAST_SESSIONS or not isinstance(sharpe, int | float) or not math.isfinite(sharpe):
        return None, None
    mean = math.fsum(returns) / n
    second, third, fourth = (math.fsum((one - mean) ** power for one in returns) / n for power in (2, 3, 4))
    if second <= 0:
        return None, None
    skew, kurtosis, daily = third / second**1.5, fourth / second**2, sharpe / math.sqrt(SESSIONS_A_YEAR)
    variance = max(1 - skew * daily + (kurtosis - 1) / 4 * daily**2, 0.0) / (n - 1)
    reach = Z_95 * math.sqrt(variance * SESSIONS_A_YEAR)
    return sharpe - reach, sharpe + reach
