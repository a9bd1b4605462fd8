"""`BacktestEngine`: one strategy over daily bars, as frames; a thin shell over the backtester of many."""

from collections.abc import Mapping
from typing import Any

from models.backtest.market import Market
from models.intraday import StopRule
from models.market.costs import CostModel
from models.portfolio.backtester import Frequency, PortfolioBacktester
from models.portfolio.known import Strategy


class BacktestEngine:
    """By arrays, on daily bars, costs always on. Bar by bar, with books and partial fills: `live.backtest`."""

    def __init__(self, costs: CostModel | None = None, *, stop: StopRule | None = None, warm_up: int = 21) -> None:
        self._many = PortfolioBacktester(costs, allocation="equal", stop=stop, warm_up=warm_up)

    def run(self, strategy: Strategy, data: Market | Mapping[str, Any], rebalance_freq: Frequency = "daily") -> dict[
            str, Any]:
        """Frames `equity`, `positions` and `trades` of the whole capital; `data` as for `PortfolioBacktester.run`."""
        return self._many.run({"strategy": strategy}, data, rebalance_freq).book.frames()
