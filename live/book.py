"""The account: cash, whole shares and the last price of each, from fills, actions and closes only."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from live.ports import Action, Fill


@dataclass(slots=True)
class Holding:
    """Signed shares; `price` is the last raw one, of `priced` (a session), `basis` the one the session began from."""

    shares: int
    price: float
    priced: dt.date
    basis: float

    @property
    def value(self) -> float:
        return self.shares * self.price


@dataclass
class Book:
    cash: float
    holdings: dict[str, Holding] = field(default_factory=dict)

    def equity(self) -> float:
        """Exact sum, so that the order of names cannot matter."""
        return math.fsum([self.cash, *(holding.value for holding in self.holdings.values())])

    def shares(self) -> dict[str, int]:
        return {name: holding.shares for name, holding in self.holdings.items() if holding.shares}

    def fill(self, fill: Fill, session: dt.date) -> None:
        _, name, _, quantity, price, cost, _ = fill
        self.cash -= quantity * price + cost
        holding = self.holdings.get(name)
        if holding is None:
            holding = self.holdings[name] = Holding(0, price, session, price)
        holding.shares += quantity
        holding.price, holding.priced = price, session

    def adjust(self, cash: float, shares: Mapping[str, int], prices: Mapping[str, float], day: dt.date) -> None:
        """What a person took over from the venue's books, as differences; prices are the last known ones."""
        self.cash += cash
        for name, more in shares.items():
            price = prices.get(name, math.nan)
            holding = self.holdings.setdefault(name, Holding(0, price, day, price))
            holding.shares += more

    def mark(self, prices: Mapping[str, float], session: dt.date) -> None:
        for name, holding in self.holdings.items():
            if name in prices:
                holding.price, holding.priced = prices[name], session

    def apply(self, action: Action, entitled: int) -> float:
        """Credit an action to what was held into its ex-date; the cash it moved. A part of a share is paid in cash."""
        holding = self.holdings.get(action.instrument_id)
        if action.kind == "dividend":
            cash = action.amount * entitled
            if holding is not None and holding.priced < action.ex_date:
                holding.price -= action.amount
        else:
            if holding is None:  # sold since: what came late is booked at once
                holding = self.holdings[action.instrument_id] = Holding(0, math.nan, action.ex_date, math.nan)
            if holding.priced < action.ex_date:
                holding.price /= action.amount
                holding.basis /= action.amount
            exact = entitled * action.amount
            whole = math.trunc(exact)
            holding.shares += whole - entitled
            cash = (exact - whole) * holding.price if exact != whole else 0.0
        self.cash += cash
        return cash

    def as_json(self) -> dict[str, Any]:
        held = {name: [h.shares, h.price, h.priced.isoformat(), h.basis]
                for name, h in sorted(self.holdings.items()) if h.shares}
        return {"cash": self.cash, "holdings": held}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Book":
        return cls(told["cash"], {name: Holding(shares, price, dt.date.fromisoformat(priced), basis)
                                  for name, (shares, price, priced, basis) in told["holdings"].items()})
