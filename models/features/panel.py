"""The two shapes features travel in: bars by session and name, and feature values by decision and name."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.features.feature import FloatArray


@dataclass(frozen=True)
class BarPanel:
    """Columns of one family's inputs, (sessions, names); a missing bar is NaN in every column."""

    sessions: NDArray[np.datetime64]
    names: tuple[str, ...]
    columns: dict[str, FloatArray]

    def tail(self, count: int) -> "BarPanel":
        """The last `count` sessions."""
        return BarPanel(
            self.sessions[-count:], self.names, {name: values[-count:] for name, values in self.columns.items()}
        )

    def upto(self, count: int) -> "BarPanel":
        """The first `count` sessions."""
        return BarPanel(
            self.sessions[:count], self.names, {name: values[:count] for name, values in self.columns.items()}
        )


@dataclass(frozen=True)
class FeaturePanel:
    """What was known at each decision. `sessions` are DECISION sessions; values are of the session before."""

    sessions: NDArray[np.datetime64]
    names: tuple[str, ...]
    features: tuple[str, ...]
    values: FloatArray  # (sessions, names, features)
    tradable: NDArray[np.bool_]  # (sessions, names)
    shortable: NDArray[np.bool_] | None = None  # (sessions, names); None: whatever is tradable can be borrowed

    def column(self, feature: str) -> FloatArray:
        """One feature, (sessions, names)."""
        return self.values[:, :, self.features.index(feature)]

    def select(self, features: tuple[str, ...]) -> "FeaturePanel":
        """The same decisions with these features, in this order."""
        picked = np.ascontiguousarray(self.values[:, :, [self.features.index(name) for name in features]])
        return replace(self, features=features, values=picked)

    def rows(self, first: int | None, stop: int | None) -> "FeaturePanel":
        """The decisions from `first` up to `stop`, counted as a slice counts."""
        kept = slice(first, stop)
        shortable = self.shortable[kept] if self.shortable is not None else None
        return FeaturePanel(self.sessions[kept], self.names, self.features, self.values[kept], self.tradable[kept],
                            shortable)

    def upto(self, count: int) -> "FeaturePanel":
        """The first `count` decisions: what was there before decision `count`."""
        return self.rows(None, count)

    def tail(self, count: int) -> "FeaturePanel":
        """The last `count` decisions."""
        return self.rows(-count, None)

    def then(self, sessions: NDArray[np.datetime64], values: FloatArray, tradable: NDArray[np.bool_],
             shortable: NDArray[np.bool_] | None = None) -> "FeaturePanel":
        """These decisions and further ones after them."""
        if (shortable is None) != (self.shortable is None):
            raise ValueError("what can be borrowed is known of all decisions or of none")
        both = np.concatenate([self.shortable, shortable]) if self.shortable is not None and shortable is not None \
            else None
        return FeaturePanel(np.concatenate([self.sessions, sessions]), self.names, self.features,
                            np.concatenate([self.values, values]), np.concatenate([self.tradable, tradable]), both)
