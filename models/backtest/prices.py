"""The prices that judgement fills at, as arrays of sessions by names, with what was known before each open."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from models.market import liquidity

FloatArray = npt.NDArray[np.float64]


def carried(values: FloatArray) -> FloatArray:
    """Each column's last finite value so far; NaN before the first."""
    at = np.where(np.isfinite(values), np.arange(len(values))[:, None], 0)
    return np.take_along_axis(values, np.maximum.accumulate(at, axis=0), axis=0)


@dataclass(frozen=True)
class Prices:
    """Raw prices with forward factors; NaN where a name did not trade. The close of a dead name's last session is its
    terminal price. The last four are those known when session s was decided, half an hour before it opened."""

    sessions: npt.NDArray[np.datetime64]  # (S,) datetime64[D]; one more than is judged: the last closes a holding
    names: tuple[str, ...]
    open_raw: FloatArray  # (S, N), as all below
    close_raw: FloatArray
    split_factor: FloatArray
    total_return_factor: FloatArray
    reference_price: FloatArray  # last close, in shares of session s: what a weight is turned into shares at
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
        """From daily bars as landed; liquidity is computed with the kernels that live uses. A bar without volume is a
        halt: its close is a price, but nothing fills at its open, as in live."""
        adv, vol = liquidity.known_before(close_raw, volume, total_return_factor)
        split = carried(split_factor)
        last_close_in_todays_shares = np.full_like(close_raw, np.nan)
        last_close_in_todays_shares[1:] = carried(close_raw * split_factor)[:-1] / split[1:]
        printed = np.where(volume == 0.0, np.nan, open_raw)
        return cls(sessions.astype("datetime64[D]"), names, printed, close_raw, split, carried(total_return_factor),
                   last_close_in_todays_shares, adv, vol, tradable)

    def rows(self, first: int, stop: int | None = None) -> "Prices":
        """A run of sessions; what was known before each stays known."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return Prices(**{name: value if name == "names" else value[first:stop] for name, value in kept.items()})

    def holding_returns(self) -> FloatArray:
        """(S − 1, N): total return from the open of s to the next mark, which is the next open; a name that never opens
        again is marked once more at its terminal close; one that only skips a session keeps its mark."""
        traded = np.isfinite(self.open_raw)
        last = len(traded) - 1 - np.argmax(traded[::-1], axis=0)  # each name's last session with an open
        marks = carried(self.open_raw * self.total_return_factor)
        terminal = carried(self.close_raw * self.total_return_factor)
        after = np.arange(len(traded))[:, None] > last
        marks = np.where(after, terminal, marks)
        return marks[1:] / marks[:-1] - 1.0
