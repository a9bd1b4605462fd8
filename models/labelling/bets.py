"""Labels that are yes or no: whether a price rises soon enough, and whether a bet that a model proposes pays."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
MINUTES = 5
RISE = 0.005


def target_5m(opens: Floats, highs: Floats, minutes: int = MINUTES, rise: float = RISE) -> tuple[Floats, Rows]:
    """(labels, lives) of decisions at the end of each minute of ONE session, from (minutes,) or (minutes, names).

    1 when the price is more than `rise` above the fill, which is the next minute's open, at some time in the `minutes`
    after the decision; 0 when it is not; NaN when the next minute has no trade, so no fill, or when the session ends
    sooner: there a quick rise would be known and a slow one not. A life is [decision row, last minute needed]."""
    count = len(opens)
    labels = np.full(opens.shape, np.nan)
    whole = count - minutes
    if whole > 0:
        after = np.where(np.isfinite(highs), highs, -np.inf)[1:]
        highest = np.lib.stride_tricks.sliding_window_view(after, minutes, axis=0).max(axis=-1)
        fill = opens[1 : whole + 1]
        labels[:whole] = np.where(np.isfinite(fill), highest / fill - 1.0 > rise, np.nan)
    first = np.arange(count)
    return labels, np.stack([first, first + minutes], axis=1)


def meta_labels(sides: Floats, moves: Floats, costs: Floats | float = 0.0) -> Floats:
    """1 where following the primary model's side (1, −1) paid after costs, 0 where it did not; NaN without a bet.

    `moves` is the asset's own simple return over the label's life, not yet signed. The primary model must have been
    out of fold when it chose the side; set `sides` to NaN where it was not, and no label comes of it."""
    bet = np.isfinite(sides) & (sides != 0.0) & np.isfinite(moves)
    return np.where(bet, (np.sign(sides) * moves - costs > 0.0).astype(np.float64), np.nan)
