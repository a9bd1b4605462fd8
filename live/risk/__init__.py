"""Limits and states that stand outside the models' reach."""

from live.risk.limits import Check, Limits, Proposal, Situation, Verdict, screen
from live.risk.state import RiskState, after_loss, killed

__all__ = ["Check", "Limits", "Proposal", "RiskState", "Situation", "Verdict", "after_loss", "killed", "screen"]
