"""Training before testing, in time order, with every training label that meets a test label purged."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    train: Rows
    test: Rows


def purged(train: Rows, test: Rows, lives: Rows) -> Rows:
    """Training rows whose label life meets no instant from the first test label's start to the last one's end."""
    first, last = int(lives[test, 0].min()), int(lives[test, 1].max())
    meets = (lives[train, 0] <= last) & (lives[train, 1] >= first)
    kept: Rows = train[~meets]
    return kept


@dataclass(frozen=True)
class WalkForwardValidator:
    """Expanding folds: the first trains on `first_train` decision sessions, each tests the next `step`.

    No embargo: everything trained on lies before the test (design section 5)."""

    first_train: int
    step: int

    def generate_splits(self, lives: Rows) -> Iterator[Split]:
        """`lives` (sessions, 2): first and last row that a row's label needs. The last fold may be short."""
        for begin in range(self.first_train, len(lives), self.step):
            test = np.arange(begin, min(begin + self.step, len(lives)))
            train = purged(np.arange(begin), test, lives)
            if len(train):
                yield Split(train, test)


def inner_split(train: Rows, lives: Rows, held_out: float = 0.3) -> Split:
    """The end of a training fold held out for tuning, purged like any test."""
    begin = len(train) - max(1, int(len(train) * held_out))
    return Split(purged(train[:begin], train[begin:], lives), train[begin:])
