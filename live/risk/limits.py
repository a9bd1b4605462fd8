"""The hard limits as one object. No bundle can set or loosen any; a person does, by preset and by name, in a file."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from models.intraday import StopRule

OFF = math.inf
REGIME_SCALES = {"HIGH_VOLATILITY": 0.7, "HighVol_Chop": 0.7, "PINNING": 0.5}  # states that are not named count whole


@dataclass(frozen=True)
class Limits:
    """Shares of equity unless the name says otherwise; `inf` is no limit."""

    max_gross: float = 2.5
    max_weight: float = 0.35
    max_order_notional_usd: float = 10_000_000.0
    price_collar: float = 0.20  # furthest fill from the reference price; beyond it the order does not fill
    max_orders_per_session: float = 500
    max_stale_sessions: float = 0  # sessions missing between the newest bars and the decision
    daily_loss_reduce: float = 0.04
    daily_loss_halt: float = 0.08
    max_mark_gap: float = 0.40  # a price this far from the last is doubted: not traded on, and no loss is read from it
    max_feed_silence_s: float = 1800.0  # from all names; after one that lasts to the close, its bars decide nothing
    need_score: bool = True  # a name without a finite score is left alone
    drawdown_reduce: float = 0.15  # from the highest close
    drawdown_halt: float = 0.25
    monthly_loss_halt: float = OFF  # from the last close of the month before
    # Off unless set. The seeds' presets set them.
    max_risk_per_trade: float = OFF  # shares times stop distance; without a stop, times one ATR(14)
    min_reward_risk: float = 0.0  # of an order that names a target
    max_class: float = OFF  # each asset class; `class_caps` names other shares for some
    max_sector: float = OFF
    max_correlated: float = OFF  # each group of names that move together
    correlated_above: float = 0.8  # correlation of daily returns that makes a group
    max_losses_in_a_row: float = OFF  # after these only closing orders, for `cooling_off_s`
    cooling_off_s: float = 3600.0
    max_orders_per_minute: float = OFF
    headroom_scaling: bool = False  # targets shrink by the root of what is left to drawdown and daily loss
    adaptive_sizing: bool = False  # new positions shrink and grow with regime and recent results; see adaptive.py
    close_on_halt: bool = False  # a loss that halts sells down to nothing first
    stops: StopRule | None = None  # for every position; a strategy's own stop stands where there is none
    regime_scales: Mapping[str, float] = field(default_factory=lambda: dict(REGIME_SCALES))
    class_caps: Mapping[str, float] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)  # symbol or instrument: its class. What is not named
    sectors: Mapping[str, str] = field(default_factory=dict)  # counts as one group, since nobody knows better

    def __post_init__(self) -> None:
        caps = [(f"class_caps.{name}", cap) for name, cap in self.class_caps.items()]
        for name, value in [(one.name, getattr(self, one.name)) for one in fields(self)] + caps:
            if isinstance(value, (int, float)) and not value >= 0:
                raise ValueError(f"limit {name} is {value}: it must be a number from 0 up, or inf for none")

    @classmethod
    def off(cls) -> "Limits":
        """For comparing live with the judge, which knows no limits. Never for trading."""
        return cls(OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF, need_score=False, drawdown_reduce=OFF,
                   drawdown_halt=OFF)

    @cached_property
    def grouped(self) -> bool:
        """Whether any limit asks which names belong together."""
        return bool(self.class_caps) or any(map(math.isfinite, (self.max_class, self.max_sector, self.max_correlated)))
