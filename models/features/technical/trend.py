"""Where a price is going, and how surely: momentum, and gaps to averages and to the highest price."""

import numpy as np

from models.features import window
from models.features.feature import Block, FloatArray
from models.features.statistical.moves import Moves

YEAR_SKIP = 21
DECAY = 0.9048374180359595  # exp(-0.1), a session
DECAY_SESSIONS = (5, 10, 20, 60)


def momentum_skipping_a_month(close_tr: FloatArray) -> FloatArray:
    return window.today(close_tr[..., -1 - YEAR_SKIP] / close_tr[..., 0] - 1.0, close_tr)


def drawdown(close_tr: FloatArray) -> FloatArray:
    prices = window.held(close_tr)
    highest: FloatArray = np.max(prices, axis=-1)
    return prices[..., -1] / highest - 1.0


def listed(close_tr: FloatArray) -> FloatArray:
    there = np.isfinite(close_tr)
    since = close_tr.shape[-1] - np.argmax(there, axis=-1)
    return window.today(since.astype(np.float64), close_tr)


def average_gap(close_tr: FloatArray) -> FloatArray:
    prices = window.held(close_tr)
    return prices[..., -1] / window.mean(prices) - 1.0


def decayed_momentum(close_tr: FloatArray) -> FloatArray:
    return _pull(window.returns(window.held(close_tr)))


def _decayed_logs(close_tr: FloatArray, *, into: dict[str, FloatArray]) -> None:
    moves = Moves(close_tr, max(DECAY_SESSIONS) + 1)
    moves.tell(into["vam_decay"], _pull(moves.windows(moves.returns, max(DECAY_SESSIONS))))


DECAYED_LOGS = Block(("vam_decay",), _decayed_logs)


def _pull(oldest_first: FloatArray) -> FloatArray:
    newest_first = np.ascontiguousarray(oldest_first[..., ::-1])
    found = np.zeros(newest_first.shape[:-1])
    for count in DECAY_SESSIONS:
        found = found + decayed_pull(newest_first, count)
    return found / len(DECAY_SESSIONS)


def decayed_pull(newest_first: FloatArray, count: int) -> FloatArray:
    """Mean of the last `count` returns, the newest weighted most, over their deviation."""
    weights = np.cumprod(np.full(count, DECAY))
    part = np.ascontiguousarray(newest_first[..., :count])
    spread = np.sqrt(window.mean(window.centred(part) ** 2))
    pull = window.total(weights * part) / window.total(weights)
    return pull / window.positive(spread)
