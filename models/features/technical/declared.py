"""The technical family: one declaration a feature, on total-return prices unless it says otherwise.

The look-backs of recursive indicators leave little of what lies before them. Of Wilder's 14, (13/14)**160 = 7e-6 of
the state (ADX, which smooths twice: 9e-5); of MACD's 26, (25/27)**160 = 4e-6; of the exponential variance, 0.94**160 =
5e-5; of the adaptive RSI, (13/14)**200 = 4e-7 at its usual pace and (27/28)**200 = 7e-4 at its slowest.
"""

from models.features import equity
from models.features.feature import Block, Feature, Kernel
from models.features.technical import oscillators, ranges, trend, volumes
from models.features.technical.recursive import ADAPTIVE, ADAPTIVE_RSI, DIRECTIONAL, OF_CLOSES, STATE

HLC = "high_tr low_tr close_tr"
UNIT, SIGN, PERCENT = (0.0, 1.0), (-1.0, 1.0), (0.0, 100.0)


def _declare(name: str, look_back: int, kernel: Kernel | Block, inputs: str, description: str,
             bounds: tuple[float, float] | None = None, version: int = 1) -> Feature:
    return Feature(
        name=name, family="technical", entity="instrument", inputs=tuple(inputs.split()), look_back=look_back,
        kernel=kernel, description=description, bounds=bounds, version=version, cells="equity",
    )


TREND = (
    _declare("mom_10", 11, equity.total_return, "close_tr", "close / close 10 sessions ago - 1."),
    _declare("mom_60", 61, equity.total_return, "close_tr", "close / close 60 sessions ago - 1."),
    _declare("mom_120", 121, equity.total_return, "close_tr", "close / close 120 sessions ago - 1."),
    _declare("mom_252_21", 253, trend.momentum_skipping_a_month, "close_tr",
             "close 21 sessions ago / close 252 sessions ago - 1: a year without its last month."),
    _declare("vam_60", 61, equity.volatility_adjusted_momentum, "close_tr",
             "mom_60 / (standard deviation of its daily returns * sqrt(60))."),
    _declare("vam_decay", 61, trend.decayed_momentum, "close_tr",
             "Mean over n = 5, 10, 20, 60 of (sum w_i r_i / sum w_i) / deviation of the n returns, w = exp(-0.1 age)."),
    _declare("vam_decay", 61, trend.DECAYED_LOGS, "close_tr", "The same of log returns.", version=2),
    _declare("sma_gap_50", 50, trend.average_gap, "close_tr", "close / mean of 50 closes - 1."),
    _declare("sma_gap_200", 200, trend.average_gap, "close_tr", "close / mean of 200 closes - 1."),
    _declare("drawdown_252", 252, trend.drawdown, "close_tr", "close / highest of 252 closes - 1.", (-1.0, 0.0)),
    _declare("listed_252", 252, trend.listed, "close_tr", "Sessions since the first bar, today included; 252 at most.",
             (1.0, 252.0)),
    _declare("macd", STATE, OF_CLOSES, "close_tr", "(EMA of 12 - EMA of 26) / close."),
    _declare("macd_signal", STATE, OF_CLOSES, "close_tr", "EMA of 9 of (EMA of 12 - EMA of 26), / close."),
    _declare("macd_histogram", STATE, OF_CLOSES, "close_tr", "macd - macd_signal."),
    _declare("plus_di_14", STATE, DIRECTIONAL, HLC, "100 * Wilder's mean of upward moves / of true range.", PERCENT),
    _declare("minus_di_14", STATE, DIRECTIONAL, HLC, "100 * Wilder's mean of downward moves / of true range.",
             PERCENT),
    _declare("adx_14", STATE, DIRECTIONAL, HLC, "Wilder's mean of 100 * |+DI - -DI| / (+DI + -DI), 14 sessions.",
             PERCENT),
    _declare("trend_strong", STATE, DIRECTIONAL, HLC, "1 where adx_14 > 25, else 0.", UNIT),
)

OSCILLATORS = (
    _declare("rsi", STATE, OF_CLOSES, "close_tr",
             "100 * gains / (gains + losses), Wilder's means of 14 changes.", PERCENT),
    _declare("rsi", ADAPTIVE, ADAPTIVE_RSI, "close_tr",
             "rsi of returns of a period clip(14 * EMA60(|r|) / EMA10(|r|), 7, 28), shorter in fast markets.",
             PERCENT, version=2),
    _declare("rsi_overbought", STATE, OF_CLOSES, "close_tr", "1 where rsi of 14 > 70, else 0.", UNIT),
    _declare("rsi_oversold", STATE, OF_CLOSES, "close_tr", "1 where rsi of 14 < 30, else 0.", UNIT),
    _declare("bollinger_position", 20, oscillators.bollinger_position, "close_tr",
             "(close - mean) / (2 * deviation) of 20 closes: 1 on the upper band, -1 on the lower."),
    _declare("bollinger_width", 20, oscillators.bollinger_width, "close_tr", "4 * deviation / mean of 20 closes."),
    _declare("bollinger_break", 20, oscillators.bollinger_break, "close_tr",
             "1 above the upper band, -1 below the lower, else 0.", SIGN),
    _declare("stochastic_14", 14, oscillators.stochastic, HLC,
             "100 * (close - lowest low) / (highest high - lowest low) of 14 sessions.", PERCENT),
    _declare("zscore_60", 60, equity.zscore, "close_tr", "(close - mean) / standard deviation of 60 closes."),
)

RANGES = (
    _declare("atr_wilder_14", STATE, DIRECTIONAL, HLC, "Wilder's mean of 14 true ranges / close."),
    _declare("rv_5", 6, equity.realised_volatility, "close_tr", "sqrt(252 * mean squared daily return of 5 sessions)."),
    _declare("rv_60", 61, equity.realised_volatility, "close_tr",
             "sqrt(252 * mean squared daily return of 60 sessions)."),
    _declare("ewma_vol", STATE, OF_CLOSES, "close_tr",
             "sqrt(252 * exponential mean of squared returns, 0.94 a session)."),
    _declare("parkinson_20", 20, ranges.parkinson_volatility, "high low",
             "sqrt(252 * mean log(high / low)^2 / (4 log 2)) of 20 raw bars."),
    _declare("garman_klass_20", 20, ranges.garman_klass_volatility, "open high low close",
             "sqrt(252 * mean(log(high / low)^2 / 2 - (2 log 2 - 1) log(close / open)^2)) of 20 raw bars."),
    _declare("downside_vol_60", 61, ranges.downside_volatility, "close_tr",
             "sqrt(252 * mean squared negative return of 60 sessions)."),
    _declare("vol_ratio_5_60", 61, ranges.volatility_ratio, "close_tr", "rv_5 / rv_60."),
    _declare("vol_regime", 273, ranges.volatility_regime, "close_tr",
             "1 where 20-session volatility is over its 252-session mean by half a deviation, -1 where under, else 0.",
             SIGN),
    *(_declare(f"norm_ret_{lag}", STATE, OF_CLOSES, "close_tr",
               f"Return of {lag} sessions ago / the daily ewma_vol known before it.") for lag in range(5)),
)

VOLUMES = (
    _declare("mfi_14", 15, volumes.money_flow, f"{HLC} volume_split",
             "100 * up / (up + down) money flow, typical price * volume, of 14 sessions.", PERCENT),
    _declare("chaikin_flow_20", 20, volumes.chaikin_flow, "high low close volume_split",
             "Sum of close location * volume / sum of volume, 20 sessions.", SIGN),
    _declare("signed_volume_20", 21, volumes.signed_volume_share, "close_tr volume_split",
             "Volume of rises less that of falls / volume, 20 sessions.", SIGN),
    _declare("volume_ratio_5_60", 60, volumes.volume_ratio, "volume_split", "Mean volume of 5 sessions / of 60."),
    _declare("illiquidity_20", 21, volumes.illiquidity, "close_tr dollar_volume",
             "Mean |return| in basis points a million dollars traded, 20 sessions."),
)

FEATURES = (*TREND, *OSCILLATORS, *RANGES, *VOLUMES)
