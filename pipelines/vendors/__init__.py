"""The vendors' wire formats, and the transports that ask them; and the names that people look for."""

from importlib import import_module
from typing import Any

_NAMES = {"ParallelDataFetcher": "fetcher", "RealTimeStreamer": "streamer", "RequestPriority": "pool"}
__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    """On demand: a parser needs no transport."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
