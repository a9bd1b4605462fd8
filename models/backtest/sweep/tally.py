"""What each run of trips over one price path came to: by looking trips up, never walking bars.

Between two trips equity stays where it was, and within one it is a stretch of the same path for every run. So a run
costs as much as it has trips, not as much as it has bars.
"""

import numpy as np
import numpy.typing as npt

from models.backtest.sweep.figures import Fees, Swept, annual_sharpe
from models.backtest.sweep.ranges import Ranges
from models.backtest.sweep.trips import Rows, Trips

FloatArray = npt.NDArray[np.float64]
TOGETHER = 1 << 15  # trips worked on at once: what is made of them stays in a core's cache


def tally(price: FloatArray, trips: Trips, fees: Fees, bars_a_year: float) -> Swept:
    """Figures of every run, many at a time; runs of like length together, so that little is padded."""
    ranges, counts = Ranges(price), trips.counts
    begins = np.concatenate([[0], np.cumsum(counts)])
    final, total, squares, deepest, held = (np.zeros(trips.runs) for _ in range(5))
    wins = np.zeros(trips.runs, np.intp)
    left = np.argsort(counts, kind="stable")[int((counts == 0).sum()) :]
    while len(left):
        least = int(counts[left[0]])
        some = left[: max(1, TOGETHER // least)]
        some = some[: int(np.searchsorted(counts[some], 2 * least + 8))]
        left = left[len(some) :]
        final[some], total[some], squares[some], deepest[some], held[some], wins[some] = _some(
            ranges, trips, begins[some], counts[some], fees)
    return Swept(final, annual_sharpe(total, squares, trips.bars, bars_a_year), deepest, counts, wins,
                 held / trips.bars)


def _some(ranges: Ranges, trips: Trips, begins: Rows, counts: Rows, fees: Fees) -> tuple[npt.NDArray[np.generic], ...]:
    """Runs in rows and their trips in columns; rows shorter than the longest end in trips that change nothing."""
    slot = np.arange(int(counts.max()))
    there = slot < counts[:, None]
    at = (begins[:, None] + slot)[there]
    entry, leave, closed = trips.entry[at], trips.exit[at], trips.closed[at]
    last = leave - closed  # the last bar at whose close it was still held

    def rows(values: FloatArray, nothing: float) -> FloatArray:
        whole = np.full(there.shape, nothing)
        whole[there] = values
        return whole

    bought, left = ranges.price[entry] * fees.buying, ranges.price[leave]
    left = np.where(closed, left * fees.selling, left)
    growth = rows(left / bought, 1.0)
    after = np.cumprod(growth, axis=1)
    before = np.ones(there.shape)
    before[:, 1:] = after[:, :-1]
    scale, worth = before[there] / bought, after[there]

    high, low, fall = ranges.between(entry, last)
    high, low = high * scale, low * scale
    first = np.where(trips.entry[begins] == 0, 1.0 / fees.buying, 1.0)  # equity at the first bar's close
    peak = np.empty(there.shape)
    peak[:, 0] = first
    peak[:, 1:] = rows(np.maximum(high, worth), 0.0)[:, :-1]
    known = np.maximum.accumulate(peak, axis=1)[there]
    fall = np.minimum(np.minimum(fall, low / known - 1.0), worth / np.maximum(known, high) - 1.0)

    sale = np.where(closed, left / ranges.price[last] - 1.0, 0.0)
    charge = 1.0 / fees.buying - 1.0
    total = ranges.sums[last] - ranges.sums[entry] + sale + charge
    squares = ranges.squares[last] - ranges.squares[entry] + sale * sale + charge * charge
    return (after[:, -1] - 1.0, rows(total, 0.0).sum(axis=1), rows(squares, 0.0).sum(axis=1),
            rows(fall, 0.0).min(axis=1), rows(last - entry + 1.0, 0.0).sum(axis=1), (growth > 1.0).sum(axis=1))
