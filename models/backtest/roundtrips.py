"""Round trips of a book, from flat to flat: what each was entered and left at, how far it ran either way, its R.

Arithmetic and units are those of live's trades: prices in today's shares, less the dividends since; a split or a
dividend moves what a position was entered at; R is profit over the distance to the stop, or over one ATR(14) at entry.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.backtest.book import Book, actions
from models.backtest.charges import Terms, fill_costs
from models.backtest.market import Market
from models.market.costs import CostModel

FloatArray = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class _Open:
    """(names,) of the trips that are on."""

    def __init__(self, names: int) -> None:
        self.side, self.shares, self.entered, self.entry = (np.zeros(names) for _ in range(4))
        self.exited, self.exited_usd, self.costs = (np.zeros(names) for _ in range(3))
        self.best, self.worst, self.risk, self.wanted = (np.zeros(names) for _ in range(4))
        self.opened = np.zeros(names, np.intp)

    def adjust(self, ratio: FloatArray, cash: FloatArray) -> None:
        self.entry, self.wanted = self.entry / ratio - cash, self.wanted / ratio - cash
        self.best, self.worst, self.risk = self.best / ratio, self.worst / ratio, self.risk / ratio
        self.shares, self.entered, self.exited = (
            np.trunc(values * ratio) for values in (self.shares, self.entered, self.exited))
        self.exited_usd = self.exited_usd - self.exited * cash

    def reach(self, who: Bools, high: FloatArray, low: FloatArray) -> None:
        long = self.side > 0.0
        up, down = high - self.entry, low - self.entry
        best, worst = np.where(long, up, -down), np.where(long, down, -up)
        self.best = np.where(who & (best > self.best), best, self.best)
        self.worst = np.where(who & (worst < self.worst), worst, self.worst)

    def leave(self, quantity: FloatArray, price: FloatArray, cost: FloatArray) -> Bools:
        """Less of it; True where nothing is left."""
        who = quantity != 0.0
        self.exited = np.where(who, self.exited + np.abs(quantity), self.exited)
        self.exited_usd = np.where(who, self.exited_usd + np.abs(quantity) * price, self.exited_usd)
        self.costs = np.where(who, self.costs + cost, self.costs)
        self.shares = self.shares + quantity
        self.reach(who, price, price)
        return np.asarray(who & (self.shares == 0.0))

    def add(self, quantity: FloatArray, price: FloatArray, cost: FloatArray, risk: FloatArray, reference: FloatArray,
            s: int) -> None:
        """More of it; where nothing was held a trip begins."""
        who, count = quantity != 0.0, np.abs(quantity)
        new = who & (self.shares == 0.0)
        for name in ("entered", "entry", "exited", "exited_usd", "costs", "best", "worst"):
            setattr(self, name, np.where(new, 0.0, getattr(self, name)))
        self.side = np.where(new, np.sign(quantity), self.side)
        self.risk, self.wanted = np.where(new, risk, self.risk), np.where(new, reference, self.wanted)
        self.opened = np.where(new, s, self.opened)
        whole = np.where(who, self.entered + count, 1.0)
        self.entry = np.where(who, (self.entry * self.entered + price * count) / whole, self.entry)
        self.entered = np.where(who, self.entered + count, self.entered)
        self.costs = np.where(who, self.costs + cost, self.costs)
        self.shares = self.shares + quantity

    def rows(self, ended: Bools, names: tuple[str, ...], s: int, reason: list[str] | str) -> list[dict[str, Any]]:
        told = []
        for i in np.flatnonzero(ended):
            leaving = self.exited_usd[i] / self.exited[i]
            moved = self.side[i] * (leaving - self.entry[i])
            risk = self.risk[i] if self.risk[i] > 0.0 else np.nan
            told.append({
                "instrument_id": names[i], "side": int(self.side[i]), "shares": int(self.entered[i]),
                "entry": float(self.entry[i]), "exit": float(leaving),
                "reason": reason if isinstance(reason, str) else reason[i],
                "opened": int(self.opened[i]), "closed": s, "costs": float(self.costs[i]),
                "pnl": float(self.side[i] * (self.exited_usd[i] - self.exited[i] * self.entry[i]) - self.costs[i]),
                "R": _plain(moved / risk), "mfe_R": _plain(self.best[i] / risk), "mae_R": _plain(self.worst[i] / risk),
                "slippage_bp": _plain(self.side[i] * (self.entry[i] / self.wanted[i] - 1.0) * 1e4
                                      if self.wanted[i] > 0.0 else np.nan),
            })
        return told


def round_trips(market: Market, book: Book, costs: CostModel, terms: Terms) -> list[dict[str, Any]]:
    """Every trip that ended, in order of its end; those still on at the last session are not among them. `opened` and
    `closed` are rows."""
    prices, names = market.prices, market.prices.names
    count, size = book.shares.shape
    adv, vol = prices.adv20_usd, prices.vol20_daily
    paid = fill_costs(costs, terms, book.trades, prices.open_raw[:-1], adv[:-1], vol[:-1]).whole
    inside = fill_costs(costs, terms, book.stopped, book.stop_price, adv[:-1], vol[:-1]).whole
    last_close = np.full(size, np.nan)
    on, told = _Open(size), []
    for s in range(count):
        ratio, cash = actions(prices, s)
        on.adjust(ratio, cash)
        price, trade = np.nan_to_num(prices.open_raw[s]), book.trades[s]
        before = book.shares[s] - trade  # what the book came with, the dead taken out
        dead = (on.shares != 0.0) & (before == 0.0)
        if dead.any():
            gone = np.where(dead, -on.shares, 0.0)
            ended = on.leave(gone, last_close, np.zeros(size))
            told += on.rows(ended, names, s, "DELISTED")
        closing = np.where(on.shares * trade < 0.0, np.sign(trade) * np.minimum(np.abs(trade), np.abs(on.shares)), 0.0)
        share = np.divide(closing, trade, out=np.zeros(size), where=trade != 0.0)
        ended = on.leave(closing, price, np.nan_to_num(paid[s]) * share)
        told += on.rows(ended, names, s, "SIGNAL")
        on.add(trade - closing, price, np.nan_to_num(paid[s]) * (1.0 - share), book.risk_usd[s],
               prices.reference_price[s], s)
        hit = book.stopped[s] != 0.0
        if hit.any():
            won = np.sign(on.shares) * (book.stop_price[s] - on.entry) > 0.0
            ended = on.leave(book.stopped[s], np.nan_to_num(book.stop_price[s]), np.nan_to_num(inside[s]))
            told += on.rows(ended, names, s, ["TP" if one else "SL" for one in won])
        traded = (on.shares != 0.0) & np.isfinite(market.high_raw[s]) & np.isfinite(market.low_raw[s])
        on.reach(traded, np.nan_to_num(market.high_raw[s]), np.nan_to_num(market.low_raw[s]))
        last_close = np.where(np.isfinite(prices.close_raw[s]), prices.close_raw[s], last_close)
    return told


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
