"""What the boosted cross-section sees, and the size of its trees."""

from dataclasses import dataclass
from typing import Literal

from models.options import option


@dataclass(frozen=True)
class GbmConfig:
    """`features` are standardised across names each session; `context` is the same for all names and taken raw."""

    features: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    rounds: int = 100
    leaves: int = 3  # nearly additive: a year of twenty names holds no evidence for more
    learning_rate: float = 0.02
    min_leaf: int = 400
    feature_fraction: float = 0.5
    row_fraction: float = 0.4
    l2: float = 10.0
    objective: Literal["regression", "binary"] = option("regression")  # binary: targets are 0 or 1, learned as they are
    boosting: Literal["gbdt", "rf"] = option("gbdt")  # rf: a random forest on the same rows
    monotone: tuple[tuple[str, int], ...] = option(())  # (column, 1 or -1): the score may only rise or fall with it
    interactions: tuple[tuple[str, ...], ...] = option(())  # columns that may meet in one branch; all others stay alone
    weights: Literal["equal", "unique"] = option("equal")  # unique: a row counts for what its label does not share
    label_rows: int = option(1)  # rows after its own that a label lives for: weights and calibration mind them
    calibration: Literal["none", "platt", "isotonic"] = option("none")  # of a binary objective
    calibration_share: float = option(0.25)  # of the training rows, the last ones, kept from the trees for it

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the panel, that a fit and a score read."""
        return (*self.features, *self.context)
