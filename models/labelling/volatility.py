"""Volatility of one price as it was known at each row, for barriers that must not know more."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def known_volatility(prices: Floats, decay: float = 0.94, least: int = 20) -> Floats:
    """(rows,) volatility of one row's return, exponentially weighted over the returns up to and including that row.

    NaN until `least` returns are known; a row without a price adds nothing and keeps what was known."""
    vol = np.full(len(prices), np.nan)
    total = weight = 0.0
    known, last = 0, np.nan
    for row, price in enumerate(prices):
        if np.isfinite(price):
            if np.isfinite(last):
                move = price / last - 1.0
                total, weight = decay * total + move * move, decay * weight + 1.0
                known += 1
            last = price
        if known >= least:
            vol[row] = np.sqrt(total / weight)
    return vol
