"""Hard limits between what a model wants and what a venue is sent. No bundle can loosen them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from live import canonical
from live.risk.state import RiskState

OFF = math.inf


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
    need_score: bool = True  # a name without a finite score is left alone

    @classmethod
    def off(cls) -> "Limits":
        """For comparing live with the judge, which knows no limits. Never for trading."""
        return cls(OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF, need_score=False)


@dataclass(frozen=True)
class Check:
    """One limit looked at: the value it would have come to, and where the limit stands."""

    limit: str
    value: float
    threshold: float
    passed: bool

    def as_json(self) -> dict[str, Any]:
        return {"limit": self.limit, "value": canonical.plain(self.value),
                "threshold": canonical.plain(self.threshold), "passed": self.passed}


@dataclass(frozen=True)
class Proposal:
    """A change of position that the strategy asks for, in signed shares at the reference price."""

    instrument_id: str
    quantity: int
    price: float
    score: float
    tradable: bool


@dataclass(frozen=True)
class Situation:
    equity: float
    held: Mapping[str, int]
    prices: Mapping[str, float]
    stale_sessions: int
    state: RiskState


@dataclass(frozen=True)
class Verdict:
    """`quantity` is what may be sent: zero when refused, less than asked when only closing is allowed."""

    proposal: Proposal
    quantity: int
    checks: tuple[Check, ...]

    @property
    def refused_by(self) -> str | None:
        return next((check.limit for check in self.checks if not check.passed), None)


def _closing_part(held: int, quantity: int) -> int:
    """The part of a change that only brings the position nearer to zero."""
    if held * quantity >= 0:
        return 0
    return max(-held, quantity) if held > 0 else min(-held, quantity)


def screen(limits: Limits, situation: Situation, proposals: Sequence[Proposal]) -> list[Verdict]:
    """Pass, cut or refuse each proposal. Closings go first; exposure is counted as if only the rest got filled."""
    held, equity = dict(situation.held), situation.equity
    exposure = {name: abs(shares) * situation.prices.get(name, 0.0) for name, shares in held.items() if shares}
    gross = math.fsum(exposure.values())
    sent = 0
    verdicts: dict[int, Verdict] = {}
    closes = [abs(_closing_part(held.get(p.instrument_id, 0), p.quantity)) == abs(p.quantity) for p in proposals]
    for index in sorted(range(len(proposals)), key=lambda i: (not closes[i], proposals[i].instrument_id)):
        wanted = proposals[index]
        before = held.get(wanted.instrument_id, 0)
        quantity = wanted.quantity
        if situation.state is RiskState.REDUCING:
            quantity = _closing_part(before, quantity)
        closing = abs(_closing_part(before, quantity)) == abs(quantity)
        known = math.isfinite(wanted.price) and wanted.price > 0
        value = abs(before + quantity) * wanted.price if known else math.nan
        worst_gross = gross - exposure.get(wanted.instrument_id, 0.0) + max(
            exposure.get(wanted.instrument_id, 0.0), value)
        checks = [
            Check("state", float(quantity != 0), 1.0, situation.state is not RiskState.HALTED and quantity != 0),
            Check("stale_sessions", situation.stale_sessions, limits.max_stale_sessions,
                  situation.stale_sessions <= limits.max_stale_sessions),
            Check("equity", equity, 0.0, math.isfinite(equity) and equity > 0),
            Check("price", wanted.price, 0.0, known),
            Check("score", wanted.score, 0.0,
                  not limits.need_score or not wanted.tradable or math.isfinite(wanted.score)),
            _at_most("orders_per_session", sent + 1, limits.max_orders_per_session),
            _at_most("order_notional_usd", abs(quantity) * wanted.price, limits.max_order_notional_usd),
        ]
        if not closing:
            checks.append(_at_most("weight", value / equity if equity > 0 else math.nan, limits.max_weight))
            checks.append(_at_most("gross", worst_gross / equity if equity > 0 else math.nan, limits.max_gross))
        passed = all(check.passed for check in checks)
        if passed:
            sent += 1
            gross, exposure[wanted.instrument_id] = worst_gross, max(exposure.get(wanted.instrument_id, 0.0), value)
        verdicts[index] = Verdict(wanted, quantity if passed else 0, tuple(checks))
    return [verdicts[index] for index in range(len(proposals))]


def _at_most(name: str, value: float, threshold: float) -> Check:
    return Check(name, value, threshold, value <= threshold)  # False for NaN: what is not known does not pass
