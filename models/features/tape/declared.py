"""The tape family: one row a minute and contract, read a quarter of an hour late as the feed is."""

import datetime as dt

from models.features.feature import Feature, Kernel
from models.features.tape import kernels as k

UNIT, SIGN, BANDS, STEPS = (0.0, 1.0), (-1.0, 1.0), (-2.0, 2.0), (0.0, 3.0)
HOUR = 61  # prices that sixty moves lie between
STALE = dt.timedelta(hours=1)
WEIGHED = "close turnover volume"


def _declare(name: str, minutes: int, kernel: Kernel, inputs: str, description: str,
             bounds: tuple[float, float] | None = None) -> Feature:  # fmt: skip
    """`minutes` are those that its window holds; one that is of more than this minute begins a grace earlier."""
    look_back = minutes if minutes == 1 else minutes + k.GRACE
    return Feature(name, "tape", "instrument", tuple(inputs.split()), look_back, kernel, description, bounds=bounds,
                   staleness=STALE)  # fmt: skip


PRICE = (
    *(_declare(f"move_{span}m", span + 1, k.move, "close", f"Last price / that of {span} minutes ago - 1.")
      for span in k.HORIZONS),
    *(_declare(f"volatility_{span}m", span + 1, k.volatility, "close",
               f"Root mean square return of {span} minutes, a minute.") for span in (15, 60)),
    _declare("volatility_regime_60m", HOUR, k.volatility_regime, "close",
             "0 low, 1 normal, 2 high, 3 extreme: volatility of 15 minutes / of 60, at 0.75, 1.25 and 2.", STEPS),
    _declare("bar_place", 1, k.bar_place, "close high low", "Where the minute closed between its low (-1) and high.",
             SIGN),
    _declare("mtf_confluence", HOUR, k.confluence, "close",
             "Moves of 1, 5, 15 and 60 minutes in units of volatility, held to -1 … 1, weighted 0.1, 0.2, 0.3, 0.4 "
             "(longer ones more in wild minutes), times mtf_agreement.", SIGN),
    _declare("mtf_agreement", HOUR, k.agreement, "close", "Share of the four horizons that went the weighted way.",
             UNIT),
)  # fmt: skip

VWAP = (
    *(_declare(f"vwap_gap_{span}m", span, k.vwap_gap, WEIGHED, f"Last price / VWAP of {span} minutes - 1.")
      for span in (5, 20, 60)),
    *(_declare(f"vwap_position_{span}m", span, k.vwap_position, WEIGHED,
               f"(last price - VWAP) / volume-weighted deviation, {span} minutes.") for span in (20, 60)),
    _declare("vwap_band_20m", 20, k.vwap_band, WEIGHED, "Whole deviations from the VWAP of 20 minutes, at most 2.",
             BANDS),
    *(_declare(f"vwap_slope_{span}m", 2 * span, k.vwap_slope, WEIGHED,
               f"VWAP of {span} minutes / of the {span} before - 1.") for span in (5, 20)),
    _declare("vwap_gap_session", 1, k.session_vwap_gap, "close cumulative_turnover cumulative_volume",
             "Last price / VWAP since the session began - 1."),
)  # fmt: skip

FLOW = (
    _declare("delta_share_1m", 1, k.share_now("delta", "volume"), "delta volume", "Delta / volume of the minute.",
             SIGN),
    *(_declare(f"delta_share_{span}m", span, k.share("delta", "volume"), "delta volume",
               f"Delta / volume of {span} minutes.", SIGN) for span in (5, 15, 60)),
    _declare("delta_share_session", 1, k.share_now("cumulative_delta", "cumulative_volume"),
             "cumulative_delta cumulative_volume", "Delta / volume since the session began.", SIGN),
    _declare("delta_pick_up", 20, k.pick_up("delta", "volume", 5), "delta volume",
             "delta_share of the last 5 minutes less that of the 15 before.", BANDS),
    *(_declare(f"delta_divergence_{span}m", span + 1, k.delta_divergence, "close delta",
               f"(place of price in its range - place of running delta in its own) / 2, {span} minutes.", SIGN)
      for span in (15, 60)),
    _declare("hidden_strength_15m", 16, k.hidden_strength, "close delta",
             "1 where price fell while buyers pressed, -1 where it rose while sellers did, else 0.", SIGN),
    _declare("volume_confirms_15m", 16, k.volume_confirms, "close up_ticks down_ticks",
             "(up - down ticks) / both, positive where they went the way of the price.", SIGN),
    _declare("volume_surge_20m", 20, k.volume_surge, "volume", "Volume of the minute / mean of 20.", (0.0, 20.0)),
)  # fmt: skip

SMART = (
    _declare("large_net_share_15m", 15, k.net_share("large_buy_volume", "large_sell_volume"),
             "large_buy_volume large_sell_volume volume", "(bought - sold) in prints over 100 lots / volume.", SIGN),
    _declare("large_balance_15m", 15, k.balance("large_buy_volume", "large_sell_volume"),
             "large_buy_volume large_sell_volume",
             "(bought - sold) / (bought + sold) in prints over 100 lots; null without such prints.", SIGN),
    _declare("hidden_net_share_15m", 15, k.net_share("hidden_bid_volume", "hidden_ask_volume"),
             "hidden_bid_volume hidden_ask_volume volume",
             "(volume into hidden buyers - out of hidden sellers) / volume.", SIGN),
    _declare("stealth_15m", 16, k.stealth, "close hidden_bid_volume hidden_ask_volume volume",
             "hidden_net_share where it stands against the move, else 0.", SIGN),
)

TICKS = (
    *(_declare(f"tick_balance_{span}m", span, k.balance("up_ticks", "down_ticks"), "up_ticks down_ticks",
               f"(up - down ticks) / (up + down), {span} minutes.", SIGN) for span in (5, 15)),
    _declare("tick_persistence_5m", 5, k.tick_persistence, "up_ticks down_ticks reversals",
             "1 - 2 * reversals / ticks: 1 where each went on, -1 where each turned back.", SIGN),
    _declare("tick_reversal", 16, k.tick_reversal, "close up_ticks down_ticks",
             "1 where the last 5 minutes turned the fall of the 10 before, both beyond a minute's volatility and the "
             "ticks agreeing; -1 of a rise; else 0.", SIGN),
)  # fmt: skip

CLOCK = (
    _declare("session_progress", 1, k.progress, "session_minute", "Share of the session's 23 hours that is over.",
             UNIT),
    _declare("newyork_open", 1, k.newyork_open, "session_minute", "1 while New York's stock market trades, else 0.",
             UNIT),
)

FEATURES: tuple[Feature, ...] = (*PRICE, *VWAP, *FLOW, *SMART, *TICKS, *CLOCK)
