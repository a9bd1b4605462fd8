"""Ticks to minute bars: open to close, volume, VWAP, and the spread that was quoted, in buffers that do not grow."""

import math
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

MINUTE_US = 60_000_000
GRACE_US = 3_000_000  # after a minute's end, for the slowest of its ticks


class Tick(NamedTuple):
    instrument_id: str
    at_us: int
    price: float
    size: float
    moves_price: bool = True  # else it counts in volume and VWAP alone


class Quote(NamedTuple):
    instrument_id: str
    at_us: int
    bid: float
    ask: float


class MinuteBar(NamedTuple):
    """`spread` is ask less bid in dollars, a mean over the time that they stood; NaN where none was quoted. `whole`
    says that the minute was heard from beginning to end."""

    instrument_id: str
    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float
    spread: float
    trades: int
    whole: bool


class _Minute:
    """One name's minute under way, and the spread that stands."""

    __slots__ = ("close", "high", "low", "open", "quoted_us", "since_us", "spread", "spread_us", "start_us", "trades",
                 "turnover", "volume", "whole")

    def __init__(self, start_us: int, whole: bool) -> None:
        self.spread, self.since_us = math.nan, start_us
        self.begin(start_us, whole)

    def begin(self, start_us: int, whole: bool) -> None:
        self.start_us, self.whole = start_us, whole
        self.open = self.high = self.low = self.close = math.nan
        self.volume = self.turnover = self.spread_us = 0.0
        self.trades = self.quoted_us = 0

    def quote(self, at_us: int, spread: float) -> None:
        self._stood(at_us)
        self.spread, self.since_us = spread, at_us

    def trade(self, tick: Tick) -> None:
        self.volume, self.turnover = self.volume + tick.size, self.turnover + tick.size * tick.price
        self.trades += 1
        if tick.moves_price:
            if math.isnan(self.open):
                self.open = self.high = self.low = tick.price
            self.high, self.low, self.close = max(self.high, tick.price), min(self.low, tick.price), tick.price

    def bar(self, name: str) -> MinuteBar | None:
        """The minute as it ended; None where no trade moved its price."""
        self._stood(self.start_us + MINUTE_US)
        if math.isnan(self.open):
            return None
        spread = self.spread_us / self.quoted_us if self.quoted_us else math.nan
        return MinuteBar(name, self.start_us, self.open, self.high, self.low, self.close, self.volume,
                         self.turnover / self.volume, spread, self.trades, self.whole)

    def _stood(self, until_us: int) -> None:
        begun = max(self.since_us, self.start_us)
        if math.isfinite(self.spread) and until_us > begun:
            self.spread_us += self.spread * (until_us - begun)
            self.quoted_us += until_us - begun
        self.since_us = max(self.since_us, until_us)


class Minutes:
    """Bars of many names, the newest `keep` of each. A tick closes what its own name did before its minute, and of all
    names every minute that ended a grace before it; one that comes later still is counted and left out, as a bar that
    was handed out never changes."""

    def __init__(self, keep: int = 390, inside: Callable[[int], bool] = lambda at_us: True) -> None:
        self._keep, self._inside = keep, inside
        self._under_way: dict[str, _Minute] = {}
        self._bars: dict[str, deque[MinuteBar]] = {}
        self._closed_us = 0  # every minute before it is closed
        self._whole_from_us = math.inf  # minutes that begin from here on are heard whole
        self.counts: Counter[str] = Counter()

    def heard(self, since_us: int) -> None:
        """The line stands from now on."""
        self._whole_from_us = since_us

    def lost(self) -> None:
        """It stands no more: what is under way is not heard whole, and what was quoted may have moved."""
        self._whole_from_us = math.inf
        for minute in self._under_way.values():
            minute.whole, minute.spread = False, math.nan

    def put(self, bar: MinuteBar) -> None:
        """A bar that another source tells, older than all that is heard."""
        self._bars.setdefault(bar.instrument_id, deque(maxlen=self._keep)).append(bar)
        self._closed_us = max(self._closed_us, bar.start_us + MINUTE_US)

    def add(self, tick: Tick | Quote) -> list[MinuteBar]:
        """Take it in; the bars that it closed."""
        name, at_us = tick.instrument_id, tick.at_us
        if not self._inside(at_us):
            self.counts["off_hours"] += 1
            return []
        closed = self.until(at_us - GRACE_US)
        start_us = at_us - at_us % MINUTE_US
        if start_us < self._closed_us:
            self.counts["late"] += 1
            return closed
        minute = self._under_way.get(name)
        if minute is None:
            minute = self._under_way[name] = _Minute(start_us, start_us >= self._whole_from_us)
        if start_us > minute.start_us:  # its own minute is over, whatever the grace
            closed += self._close(name, minute, start_us)
        elif start_us < minute.start_us:
            self.counts["late"] += 1
            return closed
        if isinstance(tick, Tick):
            self.counts["trades"] += 1
            minute.trade(tick)
        else:
            self.counts["quotes"] += 1
            minute.quote(at_us, tick.ask - tick.bid if 0.0 < tick.bid < tick.ask < math.inf else math.nan)
        return closed

    def until(self, now_us: int) -> list[MinuteBar]:
        """Close the minutes that were over by then."""
        start_us = now_us - now_us % MINUTE_US
        if start_us <= self._closed_us:
            return []
        self._closed_us = start_us
        return [bar for name, minute in sorted(self._under_way.items()) if minute.start_us < start_us
                for bar in self._close(name, minute, start_us)]

    def bars(self, name: str) -> list[MinuteBar]:
        return list(self._bars.get(name, ()))

    def _close(self, name: str, minute: _Minute, next_us: int) -> list[MinuteBar]:
        bar = minute.bar(name)
        minute.begin(next_us, next_us >= self._whole_from_us)
        if bar is None:
            return []
        self._bars.setdefault(name, deque(maxlen=self._keep)).append(bar)
        return [bar]
