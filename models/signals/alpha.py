"""What an alpha says of a name: a value, how sure it is, and which filter let it speak or kept it silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Filter(StrEnum):
    """The first five keep an alpha silent; the others say in which state of things it spoke."""

    NO_DATA = "NO_DATA"
    ADX_FILTER = "ADX_FILTER"
    HURST_FILTER = "HURST_FILTER"
    THRESHOLD_FILTER = "THRESHOLD_FILTER"
    REGIME_FILTER = "REGIME_FILTER"
    TRENDING = "TRENDING"
    MEAN_REVERTING = "MEAN_REVERTING"
    BREAKOUT = "BREAKOUT"
    CALM = "CALM"
    PINNING = "PINNING"
    COMBINED = "COMBINED"


FILTERS = tuple(Filter)


@dataclass(frozen=True)
class AlphaSignal:
    """One name at one decision; `value` is in [-1, 1], `confidence` in [0, 1]."""

    value: float
    confidence: float
    regime_filter: str
    components: Mapping[str, float]


@dataclass(frozen=True)
class Alphas:
    """The same for every row and name of a panel; silent is 0, never NaN. `size` multiplies what is held."""

    value: Floats
    confidence: Floats
    filters: NDArray[np.int8]  # places in FILTERS
    components: Mapping[str, Floats] = field(default_factory=dict)
    size: Floats | None = None

    @property
    def conviction(self) -> Floats:
        return self.value * self.confidence

    @property
    def sizes(self) -> Floats:
        return np.ones_like(self.value) if self.size is None else self.size

    def at(self, row: int, name: int) -> AlphaSignal:
        told = {key: float(values[row, name]) for key, values in self.components.items()}
        return AlphaSignal(float(self.value[row, name]), float(self.confidence[row, name]),
                           str(FILTERS[self.filters[row, name]]), told)


class Alpha(Protocol):
    """A rule over a panel. `features` are the columns that it reads, by full name; `history` the rows of the panel,
    the last one included, that determine what it says to the last bit."""

    @property
    def features(self) -> tuple[str, ...]: ...

    @property
    def history(self) -> int: ...

    def signal(self, panel: FeaturePanel) -> Alphas: ...


def spoken(
    value: Floats, confidence: Floats, told: Filter | NDArray[np.int8], *, needs: Sequence[Floats],
    silenced: Sequence[tuple[Filter, Mask]] = (), components: Mapping[str, Floats] | None = None,
    size: Floats | None = None,
) -> Alphas:
    """Alphas that are silent where something in `needs` is missing, then where the first of `silenced` holds."""
    known = np.ones(value.shape, dtype=bool)
    for one in needs:
        known &= np.isfinite(one)
    told = np.full(value.shape, code(told), dtype=np.int8) if isinstance(told, Filter) else told
    reasons = [(Filter.NO_DATA, ~known), *silenced]
    filters = np.select([mask for _, mask in reasons], [np.int8(code(why)) for why, _ in reasons], told)
    silent = np.any([mask for _, mask in reasons], axis=0)
    value, confidence = np.clip(value, -1.0, 1.0), np.clip(confidence, 0.0, 1.0)
    return Alphas(np.where(silent, 0.0, value), np.where(silent, 0.0, confidence), filters.astype(np.int8),
                  components or {}, size)


def code(which: Filter) -> int:
    return FILTERS.index(which)


def union(*parts: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of several, each once, in the order in which they were named."""
    return tuple(dict.fromkeys(name for part in parts for name in part))
