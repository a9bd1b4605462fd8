"""The deflated Sharpe of many records at once, exactly as of one: for harnesses that ask a gate very often."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from models.validation.statistics import expected_maximum

FloatArray = npt.NDArray[np.float64]


def _from_sums(sums: list[FloatArray], length: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(Sharpe, skew, raw kurtosis) from the sums of the first four powers."""
    first, second, third, fourth = (one / length for one in sums)
    variance = np.maximum(second - first**2, 1e-300)
    skew = (third - 3.0 * first * second + 2.0 * first**3) / variance**1.5
    kurtosis = (fourth - 4.0 * first * third + 6.0 * first**2 * second - 3.0 * first**4) / variance**2
    return first / np.sqrt(variance * length / (length - 1.0)), skew, kurtosis


def _z_score(sharpe: FloatArray, skew: FloatArray, kurtosis: FloatArray, length: FloatArray,
             bar: FloatArray) -> FloatArray:
    """Standard errors by which the record exceeds `bar`; monotone in the deflated Sharpe."""
    term = np.maximum(1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2, 1e-12)
    z: FloatArray = (sharpe - bar) * np.sqrt((length - 1.0) / term)
    return z


def nightly_best(active: FloatArray, first: int, trials: int) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Of every night from row `first` on: the column a search would pick from all rows up to it, and its deflated
    Sharpe as a z-score. `active` is (T, N); the window grows by a row a night."""
    scaled = active / active.std()  # the powers stay near one
    length = np.arange(first, len(active) + 1, dtype=np.float64)
    sums = [np.cumsum(scaled**power, axis=0)[first - 1 :] for power in (1, 2, 3, 4)]
    sharpe, skew, kurtosis = _from_sums(sums, length[:, None])
    best = sharpe.argmax(axis=1)
    at = np.arange(len(best)), best
    luck = np.array([expected_maximum(trials, 1.0 / (rows - 1.0)) for rows in length])
    return best, _z_score(sharpe[at], skew[at], kurtosis[at], length, luck)


def z_bar(min_dsr: float) -> float:
    """The z-score at which the deflated Sharpe reaches a bar."""
    return NormalDist().inv_cdf(min_dsr) if 0.0 < min_dsr < 1.0 else -math.inf
