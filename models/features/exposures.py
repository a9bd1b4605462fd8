"""What moves a name besides itself: trailing exposures to the market, size, momentum, volatility and reversal.

The market is the plain mean of all names. Size is what trades, as no mart knows shares outstanding.
"""

import math

import numpy as np

from models.features import cross, equity
from models.features.feature import Block, Feature, FloatArray, Kernel
from models.features.portable import log
from models.features.statistical.moves import Moves
from models.features.technical.trend import momentum_skipping_a_month
from models.features.window import centred, mean, positive, total

YEAR = 253


def _fill(close_tr: FloatArray, *, into: dict[str, FloatArray]) -> None:
    """Regressions on the market over a year, and the week that they leave unexplained."""
    moves = Moves(close_tr, YEAR, plain=True)
    market = cross.steady_mean(close_tr[1:] / close_tr[:-1] - 1.0)  # of the names that traded on both sessions
    around = centred(moves.windows(moves.returns, YEAR - 1))
    common = centred(moves.windows(np.where(np.isfinite(market), market, 0.0), YEAR - 1))
    size = positive(total(common * common))
    beta = moves.told(total(around * common) / size)
    into["beta_252"][...] = beta
    left = np.sqrt(mean((around - beta[..., None] * common) ** 2) * equity.YEAR_SESSIONS)
    into["residual_vol_252"][...] = left
    shared = beta * np.sqrt(size) / positive(np.sqrt(total(around * around)))
    into["market_corr_252"][...] = np.clip(shared, -1.0, 1.0)  # rounding alone can pass one
    into["exposure_beta"][...] = cross.score(beta)
    week = close_tr[YEAR - 1 :] / close_tr[YEAR - 6 : -5] - 1.0
    into["beta_resid_ret_5"][...] = week - beta * cross.steady_mean(week)


BETA = Block(
    ("beta_252", "residual_vol_252", "market_corr_252", "exposure_beta", "beta_resid_ret_5"), _fill, together=True
)  # fmt: skip


def size_score(dollar_volume: FloatArray) -> FloatArray:
    return cross.score(log(mean(dollar_volume)))


def momentum_score(close_tr: FloatArray) -> FloatArray:
    return cross.score(momentum_skipping_a_month(close_tr))


def volatility_score(close_tr: FloatArray) -> FloatArray:
    return cross.score(log(equity.realised_volatility(close_tr)))


def reversal_score(close_tr: FloatArray) -> FloatArray:
    return cross.score(-equity.total_return(close_tr))


def _declare(name: str, look_back: int, kernel: Kernel | Block, column: str, description: str,
             most: float = math.inf) -> Feature:
    return Feature(name, "exposure", "instrument", (column,), look_back, kernel, description, cells="equity",
                   bounds=(-most, most) if math.isfinite(most) else None)


SCORED = "less its mean over the names of the session, / their deviation, cut at 3."
FEATURES = (
    _declare("beta_252", YEAR, BETA, "close_tr",
             "Covariance with the mean return of all names / its variance, 252 sessions."),
    _declare("residual_vol_252", YEAR, BETA, "close_tr",
             "sqrt(252 * mean squared return that beta_252 leaves)."),
    _declare("market_corr_252", YEAR, BETA, "close_tr",
             "Correlation with the mean return of all names, 252 sessions.", 1.0),
    _declare("exposure_beta", YEAR, BETA, "close_tr", f"beta_252 {SCORED}", 3.0),
    _declare("exposure_size", 60, size_score, "dollar_volume", f"log(mean dollar volume of 60 sessions) {SCORED}", 3.0),
    _declare("exposure_momentum", YEAR, momentum_score, "close_tr", f"mom_252_21 {SCORED}", 3.0),
    _declare("exposure_volatility", 61, volatility_score, "close_tr", f"log(rv_60) {SCORED}", 3.0),
    _declare("exposure_reversal", 21, reversal_score, "close_tr", f"-ret_20 {SCORED}", 3.0),
)
