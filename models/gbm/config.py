"""What the boosted cross-section sees, and the size of its trees."""

from dataclasses import dataclass


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
