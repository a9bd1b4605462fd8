"""Technical indicators of single names, each defined on the last `look_back` sessions."""

from models.features.technical.declared import FEATURES

__all__ = ["FEATURES"]
