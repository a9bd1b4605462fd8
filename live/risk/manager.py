"""The limits as one person would ask them: may I open this, may I trade that, what should I worry about?"""

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from live.clock import SystemClock
from live.ports import Clock
from live.risk.limits import Limits
from live.risk.memory import Memory
from live.risk.screen import Proposal, Situation, Verdict, screen
from live.risk.state import RiskState, after_loss

WARN_AT = 0.75  # share of a limit from which it is worth a word


class Sized(Protocol):
    """A position as sizers give it: `percent_of_nav` is a share of equity, signed."""

    percent_of_nav: float


S = TypeVar("S", bound=Any)


@dataclass(frozen=True)
class Trade:
    """Signed shares at a price. `reward_risk` is told where the trade has a target."""

    symbol: str
    quantity: int
    price: float
    stop_distance: float = float("nan")
    reward_risk: float | None = None


@dataclass(frozen=True)
class Portfolio:
    """Signed shares and prices by symbol."""

    equity: float
    positions: Mapping[str, int] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RiskCheckResult:
    approved: bool
    violations: list[str]
    adjusted_position: Any | None


class RiskManager:
    """A thin shell over `screen`, for notebooks and hand-made strategies; the engine asks `screen` itself."""

    def __init__(
        self, initial_capital: float = 0.0, limits: Limits | None = None, *, max_daily_loss_pct: float | None = None,
        max_drawdown_pct: float | None = None, max_position_pct: float | None = None,
        max_sector_exposure: float | None = None, max_correlation_exposure: float | None = None,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        """Without a capital the first `update_nav` is what the account begins with, and until then nothing may be
        opened. Limits told by name, shares of equity, stand in the place of those of `limits`. `clock` tells when a
        cooling-off is over; the machine's own unless another is given."""
        told = {"daily_loss_reduce": max_daily_loss_pct, "daily_loss_halt": max_daily_loss_pct,
                "drawdown_reduce": max_drawdown_pct, "drawdown_halt": max_drawdown_pct, "max_weight": max_position_pct,
                "max_sector": max_sector_exposure, "max_correlated": max_correlation_exposure}
        self.limits = dataclasses.replace(
            limits or Limits(), **{name: share for name, share in told.items() if share is not None})  # type: ignore[arg-type]
        self.memory = Memory(initial_capital, initial_capital, initial_capital)
        self.current_nav = self._day_nav = initial_capital
        self.positions: dict[str, int] = {}
        self.prices: dict[str, float] = {}
        self.correlated: Mapping[str, str] = {}  # from groups.correlated; who is not in it counts as one group
        self.state = RiskState.ACTIVE
        self.state_reason = ""
        self._clock = clock or SystemClock()

    # The account as it moves.

    def update_nav(self, nav: float) -> None:
        """Tell the account's worth; a breach tightens the state at once. ValueError for what is no number: of such a
        worth no loss could ever be read."""
        if not math.isfinite(nav):
            raise ValueError(f"an account's worth is a finite number, not {nav}")
        if not self._day_nav:
            self._day_nav = self.memory.last_equity = self.memory.month_equity = nav
        self.current_nav = nav
        self.memory.peak_equity = max(self.memory.peak_equity, nav)
        self._move(*self._state_at(nav, self.state))

    def update_pnl(self, pnl: float) -> None:
        self.update_nav(self.current_nav + pnl)

    def update_position(self, symbol: str, quantity: int, price: float) -> None:
        self.positions[symbol], self.prices[symbol] = quantity, price

    def record_exit(self, pnl: float, at: dt.datetime) -> None:
        """One position ended; losses in a row begin the cooling-off."""
        self.memory.exited(at, pnl)

    def reset_daily_metrics(self) -> None:
        """A new session. A halt stays: only `reset` leaves it."""
        self._day_nav = self.memory.last_equity = self.current_nav
        if self.state is RiskState.REDUCING:
            self._move(RiskState.ACTIVE, "a new session")

    def activate_kill_switch(self, reason: str) -> None:
        self._move(RiskState.HALTED, reason)

    def reset(self, reason: str) -> None:
        self._move(RiskState.ACTIVE, f"reset by hand: {reason}")

    @property
    def kill_switch_active(self) -> bool:
        return self.state is RiskState.HALTED

    @property
    def current_drawdown(self) -> float:
        return self.memory.drawdown(self.current_nav)

    @property
    def daily_loss_pct(self) -> float:
        return self._lost_today(self.current_nav)

    # Questions.

    def can_open_position(
        self, symbol: str, quantity: int, entry_price: float, capital_available: float
    ) -> tuple[bool, str]:
        """Whether this order may go, and the first limit that says no."""
        cost = abs(quantity) * entry_price
        if not cost <= capital_available:
            return False, f"capital: {cost:,.2f} is more than the {capital_available:,.2f} available"
        here = Portfolio(self.current_nav, self.positions, self.prices)
        allowed, reason = self.validate_trade(Trade(symbol, quantity, entry_price), here)
        return allowed, "Position allowed" if allowed else reason

    def validate_trade(self, proposed_trade: Trade, portfolio: Portfolio, now: dt.datetime | None = None) -> tuple[
            bool, str]:
        """Whether a trade of this portfolio, at what it is worth now, may go as asked."""
        state, reason = self._state_at(portfolio.equity, self.state)
        until = self.memory.cooling_until(self.limits, now or self._clock.now())
        if state is RiskState.ACTIVE and until is not None:
            state, reason = RiskState.REDUCING, f"cooling off until {until:%H:%M:%S} after losses in a row"
        verdict = self._verdict(proposed_trade, portfolio, state)
        if verdict.refused_by == "state":
            return False, (f"state: the account is {state}; {reason}" if state is not RiskState.ACTIVE
                           else "state: not one whole share is left to trade")
        if verdict.refused_by is not None:
            failed = next(check for check in verdict.checks if not check.passed)
            return False, f"{failed.limit}: {failed.value:.4f} against {failed.threshold:.4f}"
        if verdict.quantity != proposed_trade.quantity:
            return False, f"only {verdict.quantity} of {proposed_trade.quantity} shares may be traded ({state})"
        return True, "within all limits"

    def check_limits(self, proposed_position: Sized) -> RiskCheckResult:
        """Check a position by its share of equity."""
        share, limits = proposed_position.percent_of_nav, self.limits
        violations = ["KILL_SWITCH_ACTIVE"] if self.kill_switch_active else []
        if not self.daily_loss_pct < limits.daily_loss_halt:
            violations.append(f"DAILY_LOSS_LIMIT: {self.daily_loss_pct:.2%}")
        if not self.current_drawdown < limits.drawdown_halt:
            violations.append(f"MAX_DRAWDOWN: {self.current_drawdown:.2%}")
        if not abs(share) <= limits.max_weight:
            violations.append(f"POSITION_SIZE: {share:.2%} > {limits.max_weight:.2%}")
        return RiskCheckResult(not violations, violations, None if violations else proposed_position)

    def scale_for_risk(self, position: S, current_risk_utilization: float = 0.0) -> S:
        """The position (a dataclass), smaller by the root of the least headroom left, that told by the caller too."""
        scale = min(self.headroom, max(0.0, 1.0 - current_risk_utilization)) ** 0.5
        names = {one.name for one in dataclasses.fields(position)}
        changes: dict[str, Any] = {name: getattr(position, name) * scale
                                   for name in ("percent_of_nav", "dollar_amount") if name in names}
        return dataclasses.replace(position, **changes, **({"capped": True} if "capped" in names else {}))

    @property
    def headroom(self) -> float:
        return self.memory.headroom(self.limits, self.current_nav, self.daily_loss_pct)

    def check_risk_alerts(self) -> list[dict[str, Any]]:
        """What is near or over its limit, worst first: [{'type', 'severity', 'value', 'limit'}]."""
        gross = sum(abs(count) * self.prices.get(name, 0.0) for name, count in self.positions.items())
        largest = max((abs(count) * self.prices.get(name, 0.0) for name, count in self.positions.items()), default=0.0)
        nav = self.current_nav if self.current_nav > 0 else float("nan")
        looked = [
            ("daily_loss_alert", self.daily_loss_pct, self.limits.daily_loss_halt),
            ("drawdown_alert", self.current_drawdown, self.limits.drawdown_halt),
            ("consecutive_loss_alert", float(self.memory.losses_in_a_row), self.limits.max_losses_in_a_row),
            ("gross_exposure_alert", gross / nav, self.limits.max_gross),
            ("position_size_alert", largest / nav, self.limits.max_weight),
        ]
        found = [{"type": kind, "severity": "high" if not value < limit else "medium", "value": value, "limit": limit}
                 for kind, value, limit in looked if not value < WARN_AT * limit]
        if self.kill_switch_active:
            found.append({"type": "kill_switch", "severity": "high", "value": 1.0, "limit": 0.0})
        return sorted(found, key=lambda alert: alert["severity"] != "high")

    def _lost_today(self, nav: float) -> float:
        return max(0.0, (self._day_nav - nav) / self._day_nav) if self._day_nav > 0 else float("inf")

    def _state_at(self, nav: float, state: RiskState) -> tuple[RiskState, str]:
        """The state that an account of this worth is in, and since when or why."""
        reason, limits = self.state_reason, self.limits
        for name, lost, reduce_at, halt_at in (
            ("daily loss", self._lost_today(nav), limits.daily_loss_reduce, limits.daily_loss_halt),
            ("drawdown", self.memory.drawdown(nav), limits.drawdown_reduce, limits.drawdown_halt),
        ):
            moved = after_loss(state, lost, reduce_at, halt_at)
            state, reason = moved, reason if moved is state else f"{name} {lost:.4f} of equity"
        return state, reason

    def _verdict(self, trade: Trade, portfolio: Portfolio, state: RiskState) -> Verdict:
        limits = self.limits
        groups = {"class": limits.classes, "sector": limits.sectors, "correlated": self.correlated}
        prices = {**portfolio.prices, trade.symbol: portfolio.prices.get(trade.symbol, trade.price)}
        headroom = self.memory.headroom(limits, portfolio.equity, self._lost_today(portfolio.equity))
        situation = Situation(portfolio.equity, portfolio.positions, prices, 0, state, groups, headroom)
        proposal = Proposal(trade.symbol, trade.quantity, trade.price, 0.0, True, trade.stop_distance,
                            trade.reward_risk)
        return screen(limits, situation, [proposal])[0]

    def _move(self, state: RiskState, reason: str) -> None:
        if state is not self.state:
            self.state, self.state_reason = state, reason
