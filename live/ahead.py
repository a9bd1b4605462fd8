"""A recorded session in strides: stretches in which nothing can happen are passed over, to the same bits."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

import numpy as np

from live.clock import TapeClock
from live.day import CYCLE_US, NEVER_US, Day, Due
from live.desk import Desk
from live.inside import Inside
from live.scan import Line, Scan
from models.signals.intraday import Course


class _Line:
    """The course of one name's rule, and the decision at which each of its closes is seen."""

    __slots__ = ("at", "course")

    def __init__(self, at: Sequence[int], course: Course) -> None:
        self.at, self.course = at, course

    def next_turn(self, since: int, aim: float) -> int:
        """The first decision from this one on that wants something else than what is aimed at."""
        at, turns, sides = self.at, self.course.turns, self.course.sides
        place = bisect_left(at, since)
        if place < len(at):
            for turn in range(bisect_right(turns, place) - 1, len(turns)):
                side = sides[turn]
                if side is not None and side != aim:
                    return at[max(place, turns[turn])]
        return NEVER_US


def _bar_by_bar(line: Line, ends_us: range) -> tuple[Sequence[int], Sequence[float]] | None:
    """The decisions that see something new, and the close that each sees, where every bar is looked at at its end."""
    starts = line.even
    if not isinstance(starts, range) or starts.step != ends_us.step or (starts[0] + starts.step) not in ends_us:
        return None
    at = ends_us[ends_us.index(starts[0] + starts.step) :][: len(starts)]
    return at, line.closes if len(at) == len(starts) else line.closes[: len(at)]


def _as_seen(line: Line, ends_us: range) -> tuple[Sequence[int], Sequence[float]]:
    """The same of bars that come as they like."""
    ends = np.array(ends_us, dtype=np.int64)
    seen = line.start_us.searchsorted(ends)
    before = np.zeros_like(seen)
    before[1:] = seen[:-1]
    fresh = np.flatnonzero(seen != before)
    return ends[fresh].tolist(), line.close[seen[fresh] - 1].tolist()


class _Foresight:
    """A rule asks prices only, never the account: what it will want is known before anything is traded."""

    def __init__(self, inside: Inside, scan: Scan, due: Due) -> None:
        self._inside, self._due = inside, due
        ends_us = due.decisions_us()
        self._lines: dict[str, _Line] = {}
        for name, follower, factor in inside.prospects():
            line = scan.lines.get(name)
            if line is not None:
                at, closes = _bar_by_bar(line, ends_us) or _as_seen(line, ends_us)
                self._lines[name] = _Line(at, follower.run(
                    closes if factor == 1.0 else [close * factor for close in closes]))
        self._next_us: int | None = None

    def forget(self) -> None:
        """Something was decided: what is aimed at may be another."""
        self._next_us = None

    def next_us(self) -> int:
        """The next decision that may act."""
        since = self._due.decision_us
        if since == NEVER_US:
            return NEVER_US
        if self._next_us is None:
            if self._inside.idle:
                return NEVER_US
            aims = self._inside.aims
            turns = [line.next_turn(since, aims.get(name, 0.0)) for name, line in self._lines.items()]
            self._next_us = min([self._due.first_closing_us, *turns])
        return self._next_us

    def passed(self, before_us: int) -> None:
        """Nothing was decided before then; each rule knows what it would have seen."""
        if self._inside.idle:
            return
        memories = {}
        for name, line in self._lines.items():
            count = bisect_left(line.at, before_us)
            if count:
                memories[name] = line.course.memory(count - 1)
        self._inside.saw(before_us - self._due.every_us, memories)


class Ahead:
    """One session of a feed that has it all, on a venue without books of its own. `due_until` does what is due."""

    def __init__(self, desk: Desk, day: Day, due: Due, clock: TapeClock, scan: Scan,
                 due_until: Callable[[int], None]) -> None:
        self._desk, self._day, self._due, self._clock, self._scan = desk, day, due, clock, scan
        self._due_until = due_until
        self._foresight = _Foresight(desk.inside, scan, due) if desk.inside is not None else None
        self._least_usd = desk.least_usd()
        self._silence_us = desk.terms.limits.max_feed_silence_s * 1e6 - 1.0  # a look too many does no harm

    def run(self) -> None:
        desk, scan, due, clock, days = self._desk, self._scan, self._due, self._clock, self._day.bars
        asking = desk.watch.names if desk.watch is not None else frozenset[str]()
        held = desk.watch.trades if desk.watch is not None else {}
        place, count, starts = 0, len(scan.start_us), scan.start_us
        while place < count:
            if not asking and not desk.flattening:
                place = self._stride(place)
                if place == count:
                    break
            start_us = starts[place]
            if start_us >= due.next_us:
                self._due_until(start_us)
                if self._foresight is not None:
                    self._foresight.forget()
            bar = scan.bar(place)
            name = bar[0]
            line, first = scan.lines[name], name not in days
            days[name] = line.day(line.before(place) + 1)
            self._day.heard_us = start_us
            if first or name in asking or desk.flattening:
                clock.advance_us(start_us)
                desk.on_bar(bar, first=first)
            elif name in held:
                held[name].reach(bar[3], bar[4])
            place += 1

    def _stride(self, place: int) -> int:
        """The next bar that is to be looked at: a name's first, one after a decision, or after a look at the account
        that finds something."""
        desk, due, scan = self._desk, self._due, self._scan
        firsts = scan.firsts
        new = bisect_left(firsts, place)
        first = firsts[new] if new < len(firsts) else len(scan.start_us)
        if first == place:
            return place
        act_us = self._foresight.next_us() if self._foresight is not None else NEVER_US
        held = [name for name, holding in desk.book.holdings.items() if holding.shares]
        last_us = scan.start_us[first - 1]
        end = first if act_us > last_us else bisect_left(scan.start_us, act_us, place, first)
        if scan.widest_us <= self._silence_us and desk.switch.thrown() is None and (
                self._worth(held, place, end) > self._least_usd):  # no look on the way finds anything
            until_us = act_us if act_us <= last_us else last_us + 1
            if due.cycle_us < until_us:
                due.looked(due.cycle_us + (until_us - due.cycle_us + CYCLE_US - 1) // CYCLE_US * CYCLE_US)
        else:
            end = self._look(place, first, act_us, held)
        if end > place:
            self._take_in(place, end)
        return end

    def _look(self, place: int, first: int, act_us: int, held: Sequence[str]) -> int:
        """Every five minutes at the account: the first bar after a look that finds something."""
        desk, starts, end, cycle_us = self._desk, self._scan.start_us, place, self._due.cycle_us
        while True:
            until_us = cycle_us if cycle_us < act_us else act_us
            end = bisect_left(starts, until_us, end)
            if end >= first:
                end = first
                break
            if until_us == act_us or until_us - starts[end - 1] > self._silence_us or desk.switch.thrown() is not None:
                break
            if desk.equity(self._prices(held, end)) <= self._least_usd:
                break
            cycle_us += CYCLE_US
        self._due.looked(cycle_us)
        return end

    def _worth(self, names: Sequence[str], place: int, end: int) -> float:
        """At least this much is the account worth at any look from one place to another; NaN where none can say."""
        values = [self._desk.book.cash]
        for name in names:
            holding, line = self._desk.book.holdings[name], self._scan.lines.get(name)
            if not 0.0 < holding.price < math.inf:
                return math.nan
            prices = [holding.price]  # which counts for one that leapt beyond belief
            if line is not None:
                prices += line.closes[max(line.before(place) - 1, 0) : line.before(end)]
            values.append(holding.shares * (min(prices) if holding.shares > 0 else max(prices)))
        return math.fsum(values)

    def _prices(self, names: Sequence[str], end: int) -> dict[str, float]:
        """The last prices of some names before a place in the session."""
        prices = {}
        for name in names:
            line = self._scan.lines.get(name)
            count = line.before(end) if line is not None else 0
            if line is not None and count:
                prices[name] = line.closes[count - 1]
        return prices

    def _take_in(self, place: int, end: int) -> None:
        """Bars that only move prices."""
        days, scan, starts = self._day.bars, self._scan, self._scan.start_us
        held = self._desk.watch.trades if self._desk.watch is not None else {}
        some = scan.lines if end - place >= len(scan.lines) else {scan.name(one) for one in range(place, end)}
        for name in some:
            line = scan.lines[name]
            since, until = line.before(place), line.before(end)
            if since == until:
                continue
            days[name] = line.day(until)
            if name in held:
                held[name].reach(max(line.high[since:until]), min(line.low[since:until]))
        self._day.heard_us = starts[end - 1]
        if self._foresight is not None and self._due.decision_us <= starts[end - 1]:
            self._due.passed(starts[end - 1])
            self._foresight.passed(self._due.decision_us)
