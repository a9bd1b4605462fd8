"""A recorded session in strides: stretches in which nothing can happen are passed over, to the same bits."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence

import numpy as np

from live.clock import TapeClock
from live.day import NEVER_US, Day, Due
from live.desk import Desk
from live.inside import Inside
from live.scan import Scan
from models.signals.intraday import Memory


class _Course:
    """What a rule will know and want of one name after each decision that finds a new bar of it."""

    __slots__ = ("at", "memories", "turns", "wanted")

    def __init__(self, at: list[int], memories: list[Memory], wanted: list[float | None]) -> None:
        self.at, self.memories, self.wanted = at, memories, wanted
        sides = np.array(wanted, dtype=np.float64)
        self.turns: list[int] = (np.flatnonzero(sides[1:] != sides[:-1]) + 1).tolist()

    def next_turn(self, since: int, aim: float) -> int:
        """The first decision from this one on that wants something else."""
        place = bisect_left(self.at, since)
        turn = bisect_left(self.turns, place + 1)
        while place < len(self.at):
            side = self.wanted[place]
            if side is not None and side != aim:
                return self.at[place]
            if turn == len(self.turns):
                break
            place, turn = self.turns[turn], turn + 1
        return NEVER_US


class _Foresight:
    """A rule asks prices only, never the account: what it will want is known before anything is traded."""

    def __init__(self, inside: Inside, scan: Scan, due: Due) -> None:
        self._inside, self._due = inside, due
        ends_us = np.array(due.decisions_us(), dtype=np.int64)
        self._courses: dict[str, _Course] = {}
        for name, follower, factor in inside.prospects():
            line = scan.lines.get(name)
            if line is None:
                continue
            seen = np.searchsorted(line.start_us, ends_us)
            fresh = np.flatnonzero(np.diff(seen, prepend=0))
            closes = (line.close[seen[fresh] - 1] * factor).tolist()
            begun = follower.memory
            memories, wanted = follower.run(closes)
            follower.recall(begun)
            self._courses[name] = _Course(ends_us[fresh].tolist(), memories, wanted)
        self._next_us: int | None = None

    def forget(self) -> None:
        """Something was decided: what is aimed at may be another."""
        self._next_us = None

    def next_us(self) -> int:
        """The next decision that may act."""
        since, aims = self._due.decision_us, self._inside.aims
        if self._inside.idle or since == NEVER_US:
            return NEVER_US
        if self._next_us is None:
            turns = [course.next_turn(since, aims.get(name, 0.0)) for name, course in self._courses.items()]
            self._next_us = min([self._due.first_closing_us, *turns])
        return self._next_us

    def passed(self, before_us: int) -> None:
        """Nothing was decided before then; each rule knows what it would have seen."""
        if self._inside.idle:
            return
        memories = {}
        for name, course in self._courses.items():
            count = bisect_left(course.at, before_us)
            if count:
                memories[name] = course.memories[count - 1]
        self._inside.saw(before_us - self._due.every_us, memories)


class Ahead:
    """One session of a feed that has it all, on a venue without books of its own. `due_until` does what is due."""

    def __init__(self, desk: Desk, day: Day, due: Due, clock: TapeClock, scan: Scan,
                 due_until: Callable[[int], None]) -> None:
        self._desk, self._day, self._due, self._clock, self._scan = desk, day, due, clock, scan
        self._due_until = due_until
        self._foresight = _Foresight(desk.inside, scan, due) if desk.inside is not None else None

    def run(self) -> None:
        desk, scan, due, clock, days = self._desk, self._scan, self._due, self._clock, self._day.bars
        asking = desk.watch.names if desk.watch is not None else frozenset[str]()
        held = desk.watch.trades if desk.watch is not None else {}
        place, count, starts = 0, len(scan.start_us), scan.start_us
        while place < count:
            if not asking and not desk.flattening:
                passed = self._stride(place)
                if passed > place:
                    place = passed
                    continue
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
        that is not as calm as it seems."""
        desk, due, scan = self._desk, self._due, self._scan
        firsts = scan.firsts
        new = bisect_left(firsts, place)
        first = firsts[new] if new < len(firsts) else len(scan.start_us)
        if first == place:
            return place
        act_us = self._foresight.next_us() if self._foresight is not None else NEVER_US
        least_usd = desk.least_usd()
        held = [name for name, holding in desk.book.holdings.items() if holding.shares]
        if not held and desk.equity({}) > least_usd:
            least_usd = -math.inf  # and nothing moves it
        while True:
            until_us = min(due.cycle_us, act_us)
            end = scan.before(until_us, place)
            if end >= first:
                end = first
                break
            if until_us == act_us or not self._calm(until_us, end, held, least_usd):
                break
            due.looked()
        if end > place:
            self._take_in(place, end)
        return end

    def _calm(self, at_us: int, end: int, held: Sequence[str], least_usd: float) -> bool:
        """Whether the five-minute look would find nothing."""
        desk = self._desk
        if desk.switch.thrown() is not None:
            return False
        if (at_us - self._scan.start_us[end - 1]) / 1e6 > desk.terms.limits.max_feed_silence_s:
            return False
        if not held and least_usd == -math.inf:
            return True
        lines, prices = self._scan.lines, {}
        for name in held:
            line = lines.get(name)
            count = line.before(end) if line is not None else 0
            if line is not None and count:
                prices[name] = line.close.item(count - 1)
        return desk.equity(prices) > least_usd

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
