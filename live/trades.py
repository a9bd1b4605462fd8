"""One position from flat to flat: what it was entered and left at, how far it ran either way, and what it came to."""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from live import canonical
from live.clock import text_of
from live.journal import Journal
from live.ports import Action, Bar
from live.risk.stops import Ohlc, StopOrder, trailed

REASONS = ("TP", "SL", "TIMEOUT", "MANUAL", "SIGNAL")  # SIGNAL: the strategy itself changed its mind


@dataclass(slots=True)
class Trade:
    """Prices are in today's shares, less the dividends since; `best` and `worst` are dollars a share from the entry."""

    instrument_id: str
    side: int
    opened_us: int
    decision_id: str | None
    wanted_price: float  # what the decision saw: slippage is the way from there to the entry
    risk_usd: float  # a share: the stop's distance, or one ATR(14)
    shares: int = 0  # held now, signed
    entered: int = 0  # most that was entered in all
    entry: float = 0.0
    exited_usd: float = 0.0  # quantity times price of what was left
    exited: int = 0
    costs: float = 0.0
    best: float = 0.0
    worst: float = 0.0
    stop: float | None = None
    target: float | None = None
    trail: float | None = None
    minutes: int | None = None  # it may live so long
    lived: int = 0
    guards: int = 0  # guard orders sent for it: each has a number of its own

    def add(self, quantity: int, price: float, cost: float) -> None:
        """More of it: the entry is the mean price."""
        count = abs(quantity)
        self.entry = (self.entry * self.entered + price * count) / (self.entered + count)
        self.entered += count
        self.shares += quantity
        self.costs += cost

    def leave(self, quantity: int, price: float, cost: float) -> None:
        """Less of it; `quantity` is signed as the fill is."""
        self.exited += abs(quantity)
        self.exited_usd += abs(quantity) * price
        self.shares += quantity
        self.costs += cost
        self.reach(price, price)

    def reach(self, high: float, low: float) -> None:
        """Where the market has been while it was held."""
        up, down = high - self.entry, low - self.entry
        best, worst = (up, down) if self.side > 0 else (-down, -up)
        if best > self.best:
            self.best = best
        if worst < self.worst:
            self.worst = worst

    def outlive(self, bar: Bar) -> float | None:
        """One more minute: the stop that trails it now, where it has moved."""
        self.lived += 1
        if self.trail is None or self.stop is None:
            return None
        stop = StopOrder("trailing", self.side, self.entry, self.stop, trail=self.trail)
        level = trailed(stop, Ohlc(bar.open, bar.high, bar.low, bar.close, bar.volume)).price
        if level == self.stop:
            return None
        self.stop = level
        return level

    def adjust(self, action: Action) -> None:
        """Into the shares and dollars after a split or a dividend; a part of a share is the book's matter."""
        ratio, cash = (action.amount, 0.0) if action.kind == "split" else (1.0, action.amount)
        for name in ("entry", "wanted_price", "stop", "target"):
            value = getattr(self, name)
            if value is not None:
                setattr(self, name, value / ratio - cash)
        for name in ("best", "worst", "risk_usd", "trail"):
            value = getattr(self, name)
            if value is not None:
                setattr(self, name, value / ratio)
        self.shares, self.entered = math.trunc(self.shares * ratio), math.trunc(self.entered * ratio)
        self.exited = math.trunc(self.exited * ratio)
        self.exited_usd -= self.exited * cash

    def told(self, reason: str, closed_us: int) -> dict[str, Any]:
        """The row of a trade that has ended."""
        side, entry = self.side, self.entry
        exit_price = self.exited_usd / self.exited if self.exited else math.nan
        risk = self.risk_usd if self.risk_usd > 0 else math.nan
        told: list[Any] = [exit_price, side * (exit_price - entry) / risk, self.best / risk, self.worst / risk,
                           side * (entry / self.wanted_price - 1.0) * 1e4 if self.wanted_price > 0 else math.nan]
        left, r, best, worst, slipped = told if math.isfinite(sum(told)) else map(canonical.plain, told)
        return {
            "instrument_id": self.instrument_id, "decision_id": self.decision_id, "side": side,
            "shares": self.entered, "entry": entry, "exit": left, "reason": reason,
            "opened_at": text_of(self.opened_us), "closed_at": text_of(closed_us),
            "holding_min": (closed_us - self.opened_us) / 60e6, "costs": self.costs,
            "pnl": side * (self.exited_usd - self.exited * entry) - self.costs,
            "R": r, "mfe_R": best, "mae_R": worst, "slippage_bp": slipped,
        }

    def as_json(self) -> dict[str, Any]:
        told = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: canonical.plain(value) if isinstance(value, float) else value for name, value in told}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Trade":
        unknown = {name: math.nan for name in ("wanted_price", "risk_usd") if told[name] is None}
        return cls(**{**told, **unknown})


def trades_in(journal: Journal) -> Iterator[tuple[dt.datetime, float]]:
    """When each trade ended, and its profit."""
    for entry in journal.entries("trade"):
        yield dt.datetime.fromisoformat(entry.payload["closed_at"]), entry.payload["pnl"]
