"""A name against the others of its session: ranks, and what is left of its move beside its peers.

Peers are the names of the same third by dollars traded; a sector, which `instruments` tells, is no feature yet.
"""

import numpy as np

from models.features import cross, equity
from models.features.exposures import BETA
from models.features.feature import Block, Feature, FloatArray, Kernel
from models.features.technical.trend import momentum_skipping_a_month
from models.features.window import mean, today

GROUPS = 3


def rank_return(close_tr: FloatArray) -> FloatArray:
    return cross.rank(equity.total_return(close_tr))


def rank_momentum(close_tr: FloatArray) -> FloatArray:
    return cross.rank(momentum_skipping_a_month(close_tr))


def rank_volatility(close_tr: FloatArray) -> FloatArray:
    return cross.rank(equity.realised_volatility(close_tr))


def rank_dollars(dollar_volume: FloatArray) -> FloatArray:
    return cross.rank(mean(dollar_volume))


def less_peers(close_tr: FloatArray, dollar_volume: FloatArray) -> FloatArray:
    own = today(equity.total_return(close_tr), close_tr)
    group = np.minimum(np.floor(cross.rank(mean(dollar_volume)) * GROUPS), GROUPS - 1.0)
    left = np.full(own.shape, np.nan)
    for number in range(GROUPS):
        inside = np.where(group == number, own, np.nan)
        left = np.where(group == number, own - cross.steady_mean(inside), left)
    return left


def share_of_dollars(dollar_volume: FloatArray) -> FloatArray:
    traded = dollar_volume[..., -1]
    typical = cross.mean(traded)
    return traded / np.where(typical > 0.0, typical, np.nan)


def _declare(name: str, look_back: int, kernel: Kernel | Block, inputs: str, description: str,
             rank: bool = False) -> Feature:
    return Feature(name, "relative", "instrument", tuple(inputs.split()), look_back, kernel, description,
                   bounds=(0.0, 1.0) if rank else None, cells="equity")


AMONG = "among the names of the session, 0 to 1."
FEATURES = (
    _declare("rank_ret_1", 2, rank_return, "close_tr", f"Rank of ret_1 {AMONG}", rank=True),
    _declare("rank_ret_20", 21, rank_return, "close_tr", f"Rank of ret_20 {AMONG}", rank=True),
    _declare("rank_mom_252_21", 253, rank_momentum, "close_tr", f"Rank of mom_252_21 {AMONG}", rank=True),
    _declare("rank_rv_20", 21, rank_volatility, "close_tr", f"Rank of rv_20 {AMONG}", rank=True),
    _declare("rank_dollars_20", 20, rank_dollars, "dollar_volume",
             f"Rank of the mean dollar volume of 20 sessions {AMONG}", rank=True),
    _declare("peer_ret_5", 6, less_peers, "close_tr dollar_volume",
             "ret_5 less its mean over the third of the names of its dollar volume (mean of 6)."),
    _declare("peer_ret_20", 21, less_peers, "close_tr dollar_volume",
             "ret_20 less its mean over the third of the names of its dollar volume (mean of 21)."),
    _declare("beta_resid_ret_5", 253, BETA, "close_tr", "ret_5 less beta_252 * mean ret_5 of all names."),
    _declare("dollar_share", 1, share_of_dollars, "dollar_volume", "Dollar volume / mean of all names, this session."),
)
