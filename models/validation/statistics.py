"""Sharpe statistics that know their own error: probabilistic, deflated, and how long a record must be.

Everything is per period and takes RAW kurtosis (a normal has 3); nothing is annualised but what says so by its name.
Formulas: Bailey and Lopez de Prado 2012, 2014.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
EULER_GAMMA = 0.5772156649015329
YEAR = 252  # sessions
STILL = 1e-12  # a deviation that rounding makes of a record that never moves
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Moments:
    """What a record of returns says of itself: unbiased Sharpe per period, skew, raw kurtosis, length."""

    sharpe: float
    skew: float
    kurtosis: float
    length: int


def moments(returns: FloatArray) -> Moments:
    """Skew and kurtosis are the plain (population) estimates; a record that never moves has Sharpe nan."""
    length = len(returns)
    if length < 3:
        return Moments(math.nan, math.nan, math.nan, length)
    centred = returns - returns.mean()
    variance = float((centred**2).mean())
    if not math.sqrt(variance) > STILL * max(1.0, abs(float(returns.mean()))):
        return Moments(math.nan, math.nan, math.nan, length)
    skew = float((centred**3).mean()) / variance**1.5
    kurtosis = float((centred**4).mean()) / variance**2
    return Moments(float(returns.mean() / returns.std(ddof=1)), skew, kurtosis, length)


def annual_sharpe(returns: FloatArray) -> float:
    """nan for a record that never moves, or is too short to say."""
    return moments(returns).sharpe * math.sqrt(YEAR)


def _variance_term(sharpe: float, skew: float, kurtosis: float) -> float:
    return 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2


def standard_error(record: Moments) -> float:
    """Of the Sharpe per period; nan where the formula has no answer."""
    term = _variance_term(record.sharpe, record.skew, record.kurtosis)
    if record.length < 3 or not term > 0.0:
        return math.nan
    return math.sqrt(term / (record.length - 1))


def psr(record: Moments, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe exceeds `benchmark`."""
    error = standard_error(record)
    return math.nan if math.isnan(error) else _NORMAL.cdf((record.sharpe - benchmark) / error)


def _maximum_of_normals(trials: int) -> float:
    """Expected largest of `trials` standard normals."""
    if trials < 2:
        return 0.0
    return ((1.0 - EULER_GAMMA) * _NORMAL.inv_cdf(1.0 - 1.0 / trials)
            + EULER_GAMMA * _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e)))


def expected_maximum(trials: int, variance: float) -> float:
    """SR0: the best Sharpe that so many worthless trials would show, `variance` being that of their Sharpes."""
    return math.sqrt(variance) * _maximum_of_normals(trials)


def dsr(record: Moments, trials: int, variance: float | None = None) -> float:
    """Deflated Sharpe: PSR against the best of `trials` worthless ones. V is 1/(T − 1), the null's, unless given: the
    variance among trials would be inflated by the very skill that is looked for."""
    null = 1.0 / (record.length - 1) if variance is None else variance
    return psr(record, expected_maximum(trials, null))


def min_track_record(record: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Periods needed before a Sharpe like this one tells itself from `benchmark`."""
    if not record.sharpe > benchmark:
        return math.inf
    term = _variance_term(record.sharpe, record.skew, record.kurtosis)
    return 1.0 + term * (_NORMAL.inv_cdf(confidence) / (record.sharpe - benchmark)) ** 2


def min_backtest_years(trials: int) -> float:
    """Years below which the best of so many worthless trials is expected to show an annual Sharpe of 1."""
    return _maximum_of_normals(trials) ** 2


def smallest_visible_sharpe(length: int, trials: int, *, min_dsr: float, power: float, periods: int = 252) -> float:
    """True annual Sharpe that passes the deflated-Sharpe bar with probability `power` (normal returns)."""
    threshold = expected_maximum(trials, 1.0 / (length - 1))
    reach = _NORMAL.inv_cdf(min_dsr), _NORMAL.inv_cdf(power)

    def error(sharpe: float) -> float:
        return math.sqrt((1.0 + sharpe**2 / 2.0) / (length - 1))

    seen = threshold
    for _ in range(60):  # the bar on what is measured, then the truth that reaches it so often; both contract quickly
        seen = threshold + reach[0] * error(seen)
    true = seen
    for _ in range(60):
        true = seen + reach[1] * error(true)
    return true * math.sqrt(periods)
