"""Statistics of a name's log returns over a window: memory, tails, variance to come."""

from models.features.statistical.declared import FEATURES

__all__ = ["FEATURES"]
