"""What kind of series a price is: its memory, its tails, and a stationary form that keeps most of the memory."""

import numpy as np

from models.features.feature import Block, FloatArray
from models.features.portable import log
from models.features.statistical.moves import Moves
from models.features.window import centred, mean, positive, total
from models.fractional import difference_weights

ORDER, THRESHOLD = 0.4, 1e-3  # fixed by convention: fitted to nothing
WEIGHTS = difference_weights(ORDER, THRESHOLD)  # newest first
SHORT, LONG = 61, 121
VARIANCE_REACH = 5


def log_return(close_tr: FloatArray) -> FloatArray:
    return log(close_tr[..., -1] / close_tr[..., 0])


def _fractional(close_tr: FloatArray, *, into: dict[str, FloatArray]) -> None:
    """Of the log price measured from the window's first, so that no factor and no price level has a say."""
    moves = Moves(close_tr, len(WEIGHTS))
    levels = moves.windows(moves.prices, len(WEIGHTS))
    moves.tell(into["fracdiff_04"], total((levels - levels[..., :1]) * WEIGHTS[::-1]))


def _autocorrelation(around: FloatArray, lag: int) -> FloatArray:
    return total(around[..., lag:] * around[..., :-lag]) / positive(total(around * around))


def _short(close_tr: FloatArray, *, into: dict[str, FloatArray]) -> None:
    moves = Moves(close_tr, SHORT)
    around = centred(moves.windows(moves.returns, SHORT - 1))
    squares = around * around
    spread = positive(mean(squares))
    moves.tell(into["autocorr_1_60"], _autocorrelation(around, 1))
    moves.tell(into["skew_60"], mean(squares * around) / (spread * np.sqrt(spread)))
    moves.tell(into["kurtosis_60"], mean(squares * squares) / (spread * spread) - 3.0)


def _long(close_tr: FloatArray, *, into: dict[str, FloatArray]) -> None:
    moves = Moves(close_tr, LONG)
    plain = moves.windows(moves.returns, LONG - 1)
    around = centred(plain)
    moves.tell(into["autocorr_5_120"], _autocorrelation(around, 5))
    moves.tell(into["autocorr_abs_120"], _autocorrelation(centred(np.abs(plain)), 1))
    moves.tell(into["variance_ratio_5"], _variance_ratio(around))


def _variance_ratio(around: FloatArray) -> FloatArray:
    """Lo and MacKinlay's, of overlapping sums, corrected for the small sample; from centred returns."""
    count, reach = around.shape[-1], VARIANCE_REACH
    single = total(around * around) / (count - 1.0)
    sums: FloatArray = np.zeros((*around.shape[:-1], count - reach + 1))
    for first in range(reach):
        sums += around[..., first : count - reach + 1 + first]
    scale = reach * (count - reach + 1) * (1.0 - reach / count)
    return total(sums * sums) / positive(scale * single)


FRACTIONAL = Block(("fracdiff_04",), _fractional)
SHORT_BLOCK = Block(("autocorr_1_60", "skew_60", "kurtosis_60"), _short)
LONG_BLOCK = Block(("autocorr_5_120", "autocorr_abs_120", "variance_ratio_5"), _long)
