"""What we believe: pure functions of their arguments. No clock, no network, no environment, no chance unseeded."""

from importlib import import_module
from typing import Any

_NAMES = {
    "PositionSize": "voltarget", "PositionSizer": "sizing", "TrainTestSplit": "splits",
    "VolatilityTargetedSizer": "volatility_sizer", "WalkForwardValidator": "validation",
}  # fmt: skip
__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    """Names that people look for, on demand: whoever wants one room loads no other."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
