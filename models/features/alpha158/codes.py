"""Values told by two bytes: the place of each among its name's values, in which order statistics are found exactly.

Whole columns are sorted once; what compares and picks then moves a quarter of the memory, and the values come back as
they were. Of all that a place says only the order within a window is asked, so no other session has a say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.alpha158.windows import LONGEST
from models.features.feature import FloatArray

Codes = NDArray[Any]  # of two bytes, of four, or the values themselves


@dataclass(frozen=True)
class Coded:
    """`codes` (rows, names) order as the values do, equal ones alike; `value` says which value a code stands for."""

    codes: Codes
    value: Callable[[Codes], FloatArray]


def coded(values: FloatArray) -> Coded:
    """No value may be NaN. Those of a tail stand for themselves: sorting them would cost more than it saves."""
    if len(values) == LONGEST:
        return Coded(values, lambda some: some)
    by_name = np.ascontiguousarray(values.T)
    names, rows = by_name.shape
    kind = np.uint16 if rows <= 2**16 else np.uint32
    order = by_name.argsort(axis=1)
    ascending = np.take_along_axis(by_name, order, axis=1)
    places = np.broadcast_to(np.arange(rows, dtype=kind), ascending.shape).copy()
    places[:, 1:][ascending[:, 1:] == ascending[:, :-1]] = 0  # equal ones share the first one's place
    np.maximum.accumulate(places, axis=1, out=places)
    codes = np.empty_like(places)
    np.put_along_axis(codes, order, places, axis=1)
    begins = np.arange(names) * rows
    time_runs_on = values.T.flags.c_contiguous

    def value(some: Codes) -> FloatArray:
        # As the codes lie in memory, so do the values.
        told: FloatArray
        if time_runs_on:
            told = ascending.take(some.T + begins[:, None]).T
        else:
            told = ascending.take(some + begins)
        return told

    return Coded(codes.T if time_runs_on else np.ascontiguousarray(codes.T), value)
