"""One session minute by minute: a bridge from the day's open to its close, in bars that add up to the day's."""

from dataclasses import dataclass

import numpy as np

from pipelines.sandbox.chance import stream

_SHARES_A_TRADE = 120


@dataclass(frozen=True)
class Minutes:
    """Bars of one session, (names, minutes); `traded` says where there is one."""

    traded: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    trades: np.ndarray
    vwap: np.ndarray

    def day(self) -> dict[str, np.ndarray]:
        """What the bars of each name add up to."""
        volume = self.volume.sum(axis=1)
        return {
            "high": np.where(self.traded, self.high, -np.inf).max(axis=1),
            "low": np.where(self.traded, self.low, np.inf).min(axis=1),
            "volume": volume,
            "trades": self.trades.sum(axis=1),
            "vwap": (self.vwap * self.volume).sum(axis=1) / np.maximum(volume, 1),
        }


def _smile(count: int) -> np.ndarray:
    """Share of the day's activity in each minute: busy at both ends."""
    place = np.linspace(-1.0, 1.0, count)
    shape = 0.6 + 1.6 * place**2 + 1.5 * np.exp(-np.arange(count) / 8)
    return shape / shape.sum()


def make_minutes(
    seed: int, session: int, count: int, opens: np.ndarray, closes: np.ndarray, day_vol: np.ndarray, shares: np.ndarray
) -> Minutes:
    """Bars for every name with shares traded. `opens` and `closes` in cents already, `session` counts from the base."""
    rng = stream(seed, "minutes", session)
    names = len(opens)
    here = shares > count
    weight = _smile(count)
    minute_vol = np.where(here, day_vol, 0.0)[:, None] * np.sqrt(weight)
    walk = np.cumsum(rng.normal(size=(names, count)) * minute_vol, axis=1)
    clock = np.cumsum(weight)
    move = np.log(np.where(here, closes / opens, 1.0))[:, None]
    ends = np.where(here, opens, 1.0)[:, None] * np.exp(walk - clock * walk[:, -1:] + clock * move)
    starts = np.concatenate([ends[:, :1], ends[:, :-1]], axis=1) * np.exp(
        0.15 * minute_vol * rng.normal(size=(names, count))
    )
    close, open_ = np.round(ends, 2), np.round(starts, 2)
    open_[:, 0], close[:, -1] = opens, closes
    reach = np.abs(rng.normal(size=(2, names, count))) * 0.4 * minute_vol
    high = np.round(np.maximum(open_, close) * (1 + reach[0]), 2)
    low = np.round(np.minimum(open_, close) * (1 - reach[1]), 2)

    traded = rng.random((names, count)) >= rng.uniform(0.0, 0.03, (names, 1))
    traded[:, [0, -1]] = True  # the opening and the closing auction
    traded &= here[:, None]
    volume = np.zeros((names, count), np.int64)
    for name in np.flatnonzero(here):
        share = weight * rng.gamma(4.0, 0.25, count) * traded[name]
        volume[name] = traded[name] + rng.multinomial(shares[name] - traded[name].sum(), share / share.sum())
    trades = np.maximum(volume // _SHARES_A_TRADE, 1) * traded
    vwap = np.round((high + low + close) / 3, 4)
    return Minutes(traded, open_, high, low, close, volume, trades, vwap)
