"""A rule inside the session by arrays: what the sides that it wants at bar ends leave it holding."""

import numpy as np
import numpy.typing as npt

from models.intraday import Intraday

FloatArray = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def positions(
    config: Intraday, sides: FloatArray, closes: FloatArray, fillable: Bools, ratio: FloatArray, capital_usd: float
) -> tuple[FloatArray, FloatArray, int]:
    """(rows, names) of whole shares held after each row's fill, and of those fills; and how many orders it took.

    `sides` is NaN where nothing is decided; `ratio` is what a split on that row makes of a share. Sized where a side
    begins, and kept as long as it lasts. What cannot be filled, as nothing is known of its liquidity, is not asked for
    again before the rule changes its mind: as in live."""
    if config.size.method not in ("shares", "weight") or config.stop is not None:
        raise ValueError("sizes by risk, and stops, hang on the path inside the bar: --engine event judges those")
    units = np.full(closes.shape, config.size.amount) if config.size.method == "shares" else (
        config.size.amount * capital_usd / closes)
    aimed, held, orders = np.zeros(closes.shape[1]), np.zeros(closes.shape[1]), 0
    told, fills = np.zeros(closes.shape), np.zeros(closes.shape)
    for row, side in enumerate(sides):
        held = np.trunc(held * ratio[row])  # a part of a share is paid in cash
        change = np.isfinite(side) & (side != aimed) & np.isfinite(units[row])
        if change.any():
            aimed = np.where(change, side, aimed)
            order = np.where(change, np.trunc(np.nan_to_num(side * units[row])) - held, 0.0)
            orders += int(np.count_nonzero(order))
            fills[row] = np.where(fillable[row], order, 0.0)
            held = held + fills[row]
        told[row] = held
    return told, fills, orders
