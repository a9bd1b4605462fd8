"""Limit sets by name, so that figures which disagree with each other are each one choice and never a mixture."""

from collections.abc import Mapping
from types import MappingProxyType

from live.risk.limits import Limits

PRESETS: Mapping[str, Limits] = MappingProxyType({
    "default": Limits(),
    # Daily loss 5 %, three losses in a row, an hour to cool off.
    "circuit-breakers": Limits(daily_loss_reduce=0.05, daily_loss_halt=0.05, max_losses_in_a_row=3),
    # A drawdown that halts, classes (crypto 30 %), sectors and names that move together.
    "portfolio-constraints": Limits(
        drawdown_reduce=0.20, drawdown_halt=0.20, class_caps={"crypto": 0.30}, max_sector=0.40, max_correlated=0.60),
    # Daily loss 2 % trips the switch, which closes positions, drawdown 10 %, position 20 %, sector 40 %, correlated
    # 60 %, headroom scaling.
    "risk-manager": Limits(
        max_weight=0.20, daily_loss_reduce=0.02, daily_loss_halt=0.02, drawdown_reduce=0.10, drawdown_halt=0.10,
        max_sector=0.40, max_correlated=0.60, headroom_scaling=True, close_on_halt=True),
    # 1 % at risk in a trade, 2.5 to 1, 5 % a month.
    "per-trade": Limits(max_risk_per_trade=0.01, min_reward_risk=2.5, monthly_loss_halt=0.05),
    # Position, capital, correlation, sector, daily loss, and a breaker at 15 %; positions are closed where it breaks.
    "guardrails": Limits(
        max_gross=1.0, max_weight=0.20, max_sector=0.40, max_correlated=0.60, daily_loss_reduce=0.05,
        daily_loss_halt=0.15, drawdown_reduce=0.15, drawdown_halt=0.15, max_losses_in_a_row=3, close_on_halt=True),
    # By environment: position 5, 5, 10 %; daily loss 1, 1, 2 %.
    "dev": Limits(max_weight=0.05, daily_loss_reduce=0.01, daily_loss_halt=0.01),
    "staging": Limits(max_weight=0.05, daily_loss_reduce=0.01, daily_loss_halt=0.01),
    "prod": Limits(max_weight=0.10, daily_loss_reduce=0.02, daily_loss_halt=0.02),
    # By profile. Conservative was once told to allow a loss of 100 % a day: a contradiction, and it takes dev's 1 %.
    "conservative": Limits(max_gross=1.0, max_weight=0.05, daily_loss_reduce=0.01, daily_loss_halt=0.01),
    "balanced": Limits(max_gross=2.0, max_weight=0.10, daily_loss_reduce=0.02, daily_loss_halt=0.02),
    "aggressive": Limits(max_weight=0.20, daily_loss_reduce=0.05, daily_loss_halt=0.05),
})


def preset(name: str) -> Limits:
    if name not in PRESETS:
        raise ValueError(f"no preset of limits is called '{name}'; known: {', '.join(PRESETS)}")
    return PRESETS[name]
