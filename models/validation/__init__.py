"""Judgement. What people look for here by name is exported; everything else is imported from its own file."""

from models.splits import TrainTestSplit, WalkForwardValidator

__all__ = ["TrainTestSplit", "WalkForwardValidator"]
