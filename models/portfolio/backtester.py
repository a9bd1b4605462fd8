"""Many strategies on many names as one account: capital shared out, targets netted, one book traded and charged.

At each rebalance every strategy is asked with what was known before that open, capital goes to it by what its own paper
book had earned by then, and only the sum is traded: what one buys and another sells costs nothing.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.backtest.book import Rules
from models.backtest.charges import Terms
from models.backtest.market import Market
from models.backtest.vector import backtest
from models.intraday import StopRule
from models.market.costs import CostModel
from models.portfolio.allocation import Allocation, Method
from models.portfolio.known import History, Strategy
from models.portfolio.outcome import PortfolioResult

FloatArray = npt.NDArray[np.float64]
Frequency = Literal["daily", "weekly", "monthly"]
FREQUENCIES: tuple[Frequency, ...] = ("daily", "weekly", "monthly")


class PortfolioBacktester:
    """Costs are the desk's own unless told otherwise. `turnover_limit` is the share of the capital that one rebalance
    may trade; `max_weight` the most that a name may be of it; `warm_up` sessions pass before the first rebalance."""

    def __init__(
        self, costs: CostModel | None = None, *, allocation: Allocation | Method = "risk_parity",
        turnover_limit: float | None = None, max_weight: float | None = None, stop: StopRule | None = None,
        terms: Terms | None = None, warm_up: int = 21,
    ) -> None:
        self.costs = costs or CostModel.default()
        self.allocation = allocation if isinstance(allocation, Allocation) else Allocation(allocation)
        self.turnover_limit, self.max_weight, self.stop = turnover_limit, max_weight, stop
        self.terms, self.warm_up = terms, warm_up
        if max_weight is not None and not max_weight > 0.0:
            raise ValueError(f"max_weight is a share of the capital above nought, not {max_weight}")

    def run(
        self, strategies: Mapping[str, Strategy], data: Market | Mapping[str, Any],
        rebalance_freq: Frequency = "daily",
    ) -> PortfolioResult:
        """`data`: a market, or a frame of daily bars for each name (open, high, low, close, volume by date, and the two
        factors where there were splits or dividends)."""
        if not strategies:
            raise ValueError("no strategy is given: there is nothing to run")
        market = data if isinstance(data, Market) else Market.from_frames(data)
        count, names = len(market.prices.sessions) - 1, market.prices.names
        if count <= self.warm_up:
            raise ValueError(f"{count + 1} sessions are too few: {self.warm_up} pass before the first rebalance, and "
                             "the last only closes a holding")
        days = rebalances(market.prices.sessions[:-1], rebalance_freq)
        days[: self.warm_up] = False
        asked = {name: np.zeros((count, len(names))) for name in strategies}
        history = History(market)
        for at in np.flatnonzero(days).tolist():
            known = history.before(at)
            for name, strategy in strategies.items():
                asked[name][at] = _sound(name, strategy.weights(known), known.tradable)
        rules = Rules(rebalance=days, stop=self.stop)
        alone = {name: backtest(market, weights, self.costs, rules=rules, terms=self.terms)
                 for name, weights in asked.items()}
        earned = np.stack([told.excess for told in alone.values()], axis=1)
        shares = np.zeros((count, len(strategies)))
        for s in range(count):
            # The holding of s - 1 is over only at the open of s, which is not known half an hour before it.
            shares[s] = self.allocation.shares(earned[self.warm_up : max(s - 1, self.warm_up)]) if days[s] else (
                shares[s - 1] if s else 0.0)
        wanted = np.zeros((count, len(names)))
        for k, weights in enumerate(asked.values()):
            wanted += shares[:, [k]] * weights
        if self.max_weight is not None:
            wanted = np.clip(wanted, -self.max_weight, self.max_weight)
        rules = Rules(rebalance=days, turnover_limit=self.turnover_limit, stop=self.stop)
        whole = backtest(market, wanted, self.costs, rules=rules, terms=self.terms)
        return PortfolioResult(whole, alone, shares, days, rebalance_freq)


def rebalances(sessions: npt.NDArray[np.datetime64], frequency: Frequency) -> npt.NDArray[np.bool_]:
    """Each session, or the first of each week (Monday on) or month that there is."""
    if frequency not in FREQUENCIES:
        raise ValueError(f"'{frequency}' is no rebalance: choose one of {', '.join(FREQUENCIES)}")
    told = np.ones(len(sessions), np.bool_)
    if frequency == "daily":
        return told
    number = sessions.astype("datetime64[D]").astype(np.int64)  # 1970 began on a Thursday
    period = (number + 3) // 7 if frequency == "weekly" else sessions.astype("datetime64[M]").astype(np.int64)
    told[1:] = period[1:] != period[:-1]
    return told


def _sound(name: str, weights: FloatArray, tradable: npt.NDArray[np.bool_]) -> FloatArray:
    """Weights as they were answered; nothing of what cannot be traded, and no surprises."""
    told = np.asarray(weights, np.float64)
    if told.shape != tradable.shape:
        raise ValueError(f"strategy '{name}' answered weights of shape {told.shape} for {len(tradable)} names")
    return np.where(tradable & np.isfinite(told), told, 0.0)
