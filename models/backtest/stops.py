"""Stops and targets of many names at once on daily bars, by the rules that live keeps.

A gap fills at the open, the stop comes before the target, a target fills only where it was traded through, and what a
session reached trails the stop only after it.
"""

import numpy as np
import numpy.typing as npt

from models.intraday import StopRule

FloatArray = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
TICK_USD = 0.01
THROUGH = TICK_USD * (1.0 - 1e-6)  # floats make a tick a hair less than one


class Stops:
    """(names,) of one rule; NaN where nothing is guarded. `sessions` of a StopRule's `bars` are counted here."""

    def __init__(self, rule: StopRule, names: int) -> None:
        if rule.method == "volume":
            raise ValueError("a stop behind volume needs the session's profile: --engine event has it")
        if rule.method == "fixed" and rule.pct is None:
            raise ValueError("a fixed stop needs pct, such as fixed:pct=0.02")
        if rule.method == "time" and rule.bars is None:
            raise ValueError("a time stop needs bars, such as time:bars=10")
        self.rule = rule
        self.level, self.target, self.trail, self.distance = (np.full(names, np.nan) for _ in range(4))
        self.left = np.full(names, np.inf)  # sessions that it may still live
        self.barred = np.zeros(names)  # the side that a stop ended: not entered again until another is wanted
        self.unguarded = 0

    def opening(
        self, held: FloatArray, opened: FloatArray, target: FloatArray, decides: bool
    ) -> tuple[Bools, FloatArray]:
        """(who is ended by the opening print, what is left of the targets)."""
        side = np.sign(held)
        out = self._ended(side, opened)
        kept = (np.sign(target) == self.barred) if decides else np.True_
        self.barred = np.where(out, side, np.where(kept, self.barred, 0.0))
        return out, np.where((self.barred != 0.0) | out, 0.0, target)

    def session(
        self, new: Bools, held: FloatArray, entry: FloatArray, atr_usd: FloatArray, high: FloatArray, low: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """(the price that ends each within the session, NaN where none does; the distance that new ones are given)."""
        side = np.sign(held)
        self._clear((held == 0.0) | new)
        self.unguarded += self._place(new, side, entry, atr_usd)
        distance = self.distance
        ended = self._inside(side, high, low)
        hit = np.isfinite(ended)
        self.barred = np.where(hit, side, self.barred)
        self._clear(hit)
        self._after(np.where(hit, 0.0, side), high, low)
        return ended, distance

    def _place(self, new: Bools, side: FloatArray, entry: FloatArray, atr_usd: FloatArray) -> int:
        """Guard the positions that begin now; how many could not be. As in live, they are held without a stop."""
        rule, lacking = self.rule, 0
        if rule.method != "time":
            by_share = rule.pct is not None and rule.method in ("fixed", "trailing")
            apart = entry * rule.pct if by_share and rule.pct is not None else atr_usd * rule.multiple
            level = _behind(entry - side * apart, side)
            sound = new & (level > 0.0) & (side * (entry - level) > 0.0)
            self.level = np.where(sound, level, np.where(new, np.nan, self.level))
            lacking = int((new & ~sound).sum())
            self.distance = np.where(new, side * (entry - self.level), self.distance)
            if rule.method == "trailing":
                self.trail = np.where(new, self.distance, self.trail)
            if rule.reward_risk is not None:
                self.target = np.where(new, entry + side * self.distance * rule.reward_risk, self.target)
        if rule.bars is not None:
            self.left = np.where(new, float(rule.bars), self.left)
        return lacking

    def _clear(self, gone: Bools) -> None:
        self.level, self.target, self.trail, self.distance = (
            np.where(gone, np.nan, values) for values in (self.level, self.target, self.trail, self.distance))
        self.left = np.where(gone, np.inf, self.left)

    def adjust(self, ratio: FloatArray, cash: FloatArray) -> None:
        """Into the shares and dollars after splits and dividends."""
        self.level, self.target = self.level / ratio - cash, self.target / ratio - cash
        self.trail, self.distance = self.trail / ratio, self.distance / ratio

    def _ended(self, side: FloatArray, opened: FloatArray) -> Bools:
        """Who is ended by the opening print: a gap beyond stop or target, or time that is up."""
        return np.asarray((side != 0.0) & ((side * (opened - self.level) <= 0.0)
                                           | (side * (opened - self.target) >= THROUGH) | (self.left <= 0.0)))

    def _inside(self, side: FloatArray, high: FloatArray, low: FloatArray) -> FloatArray:
        """The price that ends each within the session, NaN where none does."""
        worst, best = np.where(side > 0.0, low, high), np.where(side > 0.0, high, low)
        stopped = (side != 0.0) & (side * (worst - self.level) <= 0.0)
        won = (side != 0.0) & (side * (best - self.target) >= THROUGH)
        return np.where(stopped, self.level, np.where(won, self.target, np.nan))

    def _after(self, side: FloatArray, high: FloatArray, low: FloatArray) -> None:
        """The session is over: time passes, and stops follow what it reached. A halt is no session."""
        self.left = np.where(np.isfinite(high), self.left - 1.0, self.left)
        best = np.where(side > 0.0, high, low)
        level = _behind(best - side * self.trail, side)
        self.level = np.where(side * (level - self.level) > 0.0, level, self.level)


def _behind(price: FloatArray, side: FloatArray) -> FloatArray:
    """The tick at or behind a price, so that rounding never brings a stop nearer than was asked."""
    ticks = np.round(price / TICK_USD, 6)
    return np.round(np.where(side > 0.0, np.floor(ticks), np.ceil(ticks)) * TICK_USD, 10)
