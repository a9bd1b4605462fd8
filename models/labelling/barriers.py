"""The triple barrier: which comes first, enough profit, enough loss, or the end of patience.

Touch rule: the path is the bet's simple return x = side × (price / entry price − 1) as doubles have it, and a barrier
is touched when x lies STRICTLY beyond it (so 98 / 100 − 1 does cross −2 %, being a little less). The same x decides
the touch and is the return of the label.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Barriers:
    """Profit and loss barriers in units of the volatility known at entry, the vertical one in rows after it."""

    profit: float
    loss: float
    horizon: int
    vertical: Literal["sign", "zero"] = "sign"  # what a bet is labelled that runs out of time

    def __post_init__(self) -> None:
        if not (self.profit > 0.0 and self.loss > 0.0 and self.horizon >= 1):
            raise ValueError("barriers need profit > 0, loss > 0 and a horizon of at least one row")


@dataclass(frozen=True)
class BarrierLabels:
    """Per event: life [t0, t1] in rows, both included; the signed return at t1; which barrier (1, −1, 0 = vertical);
    the label (−1, 0, 1). Where there is none, `label` and `returns` are NaN and the life is as long as it may be."""

    lives: Rows
    returns: Floats
    touched: NDArray[np.int8]
    label: Floats


def triple_barrier(
    prices: Floats, events: Rows, volatility: Floats, barriers: Barriers, sides: Floats | None = None
) -> BarrierLabels:
    """Labels of `events`, rows of `prices` (rows,) at which a bet starts at that row's price.

    `volatility` (rows,) is of one row's return, known at its row (`known_volatility`); `sides` (events,) is 1 or −1.
    A row without a price touches nothing and a bet that ends there is worth its last price. No label where the entry
    has no price, volatility or side, or where the horizon has not passed yet: touches alone would favour the early."""
    rows, count = len(prices), len(events)
    entry, width = prices[events], volatility[events]
    side = np.ones(count) if sides is None else np.sign(sides)
    known = np.isfinite(entry) & (width > 0.0) & (np.abs(side) == 1.0) & (events + barriers.horizon < rows)
    upper = np.where(known, barriers.profit * width, np.inf)
    lower = np.where(known, -barriers.loss * width, -np.inf)
    end = events + barriers.horizon
    value = np.where(known, 0.0, np.nan)
    touched = np.zeros(count, dtype=np.int8)
    running = np.flatnonzero(known)
    for step in range(1, barriers.horizon + 1):  # all events at once, one row later each time
        if not len(running):
            break
        path = side[running] * (prices[events[running] + step] / entry[running] - 1.0)
        priced = np.isfinite(path)
        value[running[priced]] = path[priced]
        above, below = path > upper[running], path < lower[running]
        touched[running[above]], touched[running[below]] = 1, -1
        end[running[above | below]] = events[running[above | below]] + step
        running = running[~(above | below)]
    outcome = np.where(touched != 0, touched, np.sign(value) if barriers.vertical == "sign" else 0.0)
    return BarrierLabels(
        lives=np.stack([events, end], axis=1).astype(np.intp), returns=value, touched=touched,
        label=np.where(known, outcome, np.nan),
    )
