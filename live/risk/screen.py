"""What stands between the positions a model wants and the orders a venue is sent: every limit, looked at by name."""

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from live import canonical
from live.risk.limits import Limits
from live.risk.state import RiskState

UNKNOWN_GROUP = "unknown"
_passed = itemgetter(3)


class Check(NamedTuple):
    """One limit looked at: the value it would have come to, and where the limit stands."""

    limit: str
    value: float
    threshold: float
    passed: bool


Looked = tuple[str, float, float, bool]  # a check's four figures: most are never told


class Proposal(NamedTuple):
    """A change of position that the strategy asks for, in signed shares at the reference price."""

    instrument_id: str
    quantity: int
    price: float
    score: float
    tradable: bool
    risk_usd_per_share: float = math.nan  # distance to the stop, or one ATR(14)
    reward_risk: float | None = None  # distance to the target over that to the stop; None without a target


class Situation(NamedTuple):
    equity: float
    held: Mapping[str, int]
    prices: Mapping[str, float]
    stale_sessions: int
    state: RiskState
    groups: Mapping[str, Mapping[str, str]] = MappingProxyType({})  # kind: instrument: group
    headroom: float = 1.0  # least share left to drawdown and daily loss
    recent_orders: int = 0  # sent in the last minute
    working: frozenset[str] = frozenset()  # names with an order that may still fill
    sent_today: int = 0  # orders of this session that were sent before


class Checks:
    """What was looked at, as a row of the journal tells it: hundreds of names are decided on at once, and the journal
    lays its text out of the figures themselves."""

    __slots__ = ("looked",)

    def __init__(self, looked: Sequence[Looked]) -> None:
        self.looked = looked

    def told(self) -> list[dict[str, Any]]:
        return [{"limit": limit, "value": canonical.plain(value), "threshold": canonical.plain(threshold),
                 "passed": passed} for limit, value, threshold, passed in self.looked]


class Verdict(NamedTuple):
    """`quantity` is what may be sent: zero when refused, less than asked when only closing is allowed."""

    proposal: Proposal
    quantity: int
    looked: Sequence[Looked]

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(map(Check._make, self.looked))

    def told(self) -> list[dict[str, Any]]:
        """What was looked at, for whoever reads it before it is text."""
        return Checks(self.looked).told()

    @property
    def refused_by(self) -> str | None:
        return next((check.limit for check in self.checks if not check.passed), None)


def closing_part(held: int, quantity: int) -> int:
    """The part of a change that only brings the position nearer to zero."""
    if held * quantity >= 0:
        return 0
    return max(-held, quantity) if held > 0 else min(-held, quantity)


def is_closing(held: int, quantity: int) -> bool:
    return held * quantity < 0 and abs(quantity) <= abs(held) or quantity == 0


def screen(limits: Limits, situation: Situation, proposals: Sequence[Proposal]) -> list[Verdict]:
    """Pass, cut or refuse each proposal. Closings go first; exposure is counted as if only the rest got filled."""
    held = situation.held
    taken = set(situation.working)
    sent = 0
    verdicts: dict[int, Verdict] = {}
    closes = [is_closing(held.get(p.instrument_id, 0), p.quantity) for p in proposals]
    exposures = None if all(closes) else _Exposures(limits, situation)  # what only closes adds to none
    order: Iterable[int] = range(len(proposals))
    if len(closes) > 1:
        order = sorted(order, key=lambda i: (not closes[i], proposals[i].instrument_id))
    alone = len(closes) == 1
    for index in order:
        wanted = proposals[index]
        name, asked, price, _, _, _, _ = wanted
        before, quantity, closing = held.get(name, 0), asked, closes[index]
        if situation.state is RiskState.REDUCING or (limits.headroom_scaling and not closing):
            quantity = _cut(limits, situation, before, asked)
            closing = is_closing(before, quantity)
        looked = _for_every_order(limits, situation, wanted, quantity, sent)
        if name in taken:
            looked.append(("duplicate", 2.0, 1.0, False))
        value = abs(before + quantity) * price if 0 < price < math.inf else math.nan
        if exposures is not None and not closing:
            looked += exposures.checks(name, value)
            looked += _for_a_trade(limits, situation, wanted, abs(before + quantity))
        passed = all(map(_passed, looked))
        verdict = Verdict(wanted, quantity if passed else 0, looked)
        if alone:
            return [verdict]
        if passed:
            sent += 1
            taken.add(name)
            if exposures is not None:
                exposures.take(name, value)
        verdicts[index] = verdict
    return [verdicts[index] for index in range(len(proposals))]


def _cut(limits: Limits, situation: Situation, before: int, quantity: int) -> int:
    """What is left of a change where only closing is allowed, or targets shrink with the headroom."""
    if situation.state is RiskState.REDUCING:
        return closing_part(before, quantity)
    if limits.headroom_scaling and not is_closing(before, quantity):
        left = situation.headroom if math.isfinite(situation.headroom) else 0.0
        return math.trunc((before + quantity) * math.sqrt(min(max(left, 0.0), 1.0))) - before
    return quantity


def _for_every_order(
    limits: Limits, situation: Situation, wanted: Proposal, quantity: int, sent: int
) -> list[Looked]:
    _, _, price, score, tradable, _, _ = wanted
    equity, stale, state = situation.equity, situation.stale_sessions, situation.state
    most_stale, most_orders, most_usd = (limits.max_stale_sessions, limits.max_orders_per_session,
                                         limits.max_order_notional_usd)
    orders, usd = situation.sent_today + sent + 1, abs(quantity) * price
    looked: list[Looked] = [
        ("state", float(quantity != 0), 1.0, state is not RiskState.HALTED and quantity != 0),
        ("stale_sessions", stale, most_stale, stale <= most_stale),
        ("equity", equity, 0.0, 0 < equity < math.inf),
        ("price", price, 0.0, 0 < price < math.inf),
        ("score", score, 0.0, not limits.need_score or not tradable or math.isfinite(score)),
        ("orders_per_session", orders, most_orders, orders <= most_orders),
        ("order_notional_usd", usd, most_usd, usd <= most_usd),  # False for NaN: what is not known does not pass
    ]
    if limits.max_orders_per_minute < math.inf:
        looked.append(_at_most("orders_per_minute", situation.recent_orders + sent + 1, limits.max_orders_per_minute))
    return looked


def _for_a_trade(limits: Limits, situation: Situation, wanted: Proposal, shares: int) -> list[Looked]:
    """What the whole position would lose at its stop, however many orders it took to build."""
    looked: list[Looked] = []
    if limits.max_risk_per_trade < math.inf:
        risk = shares * wanted.risk_usd_per_share
        looked.append(_at_most("risk_per_trade", risk / situation.equity if situation.equity > 0 else math.nan,
                               limits.max_risk_per_trade))
    if limits.min_reward_risk and wanted.reward_risk is not None:
        looked.append(("reward_risk", wanted.reward_risk, limits.min_reward_risk,
                       wanted.reward_risk >= limits.min_reward_risk))
    return looked


class _Exposures:
    """Dollars held by name, each as large as the orders that passed could make it."""

    def __init__(self, limits: Limits, situation: Situation) -> None:
        self._limits, self._situation = limits, situation
        self._by_name = {name: abs(shares) * situation.prices.get(name, math.nan)  # without a price no size is known
                         for name, shares in situation.held.items() if shares}
        self._gross = math.fsum(self._by_name.values())

    def _worst_gross(self, name: str, value: float) -> float:
        before = self._by_name.get(name, 0.0)
        return self._gross - before + max(before, value)

    def checks(self, name: str, value: float) -> list[Looked]:
        limits, equity = self._limits, self._situation.equity if self._situation.equity > 0 else math.nan
        looked = [_at_most("weight", value / equity, limits.max_weight),
                  _at_most("gross", self._worst_gross(name, value) / equity, limits.max_gross)]
        if not limits.grouped:
            return looked
        for kind, cap in (("class", limits.max_class), ("sector", limits.max_sector),
                          ("correlated", limits.max_correlated)):
            of = self._situation.groups.get(kind, {})
            group = of.get(name, UNKNOWN_GROUP)
            if kind == "class":
                cap = limits.class_caps.get(group, cap)
            if math.isfinite(cap):
                others = math.fsum(usd for other, usd in self._by_name.items()
                                   if other != name and of.get(other, UNKNOWN_GROUP) == group)
                worst = others + max(self._by_name.get(name, 0.0), value)
                looked.append(_at_most(f"{kind}:{group}", worst / equity, cap))
        return looked

    def take(self, name: str, value: float) -> None:
        self._gross, self._by_name[name] = (self._worst_gross(name, value),
                                            max(self._by_name.get(name, 0.0), value))


def _at_most(name: str, value: float, threshold: float) -> Looked:
    return name, value, threshold, value <= threshold  # False for NaN: what is not known does not pass
