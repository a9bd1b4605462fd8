"""Training before testing, in time order, with every training label that meets a test label purged."""

from collections.abc import Sized
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


TrainTestSplit = Split


@dataclass(frozen=True)
class WalkForwardValidator:
    """Folds in time order: the first trains on `first_train` decision sessions, each tests the next `step`.

    Expanding, unless `window` says how many sessions before a test are trained on at most. No embargo: everything
    trained on lies before the test (design section 5)."""

    first_train: int = 252
    step: int = 63
    window: int | None = None

    def generate_splits(
        self, data: Rows | Sized, train_window: int | None = None, test_window: int | None = None,
        step: int | None = None,
    ) -> list[Split]:
        """`data` are label lives (sessions, 2): first and last row that a row's label needs. Of anything else in time
        order, a frame's rows say, each label is its own row. The last fold may be short.

        Said here, `train_window` rows before each test are trained on (rolling), `test_window` of them are tested, and
        the next test begins `step` rows later."""
        first, window = (self.first_train, self.window) if train_window is None else (train_window, train_window)
        step = step or test_window or self.step
        lives = _lives_of(data)
        splits = []
        for begin in range(first, len(lives), step):
            test = np.arange(begin, min(begin + (test_window or step), len(lives)))
            train = purged(np.arange(0 if window is None else max(0, begin - window), begin), test, lives)
            if len(train):
                splits.append(Split(train, test))
        return splits


def _lives_of(data: Rows | Sized) -> Rows:
    if isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[1] == 2 and data.dtype.kind == "i":
        return data
    return np.repeat(np.arange(len(data))[:, None], 2, axis=1)


def inner_split(train: Rows, lives: Rows, held_out: float = 0.3) -> Split:
    """The end of a training fold held out for tuning, purged like any test."""
    begin = len(train) - max(1, int(len(train) * held_out))
    return Split(purged(train[:begin], train[begin:], lives), train[begin:])
