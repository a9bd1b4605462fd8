"""Columns that kernels read, derived element by element from the raw columns of the marts."""

import numpy as np

from models.features.feature import FloatArray

# Raw columns of each panel of cells, in the marts' own names. `equity` is what live sees for itself: it stays small.
RAW: dict[str, tuple[str, ...]] = {
    "equity": ("open", "high", "low", "close", "volume", "split_factor", "total_return_factor"),
    "options": ("put_call_ratio", "share_0dte", "gamma_exposure", "iv30"),
    "futures": ("last_price", "poc", "delta", "total_volume"),
}


def derive(cells: str, raw: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Raw columns and what follows from each bar alone. Forward factors: no later action changes an earlier bar."""
    columns = dict(raw)
    if cells == "equity":
        factor = raw["total_return_factor"]
        for name in ("open", "high", "low", "close"):
            columns[f"{name}_tr"] = raw[name] * factor
        columns["volume_split"] = raw["volume"] / raw["split_factor"]
        columns["dollar_volume"] = raw["close"] * raw["volume"]
    return {name: np.ascontiguousarray(values, dtype=np.float64) for name, values in columns.items()}
