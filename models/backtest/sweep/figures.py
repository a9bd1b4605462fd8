"""What a sweep says of each run, and what its fills were charged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.backtest.sweep.trips import Bools, Rows, Trips

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
    """(runs,) each. All capital goes into a trip at the close of its entry and comes out at the close of its exit; a
    run that a short has ruined trades no more."""

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


def outcome(
    entered: FloatArray, left: FloatArray, closed: Bools, side: npt.NDArray[np.int8], fees: Fees
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(shares, cash, worth at the end) of each trip of one unit of capital, from its two prices.

    A short sells what the capital could have paid for, as vectorbt does, and keeps the proceeds beside it."""
    long = side > 0
    sold = entered * (1.0 - fees.slippage)
    shares = np.where(long, 1.0 / (entered * fees.buying), -1.0 / (sold * (1.0 + fees.fee)))
    cash = np.where(long, 0.0, 1.0 - shares * sold * (1.0 - fees.fee))
    out = np.where(closed, np.where(long, fees.selling, fees.buying), 1.0)
    return shares, cash, cash + shares * left * out


def trips_table(price: FloatArray, trips: Trips, fees: Fees) -> "pa.Table":
    """One row a trip: where it began and ended, the closes there, and what it returned net of fees."""
    import pyarrow as pa

    column = (trips.run,) if price.ndim == 2 else ()
    entered, left = price[(trips.entry, *column)], price[(trips.exit, *column)]
    _, _, worth = outcome(entered, left, trips.closed, trips.side, fees)
    return pa.table({"run": trips.run, "side": trips.side, "entry": trips.entry, "exit": trips.exit,
                     "closed": trips.closed, "entered_at": entered, "left_at": left, "return": worth - 1.0})


def annual_sharpe(total: FloatArray, squares: FloatArray, bars: int, bars_a_year: float) -> FloatArray:
    """From the sums of returns and of their squares; ddof 1."""
    mean = total / bars
    variance = (squares - bars * mean * mean) / max(bars - 1, 1)
    moved = variance > 0.0
    told: FloatArray = np.full(len(total), np.nan)
    told[moved] = mean[moved] / np.sqrt(variance[moved]) * np.sqrt(bars_a_year)
    return told
