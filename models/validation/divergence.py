"""Kullback-Leibler divergence: what it costs to take one distribution for another."""

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def kullback_leibler(truth: FloatArray, believed: FloatArray) -> float:
    """Sum of q ln(q / p) over bins, q the truth and p what is believed; infinite where p rules out what happens."""
    for shares in (truth, believed):
        if (shares < 0.0).any() or abs(float(shares.sum()) - 1.0) > 1e-9:
            raise ValueError("shares must be non-negative and sum to one")
    happens = truth > 0.0
    if (believed[happens] == 0.0).any():
        return math.inf
    return float((truth[happens] * np.log(truth[happens] / believed[happens])).sum())


def kullback_leibler_normal(mean: float, variance: float, believed_mean: float, believed_variance: float) -> float:
    """The same between two normals, from the true one to the believed one."""
    moved = variance + (mean - believed_mean) ** 2
    return 0.5 * math.log(believed_variance / variance) + moved / (2.0 * believed_variance) - 0.5
