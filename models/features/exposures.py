"""What moves a name besides itself: trailing exposures to the market, size, momentum, volatility and reversal.

The market is the plain mean of all names. Size is what trades, as no mart knows shares outstanding.
"""

import math

import numpy as np

from models.features import cross, equity
from models.features.feature import Feature, FloatArray, Kernel
from models.features.portable import log
from models.features.technical.trend import momentum_skipping_a_month
from models.features.window import centred, held, mean, positive, returns, total

YEAR = 253


def _with_market(close_tr: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centred returns of each name, of the market, and the slope of one on the other."""
    moves = returns(held(close_tr))
    market = centred(np.ascontiguousarray(cross.steady_mean(moves)))
    moves = centred(moves)
    return moves, market, total(moves * market) / positive(total(market * market))


def beta(close_tr: FloatArray) -> FloatArray:
    return _with_market(close_tr)[2]


def residual_volatility(close_tr: FloatArray) -> FloatArray:
    moves, market, slope = _with_market(close_tr)
    return np.sqrt(mean((moves - slope[..., None] * market) ** 2) * equity.YEAR_SESSIONS)


def market_correlation(close_tr: FloatArray) -> FloatArray:
    moves, market, slope = _with_market(close_tr)
    share = slope * np.sqrt(total(market * market)) / positive(np.sqrt(total(moves * moves)))
    return np.clip(share, -1.0, 1.0)  # rounding alone can pass one


def beta_score(close_tr: FloatArray) -> FloatArray:
    return cross.score(beta(close_tr))


def size_score(dollar_volume: FloatArray) -> FloatArray:
    return cross.score(log(mean(dollar_volume)))


def momentum_score(close_tr: FloatArray) -> FloatArray:
    return cross.score(momentum_skipping_a_month(close_tr))


def volatility_score(close_tr: FloatArray) -> FloatArray:
    return cross.score(log(equity.realised_volatility(close_tr)))


def reversal_score(close_tr: FloatArray) -> FloatArray:
    return cross.score(-equity.total_return(close_tr))


def _declare(name: str, look_back: int, kernel: Kernel, column: str, description: str,
             most: float = math.inf) -> Feature:
    return Feature(name, "exposure", "instrument", (column,), look_back, kernel, description, cells="equity",
                   bounds=(-most, most) if math.isfinite(most) else None)


SCORED = "less its mean over the names of the session, / their deviation, cut at 3."
FEATURES = (
    _declare("beta_252", YEAR, beta, "close_tr",
             "Covariance with the mean return of all names / its variance, 252 sessions."),
    _declare("residual_vol_252", YEAR, residual_volatility, "close_tr",
             "sqrt(252 * mean squared return that beta_252 leaves)."),
    _declare("market_corr_252", YEAR, market_correlation, "close_tr",
             "Correlation with the mean return of all names, 252 sessions.", 1.0),
    _declare("exposure_beta", YEAR, beta_score, "close_tr", f"beta_252 {SCORED}", 3.0),
    _declare("exposure_size", 60, size_score, "dollar_volume", f"log(mean dollar volume of 60 sessions) {SCORED}", 3.0),
    _declare("exposure_momentum", YEAR, momentum_score, "close_tr", f"mom_252_21 {SCORED}", 3.0),
    _declare("exposure_volatility", 61, volatility_score, "close_tr", f"log(rv_60) {SCORED}", 3.0),
    _declare("exposure_reversal", 21, reversal_score, "close_tr", f"-ret_20 {SCORED}", 3.0),
)
