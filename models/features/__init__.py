"""What is computed of the market, each feature declared once; and the names that people know some of them by."""

from importlib import import_module
from typing import Any

__all__ = ["VWAPBandsCalculator", "VolumeProfileImbalanceDetector"]


def __getattr__(name: str) -> Any:
    """On demand: a kernel needs no shell."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("models.features.seeds"), name)
