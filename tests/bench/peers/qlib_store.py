"""Write a panel in Qlib's file layout and load Qlib on it, with its caches off."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

FIELDS = ("open", "high", "low", "close", "vwap", "volume")


def dump(folder: Path, days: list[str], names: list[str], columns: dict[str, Any]) -> None:
    """Calendar, instruments and one little-endian float32 file a field: the first session's number, then values."""
    for part in ("calendars", "instruments"):
        (folder / part).mkdir(parents=True)
    (folder / "calendars" / "day.txt").write_text("\n".join(days) + "\n")
    lives = []
    for number, name in enumerate(names):
        there = np.flatnonzero(np.isfinite(columns["close"][:, number]))
        first, last = int(there[0]), int(there[-1])
        lives.append(f"{name}\t{days[first]}\t{days[last]}\n")
        own = folder / "features" / name.lower()
        own.mkdir(parents=True)
        for field in FIELDS:
            values = columns[field][first : last + 1, number]
            np.hstack([[first], values]).astype("<f4").tofile(own / f"{field}.day.bin")
    (folder / "instruments" / "all.txt").write_text("".join(lives))


def start(folder: Path, processes: int = 1) -> None:
    import qlib
    from qlib.constant import REG_US

    qlib.init(provider_uri=str(folder), region=REG_US, kernels=processes, logging_level=logging.ERROR,
              expression_cache=None, dataset_cache=None)


def alpha158(first: str, last: str) -> Any:
    """Qlib's own handler without processors: a frame of its 158 columns by datetime and instrument."""
    from qlib.contrib.data.handler import Alpha158
    from qlib.data.cache import H

    H.clear()
    handler = Alpha158(instruments="all", start_time=first, end_time=last, fit_start_time=first, fit_end_time=last,
                       infer_processors=[], learn_processors=[])
    return handler.fetch(col_set="feature")
