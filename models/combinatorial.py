"""Combinatorial purged cross-validation on label lives: many tests, and whole paths, from one history.

Training lies on both sides of a test, so what is near it on either side is dropped: before it every label that reaches
into it, after it every label that starts while the test's own still live or within the embargo.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, comb

import numpy as np
from numpy.typing import NDArray

from models.splits import Split

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class CombinatorialSplit(Split):
    """`tested` are the groups that `test` is made of, in time order."""

    tested: tuple[int, ...]


@dataclass(frozen=True)
class CombinatorialPurgedValidator:
    """`groups` even stretches of rows, every choice of `test_groups` of them tested once (6, 2: 15 splits, 5 paths).

    The embargo is counted in the unit of the lives; None means max(longest label life, `embargo_share` of the history),
    as design section 5 has it."""

    groups: int = 6
    test_groups: int = 2
    embargo_share: float = 0.01
    embargo: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.test_groups < self.groups:
            raise ValueError(f"cannot test {self.test_groups} of {self.groups} groups and train on the rest")

    @property
    def splits(self) -> int:
        return comb(self.groups, self.test_groups)

    @property
    def paths(self) -> int:
        """Every group is tested so many times, and each path holds one test of each."""
        return comb(self.groups - 1, self.test_groups - 1)

    def boundaries(self, rows: int) -> Rows:
        """(groups + 1,) row at which each group begins; the first ones are a row longer where rows do not divide."""
        size, longer = divmod(rows, self.groups)
        lengths = np.full(self.groups, size, dtype=np.intp)
        lengths[:longer] += 1
        begins: Rows = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
        return begins

    def embargo_of(self, lives: Rows) -> int:
        """How long after a test's last label nothing may start that is trained on."""
        if self.embargo is not None:
            return self.embargo
        history = int(lives[:, 0].max() - lives[:, 0].min()) + 1
        return max(int((lives[:, 1] - lives[:, 0]).max()), ceil(self.embargo_share * history))

    def generate_splits(self, lives: Rows) -> Iterator[CombinatorialSplit]:
        """`lives` (rows, 2): first and last instant of each label, rows in order of the first.

        Several rows may start at one instant, as the names of a session do. A split's training set may be empty."""
        begins = self.boundaries(len(lives))
        first, last = np.ascontiguousarray(lives.T)
        if len(lives) < self.groups or bool((first[1:] < first[:-1]).any()):
            raise ValueError("lives must be in order of their first instant, and at least one to a group")
        embargo, rows = self.embargo_of(lives), np.arange(len(lives))
        spared = []  # of the rows before a block: those from the first that reaches into it on that do not
        stops = []  # and the first row after a block that begins late enough
        for begin, end in zip(begins[:-1], begins[1:], strict=True):
            reaches = last[:begin] >= first[begin]
            low = int(reaches.argmax()) if reaches.any() else int(begin)
            spared.append((low, low + np.flatnonzero(~reaches[low:])))
            stops.append(int(np.searchsorted(first, int(last[begin:end].max()) + embargo, side="right")))
        for tested in combinations(range(self.groups), self.test_groups):
            # A label that reaches over a tested block into a later one is barred by both: what was kept before a block
            # stays, and only what lies after it is looked at for the next.
            kept, after = [], 0
            for group in tested:
                low, others = spared[group]
                kept += [rows[after:low], others[np.searchsorted(others, after) :]]
                after = max(after, stops[group])
            test = np.concatenate([rows[begins[group] : begins[group + 1]] for group in tested])
            yield CombinatorialSplit(np.concatenate([*kept, rows[after:]]), test, tested)

    def path_of(self) -> Rows:
        """(splits, test_groups) the path that each tested group of each split belongs to."""
        seen = [0] * self.groups
        of = np.zeros((self.splits, self.test_groups), dtype=np.intp)
        for split, tested in enumerate(combinations(range(self.groups), self.test_groups)):
            for at, group in enumerate(tested):
                of[split, at] = seen[group]
                seen[group] += 1
        return of

    def recombine(self, predictions: Sequence[Floats], rows: int) -> Floats:
        """(paths, rows) whole histories from what each split predicted for its test rows, in the splits' order."""
        begins, of = self.boundaries(rows), self.path_of()
        whole = np.full((self.paths, rows), np.nan)
        for split, tested in enumerate(combinations(range(self.groups), self.test_groups)):
            cut = 0
            for at, group in enumerate(tested):
                length = int(begins[group + 1] - begins[group])
                whole[of[split, at], begins[group] : begins[group + 1]] = predictions[split][cut : cut + length]
                cut += length
        return whole
