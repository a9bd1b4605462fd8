"""The lake: bodies, facts and marts on two clocks; and short ways in under the names that people look for."""

from importlib import import_module
from typing import Any

_NAMES = {
    "AdjustmentEngine": "adjustment", "CorporateAction": "adjustment", "HistoricalDataStore": "history",
    "TickerMapper": "history", "UniverseBuilder": "history",
    "ParquetTier": "tiers", "ParquetWriter": "tiers", "StorageRouter": "tiers",
    "CBOEDataIngestion": "ingestions", "FuturesVolumeIngestion": "ingestions", "MarketContext": "context",
    "PredictiveCache": "cache", "SPXOptionsAnalyzer": "spx_options",
}  # fmt: skip
__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    """On demand: most users of this package want neither pandas nor DuckDB."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
