"""The two shapes features travel in: bars by session and name, and feature values by decision and name."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class FeaturePanel:
    """What was known at each decision. `sessions` are DECISION sessions; values are of the session before."""

    sessions: NDArray[np.datetime64]
    names: tuple[str, ...]
    features: tuple[str, ...]
    values: FloatArray  # (sessions, names, features)
    tradable: NDArray[np.bool_]  # (sessions, names)

    def column(self, feature: str) -> FloatArray:
        """One feature, (sessions, names)."""
        return self.values[:, :, self.features.index(feature)]

    def select(self, features: tuple[str, ...]) -> "FeaturePanel":
        """The same decisions with these features, in this order."""
        picked = np.ascontiguousarray(self.values[:, :, [self.features.index(name) for name in features]])
        return FeaturePanel(self.sessions, self.names, features, picked, self.tradable)

    def upto(self, count: int) -> "FeaturePanel":
        """The first `count` decisions: what was there before decision `count`."""
        return FeaturePanel(
            self.sessions[:count], self.names, self.features, self.values[:count], self.tradable[:count]
        )

    def tail(self, count: int) -> "FeaturePanel":
        """The last `count` decisions."""
        return FeaturePanel(
            self.sessions[-count:], self.names, self.features, self.values[-count:], self.tradable[-count:]
        )
