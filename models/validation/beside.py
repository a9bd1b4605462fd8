"""What stands beside the gate and is never a bar: the worst combinatorial path of the search, the worst regime, how
many different candidates the search really held, and how many independent sessions it was judged on."""

import math

import numpy as np
import numpy.typing as npt

from models.combinatorial import CombinatorialPurgedValidator
from models.validation.statistics import STILL, annual_sharpe

FloatArray = npt.NDArray[np.float64]
LEAST_SESSIONS = 20  # of a regime, before its Sharpe is a figure


def path_sharpes(active: FloatArray) -> list[float]:
    """Annual Sharpe of the whole histories that the search would have lived: in each of the (6, 2) splits it picks the
    best of the sessions outside the test, purged and embargoed, and lives the test with it."""
    validator, rows = CombinatorialPurgedValidator(), len(active)
    if rows < 4 * validator.groups:
        return []
    lives = np.column_stack([np.arange(rows), np.arange(rows) + 1]).astype(np.intp)
    lived = []
    for split in validator.generate_splits(lives):
        seen = active[split.train]
        spread = seen.std(axis=0, ddof=1) if len(seen) > 1 else np.zeros(active.shape[1])
        sharpe = np.divide(seen.mean(axis=0) if len(seen) else spread, spread,
                           out=np.full(active.shape[1], -np.inf), where=spread > STILL)
        lived.append(active[split.test, int(np.argmax(sharpe))])
    return [annual_sharpe(path) for path in validator.recombine(lived, rows)]


def worst_path(active: FloatArray) -> float:
    return min((one for one in path_sharpes(active) if math.isfinite(one)), default=math.nan)


def worst_regime(returns: FloatArray, regimes: npt.NDArray[np.int32]) -> float:
    """The least annual Sharpe of any regime that was believed in on enough sessions; nan where none was."""
    found = [annual_sharpe(returns[regimes == one]) for one in np.unique(regimes)
             if (regimes == one).sum() >= LEAST_SESSIONS]
    return min((one for one in found if math.isfinite(one)), default=math.nan)


def effective_candidates(active: FloatArray) -> float:
    """Candidates that do not move together, by the spread of their correlations' eigenvalues."""
    moving = active[:, active.std(axis=0) > STILL]
    if moving.shape[1] < 2:
        return float(moving.shape[1])
    values = np.linalg.eigvalsh(np.corrcoef(moving, rowvar=False))
    return float(values.sum() ** 2 / (values**2).sum())


def independent_sessions(returns: FloatArray) -> float:
    """So many independent sessions would know the mean as well: profits that echo those of the days before say less
    than their number. By the long-run variance (Newey and West 1987) over lags up to the root of the length; never
    more than there are."""
    length = len(returns)
    centred = returns - returns.mean()
    variance = float(centred @ centred)
    if variance <= 0.0:
        return float(length)
    lags = math.isqrt(length)
    echoes = (2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag]) / variance
              for lag in range(1, lags + 1))
    return length / max(1.0, 1.0 + sum(echoes))
