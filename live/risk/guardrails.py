"""Guardrails under the names that people know, each a thin shell: `CircuitBreakers`, `AdaptivePositionSizing`,
`PortfolioConstraints`, `LiveTradingEngine`. The engine itself asks `screen`, `Memory` and `size_scale`."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from live.clock import SystemClock
from live.ports import Clock
from live.risk.adaptive import performance_scale, size_scale
from live.risk.limits import OFF, Limits
from live.risk.manager import Portfolio, RiskManager, Trade
from live.risk.memory import Memory
from live.risk.presets import preset

BASE_RISK = 0.02  # of the capital


class CircuitBreakers:
    """May anything be opened now? Not after a day's loss of 5 %, nor within an hour after three losses in a row.

    The day's loss halts until a person calls `reset`; the cooling-off ends by itself. Tell it what happens by
    `update_nav`, `record_exit` and, each session, `reset_daily_metrics` of `risk`."""

    def __init__(
        self, initial_capital: float = 1.0, daily_loss_limit: float = 0.05, consecutive_stops_limit: int = 3,
        cooling_off_period: float = 3600.0, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self.risk = RiskManager(initial_capital, replace(
            preset("circuit-breakers"), daily_loss_reduce=daily_loss_limit, daily_loss_halt=daily_loss_limit,
            max_losses_in_a_row=consecutive_stops_limit, cooling_off_s=cooling_off_period), clock=clock)
        self._clock = clock or SystemClock()

    @property
    def daily_loss_limit(self) -> float:
        return self.risk.limits.daily_loss_halt

    @property
    def consecutive_stops_limit(self) -> int:
        return int(self.risk.limits.max_losses_in_a_row)

    @property
    def cooling_off_period(self) -> float:
        """Seconds."""
        return self.risk.limits.cooling_off_s

    def update_nav(self, nav: float) -> None:
        self.risk.update_nav(nav)

    def record_exit(self, pnl: float) -> None:
        """One position ended."""
        self.risk.record_exit(pnl, self._clock.now())

    def daily_loss_exceeded(self) -> bool:
        return self.risk.kill_switch_active or not self.risk.daily_loss_pct < self.daily_loss_limit

    def consecutive_stops_exceeded(self) -> bool:
        """Whether the cooling-off after losses in a row still lasts."""
        return self.risk.memory.cooling_until(self.risk.limits, self._clock.now()) is not None

    def check_guardrails(self) -> bool:
        return not (self.daily_loss_exceeded() or self.consecutive_stops_exceeded())


class Context(Protocol):
    """What a size asks of the market: `MarketContext` has it, and so has anything else with a regime."""

    @property
    def regime(self) -> str | None: ...


class AdaptivePositionSizing:
    """The share of the capital to put at risk: 2 %, times 0.7 where volatility is high and 0.5 where the market is
    pinned, times what recent results won over what they lost (0.3 to 2)."""

    def __init__(self, memory: Memory | None = None, limits: Limits | None = None) -> None:
        self.memory = memory or Memory(1.0, 1.0, 1.0)
        self.limits = replace(limits or Limits(), adaptive_sizing=True)

    def record_exit(self, pnl: float, at: dt.datetime) -> None:
        self.memory.exited(at, pnl)

    def get_recent_performance(self) -> float:
        """1 until five results are known."""
        return performance_scale(self.memory)

    def calculate_size(self, signal: Mapping[str, Any], context: Context) -> float:
        """`signal` decides the side, the regime and the results decide the size."""
        return BASE_RISK * size_scale(self.limits, self.memory, {context.regime: 1.0} if context.regime else {})


class PortfolioConstraints:
    """Drawdown that halts, classes (crypto 30 %), sectors, and names that move together. The drawdown is from the
    highest equity that a portfolio came with; a day's loss is not its matter (`CircuitBreakers`)."""

    def __init__(self, limits: Limits | None = None) -> None:
        told = limits or replace(preset("portfolio-constraints"), daily_loss_reduce=OFF, daily_loss_halt=OFF)
        self.risk = RiskManager(limits=told)

    def validate_trade(self, proposed_trade: Trade, portfolio: Portfolio) -> tuple[bool, str]:
        """Whether the trade may go as asked, and the first limit that says no."""
        self.risk.update_nav(portfolio.equity)
        return self.risk.validate_trade(proposed_trade, portfolio)


class LiveTradingEngine:
    """Risk alerts of an account that a script trades by itself. What trades here is `live.engine`, from a signed
    bundle and with a journal: `nightdesk live`."""

    def __init__(self, risk_manager: RiskManager) -> None:
        self.risk_manager = risk_manager

    def check_risk_alerts(self) -> list[dict[str, Any]]:
        return self.risk_manager.check_risk_alerts()
