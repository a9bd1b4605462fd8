"""From what assets or strategies are expected to earn and how they move together to how much of each to hold."""

from models.portfolio.allocation import Allocation
from models.portfolio.backtester import PortfolioBacktester
from models.portfolio.engine import BacktestEngine
from models.portfolio.known import CrossAsset, Known, Precomputed, Strategy
from models.portfolio.optimizer import PortfolioOptimizer
from models.portfolio.outcome import PortfolioResult

__all__ = ["Allocation", "BacktestEngine", "CrossAsset", "Known", "PortfolioBacktester", "PortfolioOptimizer",
           "PortfolioResult", "Precomputed", "Strategy"]
