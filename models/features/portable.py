"""Logarithms that every machine rounds alike: NumPy's own differ by processor, and a bit of research must be live's."""

import numpy as np

from models.features.feature import FloatArray

_LN2 = 0.6931471805599453
_ROOT_HALF = 0.7071067811865476
_TERMS = 12  # the first one left out is below 2 ** -60 of the result


def log(values: FloatArray) -> FloatArray:
    """Natural logarithm, elementwise, of + - * / alone; NaN where a value is not above zero or not finite."""
    mantissa, power = np.frexp(np.where((values > 0.0) & np.isfinite(values), values, np.nan))
    low = mantissa < _ROOT_HALF
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    exponent = power.astype(np.float64) - low
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    series = np.full(values.shape, 1.0 / (2 * _TERMS - 1))
    for term in range(_TERMS - 1, 0, -1):
        series = series * square + 1.0 / (2 * term - 1)
    result: FloatArray = exponent * _LN2 + 2.0 * ratio * series
    return result
