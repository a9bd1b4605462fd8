"""What a sweep says of each run, and what its fills were charged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.backtest.sweep.trips import Rows, Trips

if TYPE_CHECKING:
    import pyarrow as pa

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fees:
    """Shares of a fill's value. A sale at the close p brings p · (1 − slippage) · (1 − fee)."""

    fee: float = 0.001
    slippage: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.fee < 1.0 and 0.0 <= self.slippage < 1.0):
            raise ValueError(f"a fee is a share of the fill's value: 0.001 is ten basis points, not {self}")

    @property
    def buying(self) -> float:
        return (1.0 + self.slippage) * (1.0 + self.fee)

    @property
    def selling(self) -> float:
        return (1.0 - self.slippage) * (1.0 - self.fee)


@dataclass(frozen=True)
class Swept:
    """(runs,) each. All capital goes into a trip at the close of its entry and comes out at the close of its exit."""

    total_return: FloatArray
    sharpe: FloatArray  # annual, of plain returns; NaN for a run that never moved
    max_drawdown: FloatArray  # ≤ 0, from the highest equity since the first bar's close
    trades: Rows  # entries, the one still open included
    wins: Rows
    exposure: FloatArray  # share of bars at whose close something was held

    def table(self, **labels: npt.ArrayLike) -> "pa.Table":
        """One row a run; labels (its windows, its name) come first."""
        import pyarrow as pa

        own = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return pa.table({**{name: np.asarray(values) for name, values in labels.items()}, **own})


def trips_table(price: FloatArray, trips: Trips, fees: Fees) -> "pa.Table":
    """One row a trip: where it began and ended, what was paid and got a share, and what it returned."""
    import pyarrow as pa

    column = (trips.run,) if price.ndim == 2 else ()
    bought = price[(trips.entry, *column)] * fees.buying
    left = price[(trips.exit, *column)]
    left = np.where(trips.closed, left * fees.selling, left)
    return pa.table({"run": trips.run, "entry": trips.entry, "exit": trips.exit, "closed": trips.closed,
                     "paid": bought, "got": left, "return": left / bought - 1.0})


def annual_sharpe(total: FloatArray, squares: FloatArray, bars: int, bars_a_year: float) -> FloatArray:
    """From the sums of returns and of their squares; ddof 1."""
    mean = total / bars
    variance = (squares - bars * mean * mean) / max(bars - 1, 1)
    moved = variance > 0.0
    told: FloatArray = np.full(len(total), np.nan)
    told[moved] = mean[moved] / np.sqrt(variance[moved]) * np.sqrt(bars_a_year)
    return told
