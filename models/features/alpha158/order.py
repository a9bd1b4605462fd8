"""Order statistics of windows: extremes and where they lie, quantiles by a sorting network, ranks. All exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.features.alpha158.codes import Coded, Codes
from models.features.alpha158.windows import LONGEST, WINDOWS, Part, grow
from models.features.feature import FloatArray

# (low wire, high wire, is the lower one wanted, is the higher one wanted)
Comparator = tuple[int, int, bool, bool]
SORT_OF_FIVE = ((0, 3), (1, 4), (0, 2), (1, 3), (0, 1), (2, 4), (1, 2), (3, 4), (2, 3))
SHARES = (0.8, 0.2)


Places = NDArray[np.int8] | int


@dataclass(frozen=True)
class Extreme:
    """The highest (or lowest) value of a window and its session, counted back from the window's newest, which is 0."""

    value: FloatArray
    place: Places

    def cut(self, first: int, last: int, step: int) -> "Extreme":
        place = self.place if isinstance(self.place, int) else self.place[first:last:step]
        return Extreme(self.value[first:last:step], place)


def _either(newer: np.ndarray, places: Places, others: Places) -> NDArray[np.int8]:
    """`places` where `newer`, else `others`: np.where by bits, a byte each, in a tenth of its time."""
    chosen: NDArray[np.int8] = (-newer.view(np.int8)) & (places ^ others)
    chosen ^= others
    return chosen


def extremes(values: FloatArray, *, highest: bool) -> dict[int, Extreme]:
    """Of several equal ones the oldest. Missing values must be infinite, on the side that never wins."""
    beats, best = (np.greater, np.maximum) if highest else (np.less, np.minimum)

    def merge(older: Extreme, newer: Extreme, size: int) -> Extreme:
        return Extreme(
            best(older.value, newer.value),
            _either(beats(newer.value, older.value), newer.place, older.place - size),
        )

    return grow(Extreme(values, 0), merge, Extreme.cut, len(values))


def _merge_network(left: Sequence[int], right: Sequence[int], found: list[tuple[int, int]]) -> list[int]:
    """Batcher's odd-even merge of two sorted runs of wires; the wires in the order of what they then hold."""
    if not left or not right:
        return [*left, *right]
    if len(left) == len(right) == 1:
        found.append((left[0], right[0]))
        return [left[0], right[0]]
    even = _merge_network(left[::2], right[::2], found)
    odd = _merge_network(left[1::2], right[1::2], found)
    merged = [even[0]]
    for place, wire in enumerate(odd):
        if place + 1 < len(even):
            found.append((wire, even[place + 1]))
            merged += [wire, even[place + 1]]
        else:
            merged.append(wire)
    return merged + even[len(odd) + 1 :]


def _pruned(network: Sequence[tuple[int, int]], wanted: set[int]) -> list[Comparator]:
    """The comparators that have a say in what the wanted wires hold."""
    kept: list[Comparator] = []
    for low, high in reversed(network):
        if low in wanted or high in wanted:
            kept.append((low, high, low in wanted, high in wanted))
            wanted = wanted | {low, high}
    return kept[::-1]


@cache
def _merging(older: int, newer: int, places: tuple[int, ...] | None) -> tuple[list[Comparator], list[int]]:
    found: list[tuple[int, int]] = []
    order = _merge_network(range(older), range(older, older + newer), found)
    wires = order if places is None else [order[place] for place in places]
    return _pruned(found, set(wires)), wires


def _run(wires: list[Codes], network: Sequence[Comparator]) -> None:
    """The arrays that come in belong to others, those made here are written over."""
    made = [False] * len(wires)
    for low, high, lower, higher in network:
        one, other = wires[low], wires[high]
        if lower and higher:
            wires[high] = np.maximum(one, other)
            wires[low] = np.minimum(one, other, out=one if made[low] else None)
        elif lower:
            wires[low] = np.minimum(one, other, out=one if made[low] else None)
        else:
            wires[high] = np.maximum(one, other, out=other if made[high] else None)
        made[low], made[high] = made[low] or lower, made[high] or higher


def _between(size: int, share: float) -> tuple[int, float]:
    """Linear interpolation: the place below the quantile in a sorted window, and how far above it lies."""
    exact = share * (size - 1)
    return int(exact), exact - int(exact)


LAST_PLACES = tuple(sorted({place + more for share in SHARES for place in (_between(LONGEST, share)[0],)
                            for more in (0, 1)}))


def _sorted_windows(values: Codes) -> dict[int, list[Codes]]:
    """Each window's values in ascending order; of the longest only those at LAST_PLACES."""

    def merge(older: list[Codes], newer: list[Codes], size: int) -> list[Codes]:
        both = [*older, *newer]
        if len(both) < 5:
            return both  # sorted once there are five
        if len(both) == 5:
            _run(both, [(low, high, True, True) for low, high in SORT_OF_FIVE])
            return both
        network, order = _merging(len(older), len(newer), LAST_PLACES if len(both) == LONGEST else None)
        _run(both, network)
        return [both[wire] for wire in order]

    return grow([values], merge, lambda parts, first, last, step: [part[first:last:step] for part in parts],
                len(values))


def quantiles(values: FloatArray, told: Coded, counts: dict[int, Part]) -> dict[int, list[FloatArray]]:
    """For each window its quantiles at SHARES. Missing values must be +inf."""
    found: dict[int, list[FloatArray]] = {}
    for size, ordered in _sorted_windows(told.codes).items():
        held = dict(zip(LAST_PLACES, ordered, strict=True)) if size == LONGEST else dict(enumerate(ordered))
        found[size] = []
        for share in SHARES:
            place, above = _between(size, share)
            low, high = told.value(held[place]), told.value(held[place + 1])
            found[size].append(low + (high - low) * above)
        count = counts[size]
        if not isinstance(count, float):
            _mend(values, size, count, found[size])
    return found


def _mend(values: FloatArray, size: int, count: FloatArray, quantile: list[FloatArray]) -> None:
    """Windows with missing values, which are few: sort what there is."""
    row, name = np.nonzero((count > 0.0) & (count < size))
    if not len(row):
        return
    windows = sliding_window_view(values, size, axis=0)[row + len(values) - len(count) - size + 1, name]
    ordered = np.sort(windows, axis=-1)
    known = count[row, name].astype(np.int64) - 1
    which = np.arange(len(row))
    for share, into in zip(SHARES, quantile, strict=True):
        exact = share * known
        place = exact.astype(np.int64)
        low, high = ordered[which, place], ordered[which, np.minimum(place + 1, known)]
        into[row, name] = low + (high - low) * (exact - place)


def ranks(values: Codes) -> dict[int, FloatArray]:
    """Rank of the newest value among its window's, ties in the middle, from 1. Missing values must be the highest."""
    rows = len(values) - LONGEST + 1
    newest = values[LONGEST - 1 :]
    under = np.empty_like(newest, dtype=np.bool_)
    one = under.view(np.uint8)  # a bool is a byte of 0 or 1: added as it is, without a conversion
    below, upto = np.zeros_like(one), np.ones_like(one)  # itself
    found = {}
    for back in range(1, LONGEST):
        earlier = values[LONGEST - 1 - back :][:rows]
        np.less(earlier, newest, out=under)
        below += one
        np.less_equal(earlier, newest, out=under)
        upto += one
        if back + 1 in WINDOWS:
            found[back + 1] = (below.astype(np.float64) + upto + 1.0) * 0.5
    return found
