"""What a strategy of a portfolio may look at, and what it must answer: the past up to the last close, and no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.backtest.market import Market

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """Half an hour before a session opens: (sessions so far, names) of every bar that had ended by then. A name that
    has not traded is NaN. Prices go on through splits and dividends; the newest row is that of the last close."""

    session: np.datetime64  # the one to come
    sessions: npt.NDArray[np.datetime64]
    names: tuple[str, ...]
    close: FloatArray  # times the total return factor, as the two below
    high: FloatArray
    low: FloatArray
    volume: FloatArray  # raw shares
    tradable: npt.NDArray[np.bool_]  # (names,) in the session to come

    def column(self, name: str) -> int:
        if name not in self.names:
            raise ValueError(f"'{name}' is not among the {len(self.names)} names of this market")
        return self.names.index(name)

    def returns(self, sessions: int) -> FloatArray:
        """(up to `sessions`, names) close to close."""
        part = self.close[-sessions - 1 :]
        told: FloatArray = part[1:] / part[:-1] - 1.0
        return told


class Strategy(Protocol):
    """(names,) weights of its own capital, long above nought; names that it does not want, or cannot judge, are 0."""

    def weights(self, known: Known) -> FloatArray: ...


@dataclass(frozen=True)
class CrossAsset:
    """One name's signal moves another's position: the return of `leader` over `look_back` sessions, in units of its own
    volatility, is the side of `follower`, whole from `full` on. NVDA speaks, BTC is traded."""

    leader: str
    follower: str
    look_back: int = 5
    full: float = 1.0

    def weights(self, known: Known) -> FloatArray:
        told = np.zeros(len(known.names))
        moves = known.returns(60)[:, known.column(self.leader)]
        if len(moves) < max(20, self.look_back) or not np.isfinite(moves).all() or not moves.std() > 0.0:
            return told
        strength = moves[-self.look_back :].sum() / (moves.std(ddof=1) * np.sqrt(self.look_back))
        told[known.column(self.follower)] = np.clip(strength / self.full, -1.0, 1.0)
        return told


@dataclass(frozen=True)
class Precomputed:
    """Weights that were decided elsewhere, such as a bundle's: (names,) by session. A session without any is 0."""

    by_session: Mapping[np.datetime64, FloatArray]

    def weights(self, known: Known) -> FloatArray:
        return self.by_session.get(known.session, np.zeros(len(known.names)))


class History:
    """A market's past, worked out once. Factors are forward ones, so no later event changes a row that was shown."""

    def __init__(self, market: Market) -> None:
        self.prices, factor = market.prices, market.prices.total_return_factor
        self._close, self._high, self._low = (
            values * factor for values in (market.prices.close_raw, market.high_raw, market.low_raw))
        self._volume = market.volume.copy()
        for values in (self._close, self._high, self._low, self._volume):
            values.flags.writeable = False  # a strategy that writes would change the past of the next one

    def before(self, s: int) -> Known:
        """What may be known when session `s` is decided."""
        prices = self.prices
        return Known(prices.sessions[s], prices.sessions[:s].copy(), prices.names, self._close[:s], self._high[:s],
                     self._low[:s], self._volume[:s], prices.tradable[s].copy())
