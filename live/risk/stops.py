"""Stops and targets as pure functions of bars: where a stop stands, and at what price a bar ends a position."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

BAR_SHARE = 0.10  # of a bar's volume that a limit order may be


class StopError(ValueError):
    """A stop that cannot be placed: what is missing, or on the wrong side."""


class Ending(StrEnum):
    TARGET = "TP"
    STOP = "SL"
    TIMEOUT = "TIMEOUT"


class Ohlc(NamedTuple):
    open: float
    high: float
    low: float
    close: float
    volume: float = math.inf


@dataclass(frozen=True)
class StopOrder:
    """`price` is the level now; `trail` how far it follows the best price; `bars` how long the position may live."""

    method: str
    side: int  # 1 guards a long, -1 a short
    entry: float
    price: float | None
    target: float | None = None
    trail: float | None = None
    bars: int | None = None
    tick: float = 0.01

    @property
    def distance(self) -> float:
        """Dollars a share between entry and stop: the R of the position; NaN where only time ends it."""
        return math.nan if self.price is None else self.side * (self.entry - self.price)


@dataclass(frozen=True)
class Exit:
    price: float
    ending: Ending


class StopLossEngine:
    """Places stops by method: fixed, atr, trailing, time, volume."""

    METHODS = ("fixed", "atr", "trailing", "time", "volume")

    def get_stop(self, entry_price: float, method: str, params: Mapping[str, Any]) -> StopOrder:
        """A stop for a position entered at a price.

        `params`: side (1 or -1, default 1), tick (0.01), reward_risk (sets a target at that multiple of the distance),
        bars (ends it after so many, with any method), and for each method: fixed `pct`; atr `atr` and `multiple` (2);
        trailing `pct`, or `atr` and `multiple`; time `bars`; volume `levels` (poc, vah, val …) and `buffer_ticks` (1).
        """
        if method not in self.METHODS:
            raise StopError(f"no stop method '{method}'; known: {', '.join(self.METHODS)}")
        side, tick = int(params.get("side", 1)), _positive("tick", params.get("tick", 0.01))
        entry = _positive("entry_price", entry_price)
        if side not in (1, -1):
            raise StopError(f"side is {side}: 1 guards a long, -1 a short")
        bars = None if params.get("bars") is None else int(_positive("bars", params["bars"]))
        if method == "time":
            if bars is None:
                raise StopError("a time stop needs `bars`")
            return StopOrder(method, side, entry, None, bars=bars, tick=tick)
        if method == "volume":
            price = _beyond_volume(entry, side, params.get("levels", ()), float(params.get("buffer_ticks", 1)) * tick)
        else:
            price = entry - side * _distance(entry, method, params)
        price = _on_tick(price, side, tick)
        if not (price > 0 and side * (entry - price) > 0):
            raise StopError(f"a {method} stop at {price:g} does not guard an entry at {entry:g}")
        ratio = params.get("reward_risk")
        target = None if ratio is None else entry + (entry - price) * _positive("reward_risk", ratio)
        trail = side * (entry - price) if method == "trailing" else None
        return StopOrder(method, side, entry, price, target, trail, bars, tick)


def _positive(name: str, value: Any) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise StopError(f"{name} is {value}: it must be a positive number")
    return number


def _distance(entry: float, method: str, params: Mapping[str, Any]) -> float:
    if method == "fixed" or (method == "trailing" and "pct" in params):
        if "pct" not in params:
            raise StopError("a fixed stop needs `pct`")
        return entry * _positive("pct", params["pct"])
    if "atr" not in params:
        raise StopError(f"a stop by {method} needs `atr`" + (" or `pct`" if method == "trailing" else ""))
    return _positive("atr", params["atr"]) * _positive("multiple", params.get("multiple", 2.0))


def _beyond_volume(entry: float, side: int, levels: Any, buffer: float) -> float:
    """Just behind the nearest level of much volume on the losing side: where the market has defended a price."""
    behind = [float(level) for level in levels if side * (entry - float(level)) > 0]
    if not behind:
        raise StopError(f"no volume level lies behind an entry at {entry:g}")
    return (max(behind) if side > 0 else min(behind)) - side * buffer


def _on_tick(price: float, side: int, tick: float) -> float:
    """The tick at or behind a price, so that rounding never brings a stop nearer than was asked."""
    ticks = round(price / tick, 6)
    return round((math.floor(ticks) if side > 0 else math.ceil(ticks)) * tick, 10)


def inside_bar(stop: StopOrder, bar: Ohlc) -> Exit | None:
    """How a bar ends a position, if it does: the stop before the target, a gap at the open, and a target only where
    the market traded through it by a tick. A bar without volume is a halt, and ends nothing."""
    if not bar.volume > 0 or not all(map(math.isfinite, bar[:4])):
        return None
    side = stop.side
    worst, best = (bar.low, bar.high) if side > 0 else (bar.high, bar.low)
    if stop.price is not None and side * (bar.open - stop.price) <= 0:
        return Exit(bar.open, Ending.STOP)
    if stop.target is not None and _through(side * (bar.open - stop.target), stop.tick):
        return Exit(bar.open, Ending.TARGET)
    if stop.price is not None and side * (worst - stop.price) <= 0:
        return Exit(stop.price, Ending.STOP)
    if stop.target is not None and _through(side * (best - stop.target), stop.tick):
        return Exit(stop.target, Ending.TARGET)
    return None


def _through(beyond: float, tick: float) -> bool:
    """By a tick or more, where floats make a tick a hair less than one."""
    return beyond >= tick * (1.0 - 1e-6)


def trailed(stop: StopOrder, bar: Ohlc) -> StopOrder:
    """The stop for the next bar. What a bar reached moves it only afterwards, and it never moves back."""
    if stop.trail is None or stop.price is None or not bar.volume > 0:
        return stop
    best = bar.high if stop.side > 0 else bar.low
    if not math.isfinite(best):
        return stop
    level = _on_tick(best - stop.side * stop.trail, stop.side, stop.tick)
    return replace(stop, price=level) if stop.side * (level - stop.price) > 0 else stop


@dataclass(frozen=True)
class Guarded:
    """A position under its stop: `stepped` takes it through one bar. `first` is the stop it began with."""

    first: StopOrder
    stop: StopOrder
    lived: int = 0
    mfe: float = 0.0  # dollars a share, best and worst so far
    mae: float = 0.0

    @classmethod
    def begin(cls, stop: StopOrder) -> "Guarded":
        return cls(stop, stop)

    def stepped(self, bar: Ohlc) -> tuple["Guarded", Exit | None]:
        """Time's up is known at a bar's end, so it is filled at the next one's open; a stop gapped through too."""
        stop = self.stop
        if not bar.volume > 0:
            return self, None
        ended = inside_bar(stop, bar)
        if stop.bars is not None and self.lived >= stop.bars:
            gapped = ended is not None and ended.price == bar.open
            ended = ended if gapped else Exit(bar.open, Ending.TIMEOUT)
        reach = (bar.high, bar.low) if ended is None else (ended.price, ended.price)
        moves = [stop.side * (price - stop.entry) for price in (*reach, bar.open)]
        now = replace(self, stop=trailed(stop, bar), lived=self.lived + 1, mfe=max(self.mfe, *moves),
                      mae=min(self.mae, *moves))
        return now, ended

    def r_of(self, price: float, atr14_usd: float = math.nan) -> float:
        """Profit in units of the first stop's distance, or of one ATR(14) where there is no stop."""
        unit = atr14_usd if self.first.price is None else self.first.distance
        return self.first.side * (price - self.first.entry) / unit if unit > 0 else math.nan


def limit_fill(side: int, limit: float, quantity: int, bar: Ohlc, tick: float = 0.01) -> tuple[int, float] | None:
    """Shares and price that a resting limit order gets of a bar: only when traded through, a tenth of its volume.

    `side` 1 buys, -1 sells. An open that is better already fills there."""
    if not bar.volume > 0 or not all(map(math.isfinite, bar[:4])):
        return None
    reach = bar.low if side > 0 else bar.high
    if not _through(side * (limit - reach), tick):
        return None
    price = bar.open if side * (limit - bar.open) > 0 else limit
    most = abs(quantity) if math.isinf(bar.volume) else math.floor(bar.volume * BAR_SHARE)
    return (side * min(abs(quantity), most), price) if most >= 1 else None
