"""What kind of series a price is: its memory, its tails, and a stationary form that keeps most of the memory."""

import numpy as np

from models.features.feature import FloatArray
from models.features.portable import log
from models.features.window import centred, held, mean, positive, total
from models.fractional import difference_weights

ORDER, THRESHOLD = 0.4, 1e-3  # fixed by convention: fitted to nothing
WEIGHTS = difference_weights(ORDER, THRESHOLD)  # newest first


def _moves(close_tr: FloatArray) -> FloatArray:
    """Log returns; a session without a bar is one without a move."""
    prices = log(held(close_tr))
    return np.ascontiguousarray(prices[..., 1:] - prices[..., :-1])


def log_return(close_tr: FloatArray) -> FloatArray:
    return log(close_tr[..., -1] / close_tr[..., 0])


def fractional_difference(close_tr: FloatArray) -> FloatArray:
    """Of the log price measured from the window's first, so that no factor and no price level has a say."""
    levels = log(held(close_tr))
    levels = levels - levels[..., :1]
    return total(np.ascontiguousarray(levels[..., ::-1]) * WEIGHTS)


def autocorrelation(close_tr: FloatArray, lag: int = 1) -> FloatArray:
    moves = centred(_moves(close_tr))
    return total(moves[..., lag:] * moves[..., :-lag]) / positive(total(moves * moves))


def autocorrelation_5(close_tr: FloatArray) -> FloatArray:
    return autocorrelation(close_tr, 5)


def autocorrelation_of_size(close_tr: FloatArray) -> FloatArray:
    sizes = centred(np.abs(_moves(close_tr)))
    return total(sizes[..., 1:] * sizes[..., :-1]) / positive(total(sizes * sizes))


def skewness(close_tr: FloatArray) -> FloatArray:
    moves = centred(_moves(close_tr))
    spread = positive(mean(moves * moves))
    return mean(moves * moves * moves) / (spread * np.sqrt(spread))


def excess_kurtosis(close_tr: FloatArray) -> FloatArray:
    squares = centred(_moves(close_tr)) ** 2
    spread = positive(mean(squares))
    return mean(squares * squares) / (spread * spread) - 3.0


def variance_ratio(close_tr: FloatArray) -> FloatArray:
    """Lo and MacKinlay's, of overlapping sums of 5, corrected for the small sample."""
    reach = 5
    moves = _moves(close_tr)
    count = moves.shape[-1]
    centre = mean(moves)[..., None]
    single = total((moves - centre) ** 2) / (count - 1.0)
    summed = np.cumsum(moves, axis=-1)
    summed = np.concatenate([np.zeros((*moves.shape[:-1], 1)), summed], axis=-1)
    sums = np.ascontiguousarray(summed[..., reach:] - summed[..., :-reach])
    scale = reach * (count - reach + 1) * (1.0 - reach / count)
    spread: FloatArray = total((sums - reach * centre) ** 2) / scale / positive(single)
    return spread
