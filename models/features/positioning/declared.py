"""The families positioning (a chain's own figures) and sentiment (indices of fear, and what was traded at Cboe)."""

from functools import partial

from models.features.feature import Feature, Kernel
from models.features.positioning import kernels as k
from models.features.session_value import balance, latest

UNIT, SIGN, STEPS = (0.0, 1.0), (-1.0, 1.0), (0.0, 3.0)
MONTH, YEAR = 20, 252


def _declare(family: str, name: str, look_back: int, kernel: Kernel, inputs: str, description: str,
             bounds: tuple[float, float] | None = None) -> Feature:  # fmt: skip
    return Feature(name, family, "underlying", tuple(inputs.split()), look_back, kernel, description, bounds=bounds)


_chain, _mood = partial(_declare, "positioning"), partial(_declare, "sentiment")


VOLUME = (
    _chain("put_call_balance", 1, balance("put_volume", "call_volume"), "put_volume call_volume",
           "(put - call) / (put + call) volume of the session.", SIGN),
    _chain("put_call_oi", 1, latest, "put_call_oi_ratio", "Put / call open interest."),
    _chain("put_call_crowd", 1, k.crowd, "put_call_ratio", "1 where put/call volume < 0.8, -1 where > 1.2, else 0.",
           SIGN),
    _chain("put_call_z_20", MONTH, k.zscore, "put_call_ratio", "(put/call ratio - mean) / deviation of 20 sessions."),
    _chain("zero_dte_change_5", 6, k.change, "share_0dte", "Share of same-day expiries less that of 5 sessions ago.",
           SIGN),
    _chain("zero_dte_z_20", MONTH, k.zscore, "share_0dte",
           "(share of same-day expiries - mean) / deviation of 20 sessions."),
)

GAMMA = (
    _chain("gamma_balance", 1, balance("gamma_calls", "gamma_puts"), "gamma_calls gamma_puts",
           "(calls' - puts') / (calls' + puts') gamma: which way, and how one-sidedly, dealers must hedge.", SIGN),
    _chain("gamma_gross_bn", 1, k.gross_gamma, "gamma_calls gamma_puts",
           "Calls' + puts' gamma, billion currency per 1 % move: every position counted as one that hedges."),
    _chain("gamma_flow_bn", 1, k.billions, "gamma_by_volume",
           "Calls' - puts' gamma weighted by the session's volume, billion currency per 1 % move."),
    _chain("gamma_0dte_share", 1, k.same_day_gamma, "gamma_0dte gamma_calls gamma_puts",
           "Net gamma that expires this session / gross gamma; null where those contracts have none any more.", SIGN),
    _chain("gamma_per_point_mn", 1, k.gamma_per_point, "gamma_exposure spot",
           "Net gamma, million currency per point of the underlying."),
    _chain("gamma_z_20", MONTH, k.zscore, "gamma_exposure", "(net gamma - mean) / deviation of 20 sessions."),
    _chain("gamma_flip_distance", 1, k.relative("spot", "gamma_flip"), "spot gamma_flip",
           "Spot / the level at which net gamma changes sign - 1; null where it does not within 25 %."),
    _chain("above_gamma_flip", 1, k.above_flip, "spot gamma_flip", "1 where the spot is above its gamma flip, else 0.",
           UNIT),
    _chain("dealer_side", 1, latest, "dealer_side", "1 where dealers are long gamma, -1 short, 0 neither.", SIGN),
)

PINS = (
    *(
        _chain(f"pin_{n}_distance", 1, k.relative(f"pin_{n}", "spot"), f"pin_{n} spot",
               f"Strike number {n} by gamma × open interest / spot - 1.")
        for n in (1, 2, 3)
    ),
    _chain("pin_nearest", 1, k.nearest_pin, "pin_1 pin_2 pin_3 spot", "Distance to the nearest pin, either way."),
    _chain("pin_share", 1, latest, "pin_share", "Share of gamma × open interest at the first pin.", UNIT),
    _chain("pinned", 1, k.pinned, "pin_1 spot gamma_exposure",
           "1 where dealers are long gamma and the first pin is within 0.5 %, else 0.", UNIT),
)  # fmt: skip

VOLATILITY = (
    _chain("iv_rank_20", MONTH, k.rank, "iv30", "(iv30 - lowest) / (highest - lowest) of 20 sessions.", UNIT),
    _chain("iv_rank_252", YEAR, k.rank, "iv30", "(iv30 - lowest) / (highest - lowest) of 252 sessions.", UNIT),
    _chain("iv_percentile_252", YEAR, k.percentile, "iv30", "Share of the 251 sessions before with a lower iv30.",
           UNIT),
    _chain("iv_change_5", 6, k.change, "iv30", "iv30 less that of 5 sessions ago."),
    _chain("iv_regime", MONTH, k.quartile_regime, "iv30",
           "0 low, 1 normal, 2 high, 3 extreme: iv30 at 25, 75 and 95 % of 20 sessions.", STEPS),
    _chain("iv_less_realised_20", MONTH + 1, k.less_realised, "iv30 spot",
           "iv30 less the spot's own volatility of 20 sessions."),
    _chain("iv_term_short", 1, k.relative("iv_9d", "iv30"), "iv_9d iv30",
           "Volatility of 9 days / of 30 days - 1; above 0 the near is dear."),
    _chain("iv_term_long", 1, k.relative("iv30", "iv_93d"), "iv30 iv_93d",
           "Volatility of 30 days / of 93 days - 1; null where nothing is listed beyond."),
    _chain("skew_25d", 1, latest, "skew_25d", "Volatility of the 25-delta put less that of the call."),
    _chain("skew_share", 1, k.skew_share, "skew_25d iv30", "skew_25d / iv30."),
    _chain("skew_change_5", 6, k.change, "skew_25d", "skew_25d less that of 5 sessions ago."),
)

SENTIMENT = (
    _mood("vix", 1, latest, "vix", "VIX at its close, points."),
    _mood("vix_regime", 1, k.fear_regime, "vix", "0 low (< 15), 1 normal (< 20), 2 high (< 30), 3 extreme.", STEPS),
    _mood("vix_regime_adaptive", YEAR, k.quartile_regime, "vix",
          "0 low, 1 normal, 2 high, 3 extreme: VIX at 25, 75 and 95 % of 252 sessions.", STEPS),
    _mood("vix_rank_252", YEAR, k.rank, "vix", "(VIX - lowest) / (highest - lowest) of 252 sessions.", UNIT),
    _mood("vix_change_5", 6, k.change, "vix", "VIX less that of 5 sessions ago."),
    _mood("vix_z_20", MONTH, k.zscore, "vix", "(VIX - mean) / deviation of 20 sessions."),
    _mood("vix_term", 1, k.relative("vix", "vix3m"), "vix vix3m", "VIX / VIX3M - 1; above 0 the near is dear."),
    _mood("vix_term_short", 1, k.relative("vix9d", "vix"), "vix9d vix", "VIX9D / VIX - 1."),
    _mood("vvix", 1, latest, "vvix", "Volatility of VIX itself, points."),
    _mood("total_put_call", 1, latest, "total_put_call", "Put / call volume of everything traded at Cboe."),
    _mood("index_put_call", 1, latest, "index_put_call", "Put / call volume of index options at Cboe."),
    _mood("equity_put_call", 1, latest, "equity_put_call", "Put / call volume of equity options at Cboe."),
    _mood("total_put_call_z_20", MONTH, k.zscore, "total_put_call",
          "(total put/call - mean) / deviation of 20 sessions."),
)

FEATURES: tuple[Feature, ...] = (*VOLUME, *GAMMA, *PINS, *VOLATILITY, *SENTIMENT)
