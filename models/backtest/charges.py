"""What a book was charged, by kind, session and name: spread, impact, fees, borrow and funding."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.backtest.book import Book
from models.backtest.prices import Prices
from models.market import costs as costs_module
from models.market.costs import CostModel

FloatArray = npt.NDArray[np.float64]
FUTURES_FEE_USD = 2.25  # a contract and side


@dataclass(frozen=True)
class Terms:
    """What differs from the cost model. Every rate is one that could be known: it is charged, never decided on.

    `linear_impact` times daily volatility times the share of ADV traded is paid on top of the root's part. `funding`
    (sessions, names) is the share of its value that a long pays, and a short gets, for holding over that session: a
    perpetual's rate, a future's carry. `borrow_annual` (names,) stands in for the model's rate where it is not NaN.
    `tick_usd` (names,) marks futures, NaN elsewhere: they are priced in dollars a contract, pay half a tick and a fee a
    side, cannot be borrowed, and leave the cash that they stand for where it was."""

    linear_impact: float = 0.0
    funding: FloatArray | None = None
    borrow_annual: FloatArray | None = None
    tick_usd: FloatArray | None = None
    futures_fee_usd: float = FUTURES_FEE_USD

    def fitting(self, sessions: int, names: int) -> None:
        for name, shape in (("funding", (sessions, names)), ("borrow_annual", (names,)), ("tick_usd", (names,))):
            values = getattr(self, name)
            if values is not None and np.shape(values) != shape:
                raise ValueError(f"{name} has the shape {np.shape(values)}; this book needs {shape}")
        if not self.linear_impact >= 0.0:
            raise ValueError(f"linear impact is a number that is not below nought, not {self.linear_impact}")


class Filled(NamedTuple):
    """What fills cost, and its parts."""

    whole: FloatArray
    spread: FloatArray
    fees: FloatArray

    @property
    def impact(self) -> FloatArray:
        return self.whole - self.spread - self.fees


@dataclass(frozen=True)
class Charges:
    """(sessions, names) dollars each; above nought is paid."""

    filled: Filled
    borrow: FloatArray
    funding: FloatArray
    tied: FloatArray  # what positions take out of cash: the account's interest is that of the capital less this

    @property
    def total(self) -> FloatArray:
        """(sessions,)"""
        told: FloatArray = self.filled.whole.sum(axis=1) + self.borrow.sum(axis=1) + self.funding.sum(axis=1)
        return told

    @property
    def by_name(self) -> FloatArray:
        return self.filled.whole + self.borrow + self.funding

    def kinds(self) -> dict[str, FloatArray]:
        """(sessions,) of each kind."""
        parts = {"spread": self.filled.spread, "impact": self.filled.impact, "fees": self.filled.fees,
                 "borrow": self.borrow, "funding": self.funding}
        return {name: values.sum(axis=1) for name, values in parts.items()}


def fill_costs(
    costs: CostModel, terms: Terms, quantity: FloatArray, price: FloatArray, adv: FloatArray, vol: FloatArray
) -> Filled:
    """Whole by `trade_cost` where the terms are the model's."""
    count = np.abs(quantity)
    nothing = count == 0.0
    spread = np.where(nothing, 0.0, count * costs_module.half_spread_usd(costs, price) * costs.stress)
    fees = count * costs.fee_usd_per_share * costs.stress
    whole = costs_module.trade_cost(costs, quantity, price, adv, vol)
    if terms.linear_impact:
        notional = count * price
        whole = whole + np.where(nothing, 0.0, notional * (terms.linear_impact * vol) * (notional / adv) * costs.stress)
    if terms.tick_usd is not None:
        future = np.isfinite(terms.tick_usd)
        impact = whole - spread - fees
        spread = np.where(future, count * np.nan_to_num(terms.tick_usd) / 2.0 * costs.stress, spread)
        fees = np.where(future, count * terms.futures_fee_usd * costs.stress, fees)
        whole = np.where(future, spread + fees + impact, whole)
    return Filled(whole, spread, fees)


def charge(book: Book, prices: Prices, costs: CostModel, terms: Terms) -> Charges:
    """Both the fills at the open and those of stops inside the session."""
    terms.fitting(*book.shares.shape)
    adv, vol = prices.adv20_usd[:-1], prices.vol20_daily[:-1]
    filled = fill_costs(costs, terms, book.trades, prices.open_raw[:-1], adv, vol)
    if book.stopped.any():
        closing = fill_costs(costs, terms, book.stopped, book.stop_price, adv, vol)
        filled = Filled(*(one + other for one, other in zip(filled, closing, strict=True)))
    borrow = costs_module.borrow_cost(costs, book.value)
    tied = book.value
    if terms.borrow_annual is not None:
        own = np.maximum(0.0, -book.value) * (terms.borrow_annual / costs.sessions_a_year) * costs.stress
        borrow = np.where(np.isfinite(terms.borrow_annual), own, borrow)
    if terms.tick_usd is not None:
        future = np.isfinite(terms.tick_usd)
        borrow, tied = np.where(future, 0.0, borrow), np.where(future, 0.0, tied)
    funding = np.zeros(tied.shape)
    if terms.funding is not None:
        funding = book.value * np.nan_to_num(terms.funding)
    return Charges(filled, borrow, funding, tied)
