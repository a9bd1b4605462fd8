"""Whether the account may trade: ACTIVE, REDUCING or HALTED, and what moves it from one to another."""

from enum import StrEnum


class RiskState(StrEnum):
    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"  # only what brings a position nearer to zero, until a session ends without a breach
    HALTED = "HALTED"  # cancels only; stays until a person resets it


def after_loss(state: RiskState, loss: float, reduce_at: float, halt_at: float) -> RiskState:
    """The state that a loss (a share of equity) leads to; it only ever tightens."""
    if state is RiskState.HALTED or loss >= halt_at:
        return RiskState.HALTED
    if loss >= reduce_at:
        return RiskState.REDUCING
    return state
