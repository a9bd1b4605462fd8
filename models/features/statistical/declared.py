"""The statistical family: one declaration a feature. A session without a bar is one without a move."""

from models.features.feature import Block, Feature, Kernel
from models.features.statistical import hurst, shape
from models.features.statistical.shape import LONG, LONG_BLOCK, SHORT, SHORT_BLOCK


def _declare(name: str, look_back: int, kernel: Kernel | Block, description: str,
             bounds: tuple[float, float] | None = None) -> Feature:
    return Feature(
        name=name, family="statistical", entity="instrument", inputs=("close_tr",), look_back=look_back,
        kernel=kernel, description=description, bounds=bounds, cells="equity",
    )


CORRELATION = (-1.0, 1.0)
FEATURES = (
    _declare("log_ret_1", 2, shape.log_return, "log(close / previous close)."),
    _declare("log_ret_5", 6, shape.log_return, "log(close / close 5 sessions ago)."),
    _declare("fracdiff_04", len(shape.WEIGHTS), shape.FRACTIONAL,
             f"Fractional difference of order 0.4 of log(close / oldest close), {len(shape.WEIGHTS)} weights."),
    _declare("autocorr_1_60", SHORT, SHORT_BLOCK, "Autocorrelation of 60 log returns at lag 1.", CORRELATION),
    _declare("autocorr_5_120", LONG, LONG_BLOCK, "Autocorrelation of 120 log returns at lag 5.",
             CORRELATION),
    _declare("autocorr_abs_120", LONG, LONG_BLOCK,
             "Autocorrelation of 120 absolute log returns at lag 1: how volatility clusters.", CORRELATION),
    _declare("skew_60", SHORT, SHORT_BLOCK, "Third central moment of 60 log returns / deviation^3."),
    _declare("kurtosis_60", SHORT, SHORT_BLOCK, "Fourth central moment of 60 log returns / deviation^4 - 3."),
    _declare("variance_ratio_5", LONG, LONG_BLOCK,
             "Variance of 5-session log returns / (5 * that of 1), Lo and MacKinlay, 120 sessions."),
    _declare("hurst_256", hurst.RETURNS + 1, hurst.HURST,
             "0.5 + slope over log n of log(R/S(n) / its expectation), n = 8 to 128, 256 log returns."),
)
