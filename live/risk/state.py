"""Whether the account may trade: ACTIVE, REDUCING or HALTED, and what moves it from one to another."""

from enum import StrEnum
from pathlib import Path


class RiskState(StrEnum):
    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"  # only what brings a position nearer to zero, until a session ends without a breach
    HALTED = "HALTED"  # cancels only; stays until a person resets it


def killed(kill_file: Path | None) -> bool:
    """The switch that any process can throw: the file is there. Not being able to look counts as thrown."""
    if kill_file is None:
        return False
    try:
        kill_file.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def after_loss(state: RiskState, loss: float, reduce_at: float, halt_at: float) -> RiskState:
    """The state that a session's loss (a share of its first equity) leads to; it only ever tightens."""
    if state is RiskState.HALTED or loss >= halt_at:
        return RiskState.HALTED
    if loss >= reduce_at:
        return RiskState.REDUCING
    return state
