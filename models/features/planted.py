"""A feature that looks ahead on purpose, so that the leak gate can be seen to catch one. In no registry."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from models.features.feature import Feature, FloatArray
from models.features.inputs import derive

REACH = 2  # sessions on either side


def _position(close_centred: FloatArray, close_tr: FloatArray) -> FloatArray:
    return close_tr[..., -1] / close_centred[..., -1] - 1.0


def derive_with_leak(cells: str, raw: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """The usual columns and the classic mistake: a moving average centred on its session."""
    columns = derive(cells, raw)
    if cells == "equity":
        closes = np.pad(columns["close_tr"], ((REACH, REACH), (0, 0)), constant_values=np.nan)
        around = sliding_window_view(closes, 2 * REACH + 1, axis=0)
        held = np.isfinite(around)
        total = np.where(held, around, 0.0).sum(axis=-1)
        with np.errstate(invalid="ignore"):
            columns["close_centred"] = np.ascontiguousarray(total / held.sum(axis=-1))
    return columns


FEATURE = Feature(
    "planted_centred_mean", "equity", "instrument", ("close_centred", "close_tr"), 1, _position,
    "Close against a moving average centred on it: knows the coming two sessions.",
)
