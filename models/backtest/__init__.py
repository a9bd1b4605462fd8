"""Vectorised judgement of weights: fills, costs, benchmark, figures."""

from models.backtest.benchmark import active_returns, buy_and_hold
from models.backtest.judge import Judged, judge
from models.backtest.prices import Prices

__all__ = ["Judged", "Prices", "active_returns", "buy_and_hold", "judge"]
