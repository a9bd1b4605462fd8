"""Windows of 5 to 60 sessions grown from shorter ones: a value over a window depends on that window alone.

Running sums would carry every earlier session's rounding along, and a tail could not have the bits of a batch. Here
each window is merged from an older and a newer part, in one fixed order; a part is shared by all windows it lies in.
"""

from collections.abc import Callable
from typing import TypeVar

from models.features.feature import FloatArray

WINDOWS = (5, 10, 20, 30, 60)
# size = older + newer. Level `size` at row r holds the window of `size` sessions that ends at row r + size - 1.
GROWTH = ((2, 1, 1), (4, 2, 2), (5, 1, 4), (10, 5, 5), (20, 10, 10), (30, 10, 20), (60, 30, 30))
LONGEST, SHORTEST = WINDOWS[-1], WINDOWS[0]

Part = FloatArray | float  # what is the same for every window of a size may be one number
Level = TypeVar("Level")


def grow(
    single: Level, merge: Callable[[Level, Level, int], Level], cut: Callable[[Level, int, int, int], Level], rows: int
) -> dict[int, Level]:
    """Levels of every window's size. `merge(older, newer, newer_size)`; `cut(level, first, last, step)` picks rows."""
    levels, lengths, step, growth = {1: single}, {1: rows}, 1, list(GROWTH)
    if rows == LONGEST:  # a tail: one window of each size is wanted, all made of every fifth window of five
        first, second, third, fourth, fifth = (cut(single, place, rows, SHORTEST) for place in range(SHORTEST))
        four = merge(merge(second, third, 1), merge(fourth, fifth, 1), 2)
        levels[SHORTEST], lengths[SHORTEST] = merge(first, four, 4), rows // SHORTEST
        step, growth = SHORTEST, list(GROWTH[3:])
    for size, older, newer in growth:
        behind = older // step
        lengths[size] = lengths[newer] - behind
        levels[size] = merge(
            cut(levels[older], 0, lengths[size], 1), cut(levels[newer], behind, lengths[newer], 1), newer
        )
    last = lengths[LONGEST]
    return {size: cut(levels[size], lengths[size] - last, lengths[size], 1) for size in WINDOWS}


def rows_of(part: Part, first: int, last: int, step: int) -> Part:
    return part if isinstance(part, float) else part[first:last:step]
