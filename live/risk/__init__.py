"""Limits and states that stand outside the models' reach, and the names that people know them by."""

from live.risk.guardrails import AdaptivePositionSizing, CircuitBreakers, LiveTradingEngine, PortfolioConstraints
from live.risk.limits import Limits
from live.risk.manager import Portfolio, RiskCheckResult, RiskManager, Trade
from live.risk.memory import Memory
from live.risk.presets import PRESETS, preset
from live.risk.screen import Check, Checks, Proposal, Situation, Verdict, screen
from live.risk.state import RiskState, after_loss
from live.risk.stops import StopLossEngine, StopOrder
from live.risk.switch import KillMode, KillSwitch, killed

__all__ = ["PRESETS", "AdaptivePositionSizing", "Check", "Checks", "CircuitBreakers", "KillMode", "KillSwitch",
           "Limits", "LiveTradingEngine", "Memory", "Portfolio", "PortfolioConstraints", "Proposal", "RiskCheckResult",
           "RiskManager", "RiskState", "Situation", "StopLossEngine", "StopOrder", "Trade", "Verdict", "after_loss",
           "killed", "preset", "screen"]
