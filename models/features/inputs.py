"""Columns that kernels read, derived element by element from the raw columns of the marts."""

import numpy as np
from numpy.typing import NDArray

from models.features.feature import FloatArray

FITTED = ("garch_alpha", "garch_beta", "garch_variance")  # by the night: live holds the last ones

# Raw columns of each panel of cells, in the marts' own names. `equity` is what live sees for itself: it stays small.
RAW: dict[str, tuple[str, ...]] = {
    "equity": ("open", "high", "low", "close", "volume", "split_factor", "total_return_factor"),
    "garch": ("close", "total_return_factor", *FITTED),
    "calendar": ("session_day",),  # days since 1970, where the name has a bar
    "options": ("put_call_ratio", "share_0dte", "gamma_exposure", "iv30"),
    "futures": ("last_price", "poc", "delta", "total_volume"),
    "graph": ("close_tr", "week"),
    "positioning": (
        "spot", "call_volume", "put_volume", "share_0dte", "put_call_ratio", "put_call_oi_ratio", "gamma_flip",
        "gamma_exposure", "dealer_side", "pin_1", "pin_2", "pin_3", "pin_share", "gamma_calls", "gamma_puts",
        "gamma_by_volume", "gamma_0dte", "iv30", "iv_9d", "iv_93d", "skew_25d",
    ),
    "sentiment": ("vix", "vix9d", "vix3m", "vvix", "total_put_call", "index_put_call", "equity_put_call"),
    "auction": (
        "open", "high", "low", "close", "vwap", "vwap_deviation", "total_volume", "delta", "delta_high", "delta_low",
        "poc", "vah", "val", "ppoc", "pvah", "pval", "gap_share", "accumulation_volume", "distribution_volume",
        "institutional_price", "institutional_volume", "block_volume", "large_buy_volume", "large_sell_volume",
        "hidden_bid_volume", "hidden_ask_volume", "up_ticks", "down_ticks", "reversals",
        *(f"{part}_{figure}" for part in ("asia", "london", "newyork", "overlap")
          for figure in ("volume", "range", "move")),
    ),
    "tape": (
        "high", "low", "close", "volume", "turnover", "delta", "cumulative_delta", "cumulative_volume",
        "cumulative_turnover", "large_buy_volume", "large_sell_volume", "hidden_bid_volume", "hidden_ask_volume",
        "up_ticks", "down_ticks", "reversals", "session_minute",
    ),
}  # fmt: skip


def derive(cells: str, raw: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Raw columns and what follows from each bar alone. Forward factors: no later action changes an earlier bar."""
    columns = dict(raw)
    if cells == "equity":
        factor = raw["total_return_factor"]
        for name in ("open", "high", "low", "close"):
            columns[f"{name}_tr"] = raw[name] * factor
        # The usual stand-in: daily bars come without a volume-weighted price.
        columns["vwap_tr"] = (columns["high_tr"] + columns["low_tr"] + columns["close_tr"]) / 3.0
        columns["volume_split"] = raw["volume"] / raw["split_factor"]
        columns["dollar_volume"] = raw["close"] * raw["volume"]
    if cells == "garch":
        columns["close_tr"] = raw["close"] * raw["total_return_factor"]
    return {name: np.ascontiguousarray(values, dtype=np.float64) for name, values in columns.items()}


OF_BARS = ("equity", "calendar", "garch")  # panels of daily bars, and what was fitted to them: live sees them itself


def of_bars(cells: str, raw: dict[str, FloatArray], sessions: NDArray[np.datetime64]) -> dict[str, FloatArray]:
    """The columns of one of these panels from raw daily bars."""
    if cells == "equity":
        return derive(cells, raw)
    if cells == "garch":
        return derive(cells, {name: raw[name] for name in RAW[cells]})
    days = sessions.astype("datetime64[D]").astype(np.float64)[:, None]
    return derive(cells, {"session_day": np.where(np.isfinite(raw["close"]), days, np.nan)})
