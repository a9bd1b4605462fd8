"""Limits and states that stand outside the models' reach."""

from live.risk.limits import Limits
from live.risk.memory import Memory
from live.risk.presets import PRESETS, preset
from live.risk.screen import Check, Checks, Proposal, Situation, Verdict, screen
from live.risk.state import RiskState, after_loss
from live.risk.switch import KillMode, KillSwitch, killed

__all__ = ["PRESETS", "Check", "Checks", "KillMode", "KillSwitch", "Limits", "Memory", "Proposal", "RiskState",
           "Situation", "Verdict", "after_loss", "killed", "preset", "screen"]
