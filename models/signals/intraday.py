"""Rules that look at one name's closes, bar by bar, and say which side they want: long, short or none."""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from operator import gt
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Memory = tuple[float, ...]


class Course(NamedTuple):
    """What a rule wants after each of some closes: from place `turns[i]` on it is `sides[i]`. `memory` tells what it
    knows after the close at a place."""

    turns: list[int]
    sides: list[float | None]
    memory: Callable[[int], Memory]


class Rule(Protocol):
    """What is chosen; `start` makes what is remembered of one name."""

    def start(self) -> "Follower": ...


class Follower(Protocol):
    """One name under a rule. `step` takes a finished bar's close and answers with the side wanted from then on, in
    [-1, 1]; None while too little was seen. `run` tells what as many steps would come to, and takes none. `memory` is
    all that it knows, and `recall` makes the same again."""

    @property
    def memory(self) -> Memory: ...

    def step(self, close: float) -> float | None: ...

    def run(self, closes: Sequence[float]) -> "Course": ...

    def recall(self, memory: Memory) -> None: ...


@dataclass(frozen=True)
class EmaCross:
    """Long from the moment the fast average crosses above the slow one, out (or short) when it crosses below."""

    fast: int = 10
    slow: int = 20
    short: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.fast < self.slow:
            raise ValueError(f"an average over {self.fast} is not faster than one over {self.slow}")

    def start(self) -> "_Crossing":
        return _Crossing(self)


class _Crossing:
    def __init__(self, rule: EmaCross) -> None:
        self._fast_share, self._slow_share = 2.0 / (rule.fast + 1), 2.0 / (rule.slow + 1)
        self._warm, self._below = rule.slow, -1.0 if rule.short else 0.0
        # Both averages, bars seen, 1 above or -1 below or 0 before there was any, and the side.
        self.memory: Memory = (math.nan, math.nan, 0.0, 0.0, math.nan)

    def step(self, close: float) -> float | None:
        fast, slow, seen, was, side = self.memory
        if seen == 0.0:
            fast = slow = close
        fast += (close - fast) * self._fast_share
        slow += (close - slow) * self._slow_share
        now = 1.0 if fast > slow else -1.0
        if now != was and was and seen >= self._warm:
            side = 1.0 if now > 0 else self._below
        self.memory = (fast, slow, seen + 1.0, now, side)
        return None if side != side else side

    def run(self, closes: Sequence[float]) -> Course:
        """`step` written out for many: a year of minutes goes through here."""
        fast_share, slow_share, warm, below = self._fast_share, self._slow_share, self._warm, self._below
        fast, slow, seen, was, side = self.memory
        if seen == 0.0 and closes:
            fast = slow = closes[0]
        fasts = [fast := fast + (close - fast) * fast_share for close in closes]
        slows = [slow := slow + (close - slow) * slow_share for close in closes]
        above = bytes(map(gt, fasts, slows))
        turns, sides = [0], [side]
        now = was > 0.0
        place = above.find(not now)
        while place >= 0:
            now = not now
            if (place or was) and seen + place >= warm:
                turns.append(place)
                sides.append(1.0 if now else below)
            place = above.find(not now, place)

        def memory(place: int) -> Memory:
            now = 1.0 if fasts[place] > slows[place] else -1.0
            return fasts[place], slows[place], seen + place + 1.0, now, sides[bisect_right(turns, place) - 1]

        return Course(turns, [None if one != one else one for one in sides], memory)

    def recall(self, memory: Memory) -> None:
        self.memory = memory


@dataclass(frozen=True)
class Reversion:
    """Against a close that lies `entry` standard deviations from the mean of its window, until it is back at it."""

    window: int = 20
    entry: float = 2.0

    def __post_init__(self) -> None:
        if not (self.window >= 2 and self.entry > 0):
            raise ValueError("reversion needs a window of 2 bars and a positive entry")

    def start(self) -> "_Reverting":
        return _Reverting(self)


class _Reverting:
    def __init__(self, rule: Reversion) -> None:
        self._rule = rule
        self._closes: deque[float] = deque(maxlen=rule.window)
        self._side = 0.0

    def step(self, close: float) -> float | None:
        self._closes.append(close)
        if len(self._closes) < self._rule.window:
            return None
        mean = math.fsum(self._closes) / self._rule.window
        spread = math.sqrt(math.fsum((one - mean) ** 2 for one in self._closes) / (self._rule.window - 1))
        away = (close - mean) / spread if spread > 0 else 0.0
        if abs(away) >= self._rule.entry:
            self._side = -math.copysign(1.0, away)
        elif self._side * away >= 0:  # it came back to the mean
            self._side = 0.0
        return self._side

    def run(self, closes: Sequence[float]) -> Course:
        begun, memories = self.memory, []
        turns: list[int] = []
        sides: list[float | None] = []
        for place, close in enumerate(closes):
            side = self.step(close)
            memories.append(self.memory)
            if not turns or side != sides[-1]:
                turns.append(place)
                sides.append(side)
        self.recall(begun)
        return Course(turns, sides, memories.__getitem__)

    @property
    def memory(self) -> Memory:
        return (self._side, *self._closes)

    def recall(self, memory: Memory) -> None:
        self._side = memory[0]
        self._closes.clear()
        self._closes.extend(memory[1:])


RULES: dict[str, type[EmaCross] | type[Reversion]] = {"ema_cross": EmaCross, "reversion": Reversion}


def rule_to_json(rule: EmaCross | Reversion) -> dict[str, Any]:
    return {"rule": next(name for name, kind in RULES.items() if type(rule) is kind), **asdict(rule)}


def rule_from_json(told: dict[str, Any]) -> EmaCross | Reversion:
    values = dict(told)
    name = values.pop("rule", None)
    if name not in RULES:
        raise ValueError(f"no rule '{name}'; known: {', '.join(RULES)}")
    return RULES[name](**values)


def sides(rule: Rule, closes: Floats) -> Floats:
    """(bars, names) sides wanted after each bar; NaN before there is one, and no step where there is no close."""
    wanted = np.full(closes.shape, np.nan)
    for column in range(closes.shape[1]):
        follower = rule.start()
        last: float | None = None
        for row, close in enumerate(closes[:, column].tolist()):
            if math.isfinite(close):
                last = follower.step(close)
            wanted[row, column] = math.nan if last is None else last
    return wanted
