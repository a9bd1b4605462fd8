"""The confluence score: how much of the weight of options, order flow and technique stands on one side, and what size
that is worth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.signals.alpha import Alphas, Filter, Floats, spoken, union

# Per cent of each block, and of its items. The technical items sum to 44, so items count by their share of their block:
# what a block is worth is what was stated of blocks, and all of them sum to 100.
BLOCKS = {"options": 25.0, "order_flow": 47.5, "technical": 27.5}
ITEMS: dict[str, dict[str, float]] = {
    "options": {"gamma": 12.0, "put_call": 8.0, "volatility": 3.0, "dealer": 2.0},
    "order_flow": {"volume": 20.0, "book": 15.0, "smart_money": 12.5},
    "technical": {"vwap": 16.0, "patterns": 16.0, "timeframes": 12.0},
}
# A size for scores from so many per cent on, the highest first; below the last, no trade.
LADDER = ((90.0, "PREMIUM_SIGNAL", 2.0), (80.0, "STRONG_SIGNAL", 1.5), (70.0, "GOOD_SIGNAL", 1.0),
          (60.0, "WEAK_SIGNAL", 0.5))
LEAST_KNOWN = 0.25  # of the weight: on less a score says nothing


def normalised() -> dict[str, float]:
    """Each item's share of the whole: they sum to one."""
    return {item: BLOCKS[block] / sum(BLOCKS.values()) * weight / sum(items.values())
            for block, items in ITEMS.items() for item, weight in items.items()}


def ladder_size(score: Floats) -> Floats:
    return np.select([score >= least for least, _, _ in LADDER], [size for _, _, size in LADDER], 0.0)


def ladder_step(score: float) -> str:
    return next((name for least, name, _ in LADDER if score >= least), "NO_TRADE")


@dataclass(frozen=True)
class Score:
    """`percent` is the share of the known weight on the stronger side (50 to 100), an item without an opinion standing
    on both; `side` is that side; `known` the share of the whole weight that there was data for."""

    percent: Floats
    side: Floats
    known: Floats


def score(items: dict[str, Floats]) -> Score:
    """From items in [-1, 1], NaN where there is no data: the weights of those that are known are normalised to one."""
    weights = normalised()
    if unknown := set(items) - set(weights):
        raise ValueError(f"no such item: {', '.join(sorted(unknown))}; known: {', '.join(weights)}")
    lean, weight = (np.zeros(next(iter(items.values())).shape) for _ in range(2))
    for name, share in weights.items():  # in the stated order, so that sums round alike
        if name in items:
            known = np.isfinite(items[name])
            lean = lean + np.where(known, share * np.clip(np.nan_to_num(items[name]), -1.0, 1.0), 0.0)
            weight = weight + np.where(known, share, 0.0)
    lean = np.where(weight > 0.0, lean / np.where(weight > 0.0, weight, 1.0), 0.0)
    return Score(50.0 + 50.0 * np.abs(lean), np.sign(lean), weight)


PUT_CALL, GAMMA, IV = "options_v1:put_call_ratio", "positioning_v1:gamma_balance", "options_v1:iv30"
DEALER = "positioning_v1:dealer_side"
CONFIRMS, LARGE, SLOPE = "auction_v1:volume_confirms", "auction_v1:large_net_share", "auction_v1:vwap_position"
TICKS = "auction_v1:tick_balance"
FRAMES = ("equity_v1:ret_1", "equity_v1:ret_5", "equity_v1:ret_20")
BULLISH, BEARISH = 0.8, 1.2  # put/call ratio
QUIET, FEARFUL = 0.15, 0.30  # implied volatility
LARGE_SHARE = 0.05  # net of large prints, of the volume, that counts as a whole side


def between(value: Floats, good: float, bad: float) -> Floats:
    """1 up to `good`, -1 from `bad` on, a straight line from one to the other."""
    return np.clip(1.0 - 2.0 * (value - good) / (bad - good), -1.0, 1.0)


def option_items(gamma: Floats, put_call: Floats, iv: Floats, dealer: Floats) -> dict[str, Floats]:
    """What options say, each from -1 to 1."""
    return {"gamma": gamma, "put_call": between(put_call, BULLISH, BEARISH),
            "volatility": between(iv, QUIET, FEARFUL), "dealer": dealer}


@dataclass(frozen=True)
class Confluence:
    """The score of the coming session on each name's row; the book's depth is in no daily mart, so its weight is
    shared out among what is known. `at_least` is where a trade begins, and the ladder says how large it is."""

    at_least: float = 70.0

    @property
    def features(self) -> tuple[str, ...]:
        return union((GAMMA, PUT_CALL, IV, DEALER, CONFIRMS, LARGE, SLOPE, TICKS), FRAMES)

    @property
    def history(self) -> int:
        return 1

    def items(self, panel: FeaturePanel) -> dict[str, Floats]:
        of = panel.column
        confirmed = of(CONFIRMS) * np.sign(of(SLOPE))
        frames = np.stack([np.sign(of(name)) for name in FRAMES])
        return {
            **option_items(of(GAMMA), of(PUT_CALL), of(IV), of(DEALER)),
            "volume": confirmed, "smart_money": np.clip(of(LARGE) / LARGE_SHARE, -1.0, 1.0),
            "vwap": np.clip(of(SLOPE) / 2.0, -1.0, 1.0), "patterns": of(TICKS),
            "timeframes": frames.sum(axis=0) / len(FRAMES),
        }

    def signal(self, panel: FeaturePanel) -> Alphas:
        items = self.items(panel)
        told = score(items)
        enough: NDArray[np.bool_] = told.known >= LEAST_KNOWN
        return spoken(told.side, 2.0 * told.percent / 100.0 - 1.0, Filter.COMBINED, needs=(),
                      silenced=[(Filter.NO_DATA, ~enough), (Filter.THRESHOLD_FILTER, told.percent <= self.at_least)],
                      size=ladder_size(told.percent), components={**items, "score": told.percent, "known": told.known})
