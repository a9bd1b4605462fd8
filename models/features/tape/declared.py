"""The tape family: one row a minute and contract, read a quarter of an hour late as the feed is."""

import datetime as dt
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from models.features.feature import Block, Feature, FloatArray
from models.features.tape import kernels as k
from models.features.tape.window import GRACE, Minutes

LOOK_BACK = 61 + GRACE  # prices that sixty moves lie between, and when the tape must have been seen before them
ROWS = 512  # of windows at a time
STALE = dt.timedelta(hours=1)
UNIT, SIGN, BANDS, STEPS = (0.0, 1.0), (-1.0, 1.0), (-2.0, 2.0), (0.0, 3.0)
INPUTS = (
    "high", "low", "close", "volume", "turnover", "delta", "cumulative_delta", "cumulative_volume",
    "cumulative_turnover", "large_buy_volume", "large_sell_volume", "hidden_bid_volume", "hidden_ask_volume",
    "up_ticks", "down_ticks", "reversals", "session_minute",
)  # fmt: skip

# Formula, description, bounds.
Told = tuple[Callable[[Minutes], FloatArray], str, tuple[float, float] | None]

PRICE: dict[str, Told] = {
    **{f"move_{n}m": (partial(k.move, span=n), f"Last price / that of {n} minutes ago - 1.", None)
       for n in k.HORIZONS},
    **{f"volatility_{n}m": (partial(k.volatility, span=n), f"Root mean square return of {n} minutes, a minute.",
                            None) for n in (15, 60)},
    "volatility_regime_60m": (k.volatility_regime, "0 low, 1 normal, 2 high, 3 extreme: volatility of 15 minutes / of "
                              "60, at 0.75, 1.25 and 2.", STEPS),
    "bar_place": (k.bar_place, "Where the minute closed between its low (-1) and high.", SIGN),
}  # fmt: skip

HORIZONS: dict[str, tuple[str, tuple[float, float]]] = {
    "mtf_confluence": ("Moves of 1, 5, 15 and 60 minutes in units of volatility, held to -1 … 1, weighted 0.1, 0.2, "
                       "0.3, 0.4 (longer ones more in wild minutes), times mtf_agreement.", SIGN),
    "mtf_agreement": ("Share of the four horizons that went the weighted way.", UNIT),
}  # fmt: skip

VWAP: dict[str, Told] = {
    **{f"vwap_gap_{n}m": (partial(k.vwap_gap, span=n), f"Last price / VWAP of {n} minutes - 1.", None)
       for n in (5, 20, 60)},
    **{f"vwap_position_{n}m": (partial(k.vwap_position, span=n),
                               f"(last price - VWAP) / volume-weighted deviation, {n} minutes.", None)
       for n in (20, 60)},
    "vwap_band_20m": (lambda t: k.vwap_band(t, 20), "Whole deviations from the VWAP of 20 minutes, at most 2.", BANDS),
    **{f"vwap_slope_{n}m": (partial(k.vwap_slope, span=n), f"VWAP of {n} minutes / of the {n} before - 1.", None)
       for n in (5, 20)},
    "vwap_gap_session": (k.session_vwap_gap, "Last price / VWAP since the session began - 1.", None),
}  # fmt: skip

FLOW: dict[str, Told] = {
    "delta_share_1m": (lambda t: k.share_now(t, "delta", "volume"), "Delta / volume of the minute.", SIGN),
    **{f"delta_share_{n}m": (partial(Minutes.share, part="delta", whole="volume", span=n),
                             f"Delta / volume of {n} minutes.", SIGN) for n in (5, 15, 60)},
    "delta_share_session": (lambda t: k.share_now(t, "cumulative_delta", "cumulative_volume"),
                            "Delta / volume since the session began.", SIGN),
    "delta_pick_up": (k.pick_up, "delta_share of the last 5 minutes less that of the 15 before.", BANDS),
    **{f"delta_divergence_{n}m": (partial(k.delta_divergence, span=n), "(place of price in its range - place of "
                                  f"running delta in its own) / 2, {n} minutes.", SIGN) for n in (15, 60)},
    "hidden_strength_15m": (lambda t: k.hidden_strength(t, 15), "1 where price fell while buyers pressed, -1 where it "
                            "rose while sellers did, else 0.", SIGN),
    "volume_confirms_15m": (lambda t: k.volume_confirms(t, 15), "(up - down ticks) / both, positive where they went "
                            "the way of the price.", SIGN),
    "volume_surge_20m": (lambda t: k.volume_surge(t, 20), "Volume of the minute / mean of 20.", (0.0, 20.0)),
}  # fmt: skip

SMART: dict[str, Told] = {
    "large_net_share_15m": (lambda t: t.net_share("large_buy_volume", "large_sell_volume", 15),
                            "(bought - sold) in prints over 100 lots / volume.", SIGN),
    "large_balance_15m": (lambda t: t.balance("large_buy_volume", "large_sell_volume", 15),
                          "(bought - sold) / (bought + sold) in prints over 100 lots; null without such prints.", SIGN),
    "hidden_net_share_15m": (lambda t: t.net_share("hidden_bid_volume", "hidden_ask_volume", 15),
                             "(volume into hidden buyers - out of hidden sellers) / volume.", SIGN),
    "stealth_15m": (lambda t: k.stealth(t, 15), "hidden_net_share where it stands against the move, else 0.", SIGN),
}  # fmt: skip

TICKS: dict[str, Told] = {
    **{f"tick_balance_{n}m": (partial(Minutes.balance, plus="up_ticks", minus="down_ticks", span=n),
                              f"(up - down ticks) / (up + down), {n} minutes.", SIGN) for n in (5, 15)},
    "tick_persistence_5m": (lambda t: k.tick_persistence(t, 5), "1 - 2 * reversals / ticks: 1 where each went on, -1 "
                            "where each turned back.", SIGN),
    "tick_reversal": (k.tick_reversal, "1 where the last 5 minutes turned the fall of the 10 before, both beyond a "
                      "minute's volatility and the ticks agreeing; -1 of a rise; else 0.", SIGN),
}  # fmt: skip

CLOCK: dict[str, Told] = {
    "session_progress": (lambda t: t.now("session_minute") / k.SESSION_MINUTES,
                         "Share of the session's 23 hours that is over.", UNIT),
    "newyork_open": (k.newyork_open, "1 while New York's stock market trades, else 0.", UNIT),
}

FORMULAS: dict[str, Told] = {**PRICE, **VWAP, **FLOW, **SMART, **TICKS, **CLOCK}


def _rows(windows: dict[str, FloatArray]) -> dict[str, FloatArray]:
    tape = Minutes(windows)
    told = {name: formula(tape) for name, (formula, _, _) in FORMULAS.items()}
    vote, agreeing = k.votes(tape)
    return {**told, "mtf_confluence": k.confluence(vote, agreeing), "mtf_agreement": agreeing}


def fill(into: dict[str, FloatArray], **columns: FloatArray) -> None:
    """All minutes that have the look-back; nothing is said of one without a bar."""
    count = len(columns["close"]) - LOOK_BACK + 1
    for first in range(0, count, ROWS):
        last = min(first + ROWS, count)
        if count == 1:  # a tail: the one window needs no sliding
            windows = {name: np.ascontiguousarray(column.T)[None] for name, column in columns.items()}
        else:
            windows = {name: np.ascontiguousarray(sliding_window_view(column[first : last + LOOK_BACK - 1], LOOK_BACK,
                                                                      axis=0)) for name, column in columns.items()}
        bar = np.isfinite(windows["close"][..., -1])
        for name, values in _rows(windows).items():
            into[name][first:last] = values if bar.all() else np.where(bar, values, np.nan)


_DESCRIBED = {**{name: told[1:] for name, told in FORMULAS.items()}, **HORIZONS}
BLOCK = Block(tuple(_DESCRIBED), fill)

FEATURES = tuple(
    Feature(name, "tape", "instrument", INPUTS, LOOK_BACK, BLOCK, description, bounds=bounds, staleness=STALE)
    for name, (description, bounds) in _DESCRIBED.items()
)
