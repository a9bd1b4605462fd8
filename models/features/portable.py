"""Logarithms that every machine rounds alike: NumPy's own differ by processor, and a bit of research must be live's."""

import numpy as np

from models.features.feature import FloatArray

_LN2 = 0.6931471805599453
_ROOT_HALF = 0.7071067811865476
_TERMS = 12  # the first one left out is below 2 ** -60 of the result
_AT_ONCE = 8_192  # values whose intermediate results stay in a core's cache


def log(values: FloatArray) -> FloatArray:
    """Natural logarithm, elementwise, of + - * / alone; NaN where a value is not above zero or not finite."""
    held = np.where((values > 0.0) & np.isfinite(values), values, np.nan)
    if held.flags.f_contiguous and not held.flags.c_contiguous:
        return _by_chunks(held.T).T
    return _by_chunks(np.ascontiguousarray(held)).reshape(held.shape)


def _by_chunks(values: FloatArray) -> FloatArray:
    flat = values.reshape(-1)
    for first in range(0, flat.size, _AT_ONCE):
        part = flat[first : first + _AT_ONCE]
        part[...] = _log(part)
    return values


def _log(values: FloatArray) -> FloatArray:
    mantissa, power = np.frexp(values)
    low = (mantissa < _ROOT_HALF).astype(np.float64)
    mantissa += mantissa * low  # doubled where low
    exponent = power - low
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    series = np.full(values.shape, 1.0 / (2 * _TERMS - 1))
    for term in range(_TERMS - 1, 0, -1):
        series *= square
        series += 1.0 / (2 * term - 1)
    ratio *= 2.0
    ratio *= series
    exponent *= _LN2
    exponent += ratio
    result: FloatArray = exponent
    return result
