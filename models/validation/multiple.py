"""Second opinions on many tests at once: the t-statistic against a bar that knows of them, adjusted p-values, and which
of many are called.

They stand beside the deflated Sharpe and decide nothing by themselves.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.validation.statistics import Moments

FloatArray = npt.NDArray[np.float64]
T_BAR = 3.0  # Harvey, Liu and Zhu 2016: what a new factor must exceed after all that have been tried


@dataclass(frozen=True)
class SecondOpinion:
    """t-statistic of the mean return, and whether it clears the bar."""

    t: float
    bar: float
    passed: bool


def second_opinion(record: Moments, bar: float = T_BAR) -> SecondOpinion:
    """t = Sharpe per period × sqrt(periods), its size above `bar`; a record without an answer does not pass."""
    t = record.sharpe * math.sqrt(record.length)
    return SecondOpinion(t, bar, bool(abs(t) > bar))


def holm(p_values: FloatArray) -> FloatArray:
    """Adjusted p-values under which the chance of ANY false discovery is held, whatever the tests have in common."""
    count, order = len(p_values), np.argsort(p_values, kind="stable")
    stepped = np.minimum(np.maximum.accumulate(p_values[order] * (count - np.arange(count))), 1.0)
    adjusted = np.empty(count)
    adjusted[order] = stepped
    return adjusted


def benjamini_yekutieli(p_values: FloatArray) -> FloatArray:
    """Adjusted p-values under which the SHARE of false discoveries is held, whatever the tests have in common."""
    count, order = len(p_values), np.argsort(p_values, kind="stable")
    ranks = np.arange(1, count + 1)
    raised = p_values[order] * (count * float((1.0 / ranks).sum())) / ranks
    stepped = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    adjusted = np.empty(count)
    adjusted[order] = stepped
    return adjusted


def discoveries(p_values: FloatArray, rate: float = 0.05) -> npt.NDArray[np.bool_]:
    """Benjamini and Hochberg: which of many can be called, so that at most `rate` of those called are calm."""
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    called = np.zeros(len(p_values), dtype=np.bool_)
    passed = np.flatnonzero(p_values[order] <= rate * np.arange(1, len(order) + 1) / max(len(order), 1))
    if len(passed):
        called[order[: passed[-1] + 1]] = True
    return called
