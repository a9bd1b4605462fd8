"""Round trips of many runs over the same bars: what a stream of entries and exits comes to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trips:
    """Sorted by run, then by time. A trip that never ends has the last bar for its exit and is not `closed`."""

    runs: int
    bars: int
    run: Rows  # (trips,), as all below
    entry: Rows
    exit: Rows
    closed: Bools
    side: npt.NDArray[np.int8]  # 1 long, -1 short

    @property
    def counts(self) -> Rows:
        return np.bincount(self.run, minlength=self.runs)

    def of(self, first: int, stop: int) -> "Trips":
        """The trips of some runs, which are numbered from nought again."""
        begin, end = np.searchsorted(self.run, [first, stop])
        part = slice(int(begin), int(end))
        return Trips(stop - first, self.bars, self.run[part] - first, self.entry[part], self.exit[part],
                     self.closed[part], self.side[part])


def alternating(runs: int, bars: int, run: Rows, bar: Rows, enters: Bools) -> Trips:
    """Long trips from events sorted by run and time. An entry while in and an exit while out change nothing."""
    first = np.ones(len(run), np.bool_)
    first[1:] = run[1:] != run[:-1]
    turns = first & enters
    turns[1:] |= ~first[1:] & (enters[1:] != enters[:-1])  # of several alike in a row the first one counts
    at = np.flatnonzero(turns)
    run, bar, enters = run[at], bar[at], enters[at]
    begins = np.flatnonzero(enters)
    ends = np.minimum(begins + 1, max(len(run) - 1, 0))
    closed = (ends > begins) & (run[ends] == run[begins]) if len(begins) else np.zeros(0, np.bool_)
    return Trips(runs, bars, run[begins], bar[begins], np.where(closed, bar[ends], bars - 1), closed,
                 np.ones(len(begins), np.int8))


def joined(runs: int, bars: int, parts: Sequence[Trips]) -> Trips:
    """Parts that each hold other runs, by their own numbers, as one."""
    if not parts:
        return alternating(runs, bars, np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.bool_))
    run, entry, leave, closed, side = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("run", "entry", "exit", "closed", "side"))
    if bool((np.diff(run) < 0).any()):
        by_run = np.argsort(run, kind="stable")
        run, entry, leave, closed, side = (told[by_run] for told in (run, entry, leave, closed, side))
    return Trips(runs, bars, run, entry, leave, closed, side)


def from_signals(entries: Bools, exits: Bools) -> Trips:
    """Long trips of (bars, runs) each. Where both speak at one bar neither counts."""
    if entries.shape != exits.shape or entries.ndim != 2:
        raise ValueError(f"entries and exits are (bars, runs) both, not {entries.shape} and {exits.shape}")
    told = np.ascontiguousarray(entries.T, np.bool_), np.ascontiguousarray(exits.T, np.bool_)
    at = np.flatnonzero(told[0] ^ told[1])
    run, bar = np.divmod(at, len(entries)) if len(entries) else (at, at)
    return alternating(entries.shape[1], len(entries), run, bar, told[0].ravel()[at])


def from_positions(held: npt.ArrayLike) -> Trips:
    """(bars, runs) of what is held after each bar's close: above nought long, below it short, by sign alone."""
    told = np.asarray(held)
    if told.ndim != 2:
        raise ValueError(f"positions are (bars, runs), not {told.shape}")
    side = np.ascontiguousarray(np.sign(np.nan_to_num(told.astype(np.float64))).astype(np.int8).T)
    runs, bars = side.shape
    before = np.zeros_like(side)
    before[:, 1:] = side[:, :-1]
    turned = side != before
    begins, ends = np.flatnonzero(turned & (side != 0)), np.flatnonzero(turned & (before != 0))
    run, entry = np.divmod(begins, max(bars, 1))
    if not len(ends):
        ends = np.array([side.size])
    after = ends[np.minimum(np.searchsorted(ends, begins, side="right"), len(ends) - 1)]
    closed = (after > begins) & (after < (run + 1) * bars)
    return Trips(runs, bars, run, entry, np.where(closed, after - run * bars, bars - 1), closed, side.ravel()[begins])
