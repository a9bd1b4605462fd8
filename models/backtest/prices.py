"""The prices that judgement fills at, as arrays of sessions by names, with what was known before each open."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.market import liquidity

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Raw prices with forward factors; NaN where a name did not trade. `close_raw` of a dead name's last session is its
    terminal price. `adv20_usd`, `vol20_daily` and `tradable` are those known when session s was decided."""

    sessions: npt.NDArray[np.datetime64]  # (S,) datetime64[D], one row more than is judged: it closes the last holding
    names: tuple[str, ...]
    open_raw: FloatArray  # (S, N), as all below
    close_raw: FloatArray
    split_factor: FloatArray
    total_return_factor: FloatArray
    adv20_usd: FloatArray
    vol20_daily: FloatArray
    tradable: npt.NDArray[np.bool_]

    @classmethod
    def from_bars(
        cls,
        sessions: npt.NDArray[np.datetime64],
        names: tuple[str, ...],
        *,
        open_raw: FloatArray,
        close_raw: FloatArray,
        volume: FloatArray,
        split_factor: FloatArray,
        total_return_factor: FloatArray,
        tradable: npt.NDArray[np.bool_],
    ) -> "Prices":
        """From daily bars as landed; liquidity is computed with the kernels that live uses."""
        adv, vol = liquidity.known_before(close_raw, volume, total_return_factor)
        return cls(sessions.astype("datetime64[D]"), names, open_raw, close_raw, split_factor, total_return_factor,
                   adv, vol, tradable)

    def since(self, first: np.datetime64) -> "Prices":
        """The rows from session `first` on."""
        at = int(np.searchsorted(self.sessions, first))
        return Prices(self.sessions[at:], self.names, self.open_raw[at:], self.close_raw[at:], self.split_factor[at:],
                      self.total_return_factor[at:], self.adv20_usd[at:], self.vol20_daily[at:], self.tradable[at:])
