"""The arithmetic of a tear sheet: months, runs, calibration, capacity."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.backtest import Prices, judge
from models.backtest.figures import sharpe_annual
from models.crosssection import zscore
from models.market.costs import CostModel
from models.strategy import StrategyConfig
from pipelines.report.sheet.record import Bucket, Capacity

Floats = NDArray[np.float64]
CAPITALS_USD = (1e6, 3e6, 10e6, 30e6, 100e6, 300e6)
BUCKETS = 8
LEAST_IN_A_BUCKET = 30


def by_month(sessions: Sequence[str], net: Floats) -> dict[int, dict[int, float]]:
    """Year → month → return. Returns add up on the stated capital."""
    told: dict[int, dict[int, float]] = {}
    for session, value in zip(sessions, net, strict=True):
        months = told.setdefault(int(session[:4]), {})
        months[int(session[5:7])] = months.get(int(session[5:7]), 0.0) + float(value)
    return told


def rolling_sharpe(excess: Floats, window: int) -> list[float | None]:
    """Annual Sharpe of the last `window` sessions at each one; None until there are so many."""
    if len(excess) < window:
        return [None] * len(excess)
    total, squares = (np.concatenate([[0.0], np.cumsum(part)]) for part in (excess, excess * excess))
    mean = (total[window:] - total[:-window]) / window
    variance = np.maximum((squares[window:] - squares[:-window]) / window - mean * mean, 0.0) * window / (window - 1)
    known = np.divide(mean, np.sqrt(variance), out=np.zeros_like(mean), where=variance > 1e-18) * math.sqrt(252)
    return [None] * (window - 1) + known.tolist()


def longest_under_water(net: Floats) -> int:
    """Most sessions in a row below an earlier peak."""
    path = np.cumsum(net)
    under = path < np.maximum.accumulate(np.maximum(path, 0.0))
    longest = run = 0
    for below in under:
        run = run + 1 if below else 0
        longest = max(longest, run)
    return longest


def histogram(values: Floats, bins: int = 25) -> tuple[list[float], list[int]]:
    """(middles, counts) over what 99 % of the values span; the few beyond stand in the outermost bins."""
    low, high = np.quantile(values, [0.005, 0.995])
    reach = max(abs(float(low)), abs(float(high)), 1e-9)
    counts, edges = np.histogram(np.clip(values, -reach, reach), bins=bins, range=(-reach, reach))
    return ((edges[:-1] + edges[1:]) / 2).tolist(), counts.tolist()


def blended(config: StrategyConfig, raw: dict[str, Floats]) -> Floats:
    """(sessions, names) score as the strategy means it: the two models' z-scores, blended, averaged over its hold."""
    each = np.stack([(1.0 - config.blend_gnn) * zscore(gbm) + (config.blend_gnn * zscore(gnn) if config.blend_gnn
                                                              else 0.0)
                     for gbm, gnn in zip(raw["gbm"], raw["gnn"], strict=True)])
    held = np.stack([np.vstack([np.full((back, each.shape[1]), np.nan), each[: len(each) - back]])
                     for back in range(config.hold_sessions)])
    known = np.isfinite(held)
    mean = np.where(known, held, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known[0], mean, np.nan)


def calibration(score: Floats, returns: Floats, buckets: int = BUCKETS) -> list[Bucket]:
    """Names by their score of the session against what they earned beyond the session's average, from open to open.

    The error is of the sessions' means, as the names of one session are not independent of each other."""
    both = np.isfinite(score) & np.isfinite(returns)
    if int(both.sum()) < 2 * LEAST_IN_A_BUCKET:
        return []
    count = np.maximum(both.sum(axis=1, keepdims=True), 1)
    beyond = returns - np.where(both, returns, 0.0).sum(axis=1, keepdims=True) / count
    edges = np.quantile(score[both], np.linspace(0.0, 1.0, buckets + 1)[1:-1])
    place = np.searchsorted(edges, score, side="right")
    made = []
    for bucket in range(buckets):
        here = both & (place == bucket)
        if int(here.sum()) < LEAST_IN_A_BUCKET:
            continue
        each = np.where(here, beyond, 0.0).sum(axis=1)
        size = here.sum(axis=1)
        mean = float(each.sum() / size.sum())
        scatter = each - mean * size  # of a ratio of sums over sessions
        error = math.sqrt(float((scatter**2).sum())) / float(size.sum())
        made.append(Bucket(float(score[here].mean()), mean * 1e4, error * 1e4, int(size.sum())))
    return made


def capacity(window: Prices, weights: Floats, costs: CostModel,
             capitals: Sequence[float] = CAPITALS_USD) -> list[Capacity]:
    """The same weights at growing capital: impact grows with the root of size, and a day's volume caps what fills."""
    from dataclasses import replace

    wanted = float(np.abs(np.diff(np.vstack([np.zeros((1, weights.shape[1])), weights]), axis=0)).sum())
    made = []
    for capital in capitals:
        told = judge(window, weights, replace(costs, capital_usd=capital))
        filled = float(told.turnover.sum()) / wanted if wanted > 0.0 else 1.0
        made.append(Capacity(capital, sharpe_annual(told.excess), sharpe_annual(told.gross - told.cash),
                             float(told.cost.mean()) * 1e4, min(filled, 1.0)))
    return made
