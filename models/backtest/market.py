"""Daily bars as a whole backtest reads them: prices to fill at, how far each session went, the ATR known before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.backtest.prices import Prices

if TYPE_CHECKING:
    import pyarrow as pa

FloatArray = npt.NDArray[np.float64]
COLUMNS = ("open", "high", "low", "close", "volume", "split_factor", "total_return_factor")


@dataclass(frozen=True)
class Market:
    """(sessions, names) each; NaN where a name did not trade."""

    prices: Prices
    high_raw: FloatArray
    low_raw: FloatArray
    volume: FloatArray
    atr_usd: FloatArray  # ATR(14) in dollars of session s, known before its open

    @classmethod
    def from_bars(
        cls, sessions: npt.NDArray[np.datetime64], names: tuple[str, ...], columns: dict[str, FloatArray],
        tradable: npt.NDArray[np.bool_] | None = None,
    ) -> "Market":
        """`columns` are those of the mart `daily_bars`, as landed; all names are tradable unless told otherwise."""
        from models.features.compute import compute_batch
        from models.features.inputs import derive
        from models.features.panel import BarPanel
        from models.features.registry import named

        if lacking := [name for name in COLUMNS if name not in columns]:
            raise ValueError(f"daily bars have the columns {', '.join(COLUMNS)}; these lack {', '.join(lacking)}")
        if len(sessions) > 1 and not bool((np.diff(sessions) > np.timedelta64(0)).all()):
            raise ValueError("sessions are in order of time, each once")
        for column in COLUMNS[:4]:
            if len(wrong := np.argwhere(columns[column] <= 0.0)):
                session, name = wrong[0]
                raise ValueError(f"{names[name]} has a {column} of {columns[column][session, name]:g} on "
                                 f"{sessions[session]}: no weight says how much to hold at a price that is not above "
                                 "nought; leave the session out, or trade the contract against another one")
        days = sessions.astype("datetime64[D]")
        prices = Prices.from_bars(
            days, names, open_raw=columns["open"], close_raw=columns["close"], volume=columns["volume"],
            split_factor=columns["split_factor"], total_return_factor=columns["total_return_factor"],
            tradable=np.ones(columns["open"].shape, np.bool_) if tradable is None else tradable)
        share = compute_batch(BarPanel(days, names, derive("equity", columns)), named(("atr_14",)))["atr_14"]
        atr = np.full_like(share, np.nan)
        atr[1:] = share[:-1] * prices.reference_price[1:]
        high, low = (np.where(columns["volume"] == 0.0, np.nan, columns[name]) for name in ("high", "low"))
        return cls(prices, high, low, columns["volume"], atr)

    @classmethod
    def from_table(cls, bars: "pa.Table") -> "Market":
        """From rows of `daily_bars`, in any order: session, instrument_id and the columns."""
        days = bars["session"].to_numpy(zero_copy_only=False).astype("datetime64[D]")
        sessions, row = np.unique(days, return_inverse=True)
        ids = np.array(bars["instrument_id"].to_pylist(), dtype=object)
        names, column = np.unique(ids, return_inverse=True)
        if len(np.unique(row * len(names) + column)) != len(ids):
            raise ValueError("a name has two bars in one session: read the view, which shows the newest version")
        grids = {}
        for name in COLUMNS:
            grid = np.full((len(sessions), len(names)), np.nan)
            grid[row, column] = bars[name].to_numpy(zero_copy_only=False).astype(np.float64)
            grids[name] = grid
        return cls.from_bars(sessions, tuple(map(str, names)), grids)

    @classmethod
    def from_frames(cls, frames: Mapping[str, Any]) -> "Market":
        """From a data frame for each name, indexed by date; factors are 1 where a frame has none."""
        if not frames:
            raise ValueError("no name is given: there is nothing to trade")
        days = {name: np.asarray(frame.index, dtype="datetime64[D]") for name, frame in frames.items()}
        sessions = np.unique(np.concatenate(list(days.values())))
        grids = {name: np.full((len(sessions), len(frames)), np.nan) for name in COLUMNS}
        for place, (name, frame) in enumerate(frames.items()):
            if len(np.unique(days[name])) != len(days[name]):
                raise ValueError(f"{name} has two bars on one day: daily bars have one")
            rows = np.searchsorted(sessions, days[name])
            for column in COLUMNS:
                if column in frame.columns:
                    grids[column][rows, place] = frame[column].to_numpy()
                elif column.endswith("factor"):
                    grids[column][rows, place] = 1.0
                else:
                    raise ValueError(f"the bars of {name} lack '{column}'")
        return cls.from_bars(sessions, tuple(frames), grids)

    def rows(self, first: int, stop: int | None = None) -> "Market":
        """A run of sessions; what was known before each stays known."""
        return Market(self.prices.rows(first, stop), self.high_raw[first:stop], self.low_raw[first:stop],
                      self.volume[first:stop], self.atr_usd[first:stop])
