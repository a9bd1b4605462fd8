"""Judgement. What people look for here by name is exported; everything else is imported from its own file."""

from models.splits import TrainTestSplit
from models.validation.montecarlo import ConfidenceInterval, monte_carlo
from models.validation.walk_forward import WalkForwardValidator

__all__ = ["ConfidenceInterval", "TrainTestSplit", "WalkForwardValidator", "monte_carlo"]
