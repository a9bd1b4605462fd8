"""When: orchestration, data, judgement and publication. Everything that runs by night."""

import os
from importlib import import_module
from typing import Any

# On one thread, before NumPy is first imported: BLAS on several adds up in another order by how many there are, so that
# bits would hang on the machine, and matrices as small as ours wait for a second thread longer than they are worked on.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_NAMES = {"QuantPlatformOptimized": "watchlist", "get_market_info": "calendars", "load_config": "settings"}
__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    """Names that people look for, on demand."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
