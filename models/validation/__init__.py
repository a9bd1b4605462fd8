"""Judgement. What people look for here by name is exported; everything else is imported from its own file."""

from models.splits import TrainTestSplit, WalkForwardValidator
from models.validation.montecarlo import ConfidenceInterval, monte_carlo

__all__ = ["ConfidenceInterval", "TrainTestSplit", "WalkForwardValidator", "monte_carlo"]
