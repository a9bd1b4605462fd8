"""Means and sums of co-moments of windows, merged pairwise so that what does not move has a spread of exactly zero."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.features.alpha158.windows import Part, grow, rows_of
from models.features.feature import FloatArray

Pair = tuple[int, int]


def reciprocal(count: Part) -> Part:
    """1 / count, and 0 where nothing was counted."""
    if isinstance(count, float):
        return 1.0 / count
    return np.divide(1.0, count, out=np.zeros_like(count), where=count > 0.0)


@dataclass(frozen=True)
class Moments:
    """Of some series over one window: how many sessions count, their means, and sums of products of deviations."""

    count: Part
    means: tuple[Part, ...]
    products: dict[Pair, Part]

    def cut(self, first: int, last: int, step: int) -> "Moments":
        return Moments(
            rows_of(self.count, first, last, step),
            tuple(rows_of(mean, first, last, step) for mean in self.means),
            {pair: rows_of(part, first, last, step) for pair, part in self.products.items()},
        )

    def merged(self, newer: "Moments", newer_size: int, place: int | None) -> "Moments":
        """Chan's update. `place` is the series that counts sessions from the window's newest, which is 0."""
        count = self.count + newer.count
        share = newer.count * reciprocal(count)
        weight = self.count * share
        own = [mean - newer_size if index == place else mean for index, mean in enumerate(self.means)]
        steps = [after - before for before, after in zip(own, newer.means, strict=True)]
        weighted = {index: steps[index] * weight for index in {pair[0] for pair in self.products}}
        return Moments(
            count,
            tuple(before + step * share for before, step in zip(own, steps, strict=True)),
            {
                pair: (part + newer.products[pair]) + weighted[pair[0]] * steps[pair[1]]
                for pair, part in self.products.items()
            },
        )


def moments(
    series: tuple[FloatArray, ...], counts: Part, pairs: tuple[Pair, ...], place: int | None = None
) -> dict[int, Moments]:
    """Moments of each window's size. A value that does not count must be 0 in its series."""
    means: list[Part] = list(series)
    if place is not None:
        means.insert(place, 0.0)
    return grow(
        Moments(counts, tuple(means), dict.fromkeys(pairs, 0.0)),
        lambda older, newer, size: older.merged(newer, size, place),
        Moments.cut, len(series[0]),
    )


def sums(series: tuple[Any, ...]) -> dict[int, tuple[Any, ...]]:
    """Sums over each window's size, in the type of each series: of flags and the like, bytes are enough."""
    return grow(
        series,
        lambda older, newer, size: tuple(before + after for before, after in zip(older, newer, strict=True)),
        lambda parts, first, last, step: tuple(part[first:last:step] for part in parts),
        len(series[0]),
    )
