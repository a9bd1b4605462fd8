"""Decisions inside the session: at each bar's end a rule is asked, and what it wants goes through every limit."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from live import canonical
from live.clock import text_of, to_us
from live.journal import Entry
from live.ports import Order
from live.positions import Positions, stop_for
from live.risk import Proposal, RiskState, Situation, Verdict, screen
from live.risk.groups import groups_of
from live.risk.stops import StopError
from live.spreading import Left, Spreading
from models.intraday import Intraday, StopRule
from models.signals.intraday import Follower, Memory
from models.sizing import PositionSizer
from models.strategy import StrategyConfig
from models.voltarget import SESSIONS_A_YEAR

if TYPE_CHECKING:
    from live.desk import Desk

MINUTE_US = 60_000_000
LATE_US = 2 * MINUTE_US  # in real time; a decision that comes later than its next minute is none
DayBars = Mapping[str, list[float]]  # open, high, low, close, volume, start of the newest minute


class Inside:
    """One session of a strategy that decides at bar ends. `followers` and `aims` outlive it: they are the rule's memory
    and the sides that were last acted on. A position that its stop ended is not entered again for the same side."""

    def __init__(self, desk: "Desk", watch: Positions, config: Intraday, followers: dict[str, Follower],
                 aims: dict[str, float], stop: StopRule | None, key: str) -> None:
        self._desk, self._watch, self._config, self._stop = desk, watch, config, stop
        self._followers, self.aims = followers, aims
        self._key = key
        digest = desk.bundle.digest
        self._decision_id = canonical.names_of("decision", digest)
        self._order_id = canonical.names_of("order", desk.terms.account, desk.bundle.strategy.name, digest)
        self._begun = False
        self._heard_us = 0
        self._recent: deque[int] = deque()  # when orders were sent, within the last minute
        self._allowed = RiskState.ACTIVE
        self._groups: dict[str, dict[str, str]] = {}
        self._atr_usd: Mapping[str, float] = {}
        self._vol: Mapping[str, float] = {}
        self._spreading = Spreading(desk, watch, self._order_id, self._recent)
        self._regime: Mapping[str, float] = {}
        self._factor: Mapping[str, float] = {}  # a rule sees prices that no split or dividend breaks

    def begin(self, allowed: RiskState, atr_usd: Mapping[str, float], liquidity: Mapping[str, tuple[float, float]],
              continuity: Mapping[str, float], regime: Mapping[str, float]) -> None:
        """Before the open: what is known for the whole session. Without it nothing is decided."""
        desk = self._desk
        self._allowed, self._atr_usd, self._begun = allowed, atr_usd, True
        self._factor, self._regime = continuity, regime
        self._vol = {name: vol for name, (_, vol) in liquidity.items()}
        limits = desk.terms.limits
        self._groups = groups_of(limits, desk.tail.names, desk.bundle.snapshot.symbols, desk.tail.daily_returns()) \
            if limits.grouped else {}

    def under(self, config: Intraday, followers: dict[str, Follower], aims: dict[str, float], stop: StopRule | None,
              key: str) -> "Inside":
        """The same session under another bundle."""
        other = Inside(self._desk, self._watch, config, followers, aims, stop, key)
        other._heard_us, other._recent = self._heard_us, self._recent
        other._spreading.recent = self._recent
        if self._begun:
            other.begin(self._allowed, self._atr_usd, {name: (math.nan, vol) for name, vol in self._vol.items()},
                        self._factor, self._regime)
            other._spreading.left = self._spreading.left
        return other

    @property
    def idle(self) -> bool:
        """Nothing is decided in this session any more."""
        return not self._begun or self._desk.state is RiskState.HALTED or self._desk.flattening is not None

    def prospects(self) -> list[tuple[str, Follower, float]]:
        """Each name's rule, and what its prices are multiplied by."""
        return [(name, follower, self._factor[name]) for name, follower in self._followers.items()] \
            if self._begun else []

    def saw(self, at_us: int, memories: Mapping[str, Memory]) -> None:
        """Every decision up to then was passed over, as none would have changed its mind."""
        self._heard_us = at_us
        for name, memory in memories.items():
            self._followers[name].recall(memory)

    def as_json(self) -> dict[str, Any]:
        """What the rule remembers of each name, and the sides it was last acted on for."""
        return {"key": self._key, "aims": dict(sorted(self.aims.items())),
                "memory": {name: canonical.packed(follower.memory)
                           for name, follower in sorted(self._followers.items())}}

    def decide(self, at_us: int, bars: DayBars, closing: bool) -> None:
        """Bars that began before `at_us` are in. What changed its mind is proposed, screened, and sent."""
        if self.idle:
            return
        proposals: list[Proposal] = []
        told: dict[str, dict[str, Any]] = {}
        for name, bar in bars.items():
            if bar[5] < self._heard_us and not closing:
                continue  # nothing new of this name: it is left alone
            follower = self._followers.get(name)
            if follower is None:
                continue
            before = follower.memory if bar[5] >= self._heard_us else None
            side = follower.step(bar[3] * self._factor[name]) if before is not None else self.aims.get(name)
            if closing and self._config.flat_at_close:
                side = 0.0
            if side is None or side == self.aims.get(name, 0.0):
                continue
            self._want(name, side, bar[3], before, proposals, told)
        self._heard_us = at_us
        if proposals:
            self._act(at_us, {name: bar[3] for name, bar in bars.items()}, proposals, told)

    def _want(self, name: str, side: float, close: float, before: tuple[float, ...] | None, proposals: list[Proposal],
              told: dict[str, dict[str, Any]]) -> None:
        """A change of position that a change of mind asks for."""
        desk = self._desk
        self._spreading.forget(name)
        if working := self._watch.working(name):
            for tracked in working:
                desk.orders.cancel(tracked.order.order_id, "the decision has changed")
            if self._watch.working(name):
                return  # it is not known yet what is left of it: asked again at the next bar
        holding = desk.book.holdings.get(name)
        held = holding.shares if holding is not None else 0
        units, risk, ratio = self._size(name, side, close)
        target = math.trunc(side * units)
        if target < 0 and not desk.tail.lent(name):
            target = 0
        if target != held:
            proposals.append(Proposal(name, target - held, close, side, True, risk, ratio))
            told[name] = {"side": side, "close": close, "target": target, "held": held,
                          "memory": canonical.packed(before) if before is not None else None}
        else:
            self.aims[name] = side

    def _size(self, name: str, side: float, price: float) -> tuple[float, float, float | None]:
        """Units of a whole side, dollars at risk a share, and reward to risk where there is a target."""
        desk, size = self._desk, self._config.size
        atr = self._atr_usd.get(name, math.nan)
        distance, ratio = atr, None
        if self._stop is not None and side:
            try:
                stop = stop_for(self._stop, price, 1 if side > 0 else -1, atr, self._watch.levels.get(name, ()))
            except StopError:
                return 0.0, math.nan, None  # what cannot be guarded as asked is not entered
            if stop.price is not None:
                distance, ratio = stop.distance, self._stop.reward_risk
        scale = desk.scale if side else 1.0
        if size.method == "shares":
            return size.amount * scale, distance, ratio
        capital = desk.terms.costs.capital_usd
        if size.method == "weight":
            return size.amount * scale * capital / price, distance, ratio
        vol = self._vol.get(name, math.nan)
        sizer = PositionSizer(price, atr if atr > 0 else None,
                              vol * math.sqrt(SESSIONS_A_YEAR) if math.isfinite(vol) else None)
        try:
            units = sizer.calculate_size(capital, min(size.amount * scale, 1.0),
                                         distance if math.isfinite(distance) else 0.0, size.method)
        except ValueError:
            return 0.0, distance, ratio  # what the method needs is not known of this name
        return units, distance, ratio

    def _act(self, at_us: int, prices: Mapping[str, float], proposals: list[Proposal],
             told: dict[str, dict[str, Any]]) -> None:
        desk, limits = self._desk, self._desk.terms.limits
        if desk.terms.wall is not None and to_us(desk.terms.wall.now()) - at_us > LATE_US:
            return  # heard again after a restart: what they ask for is asked of the first bar that comes in time
        while self._recent and self._recent[0] <= at_us - MINUTE_US:
            self._recent.popleft()
        equity = desk.equity(prices)
        allowed = desk.state if desk.state is not RiskState.ACTIVE else self._allowed
        if allowed is RiskState.ACTIVE and desk.memory.losses_in_a_row >= limits.max_losses_in_a_row and (
                desk.memory.cooling_until(limits, desk.clock.now()) is not None):
            allowed = RiskState.REDUCING
        marks = {**desk.reference, **prices}
        situation = Situation(
            equity, desk.book.shares(), marks, desk.stale_sessions, allowed, self._groups,
            desk.memory.headroom(limits, equity, desk.loss(equity)) if limits.headroom_scaling else 1.0,
            len(self._recent), sent_today=desk.counts["orders"])
        verdicts = screen(limits, situation, proposals)
        when = text_of(at_us)
        decision_id = self._decision_id(when)
        desk.write("signal", {
            "decision_id": decision_id, "bundle_seq": desk.bundle.seq, "state": allowed, "equity": equity,
            "items": told,
        })
        for verdict in verdicts:
            self._send(at_us, when, decision_id, verdict, prices)

    def _send(self, at_us: int, when: str, decision_id: str, verdict: Verdict, prices: Mapping[str, float]) -> None:
        desk, wanted = self._desk, verdict.proposal
        name = wanted.instrument_id
        order_id = self._order_id(when, name, "bar")
        quantity, holding = verdict.quantity, desk.book.holdings.get(name)
        because = {"decision_id": decision_id, "symbol": desk.symbol_of(name), "asked": wanted.quantity,
                   "reference_price": wanted.price,
                   "checks": [] if desk.terms.brief and quantity else verdict.told()}
        held = holding.shares if holding is not None else 0
        if order_id in desk.orders:  # sent by a process that ended since
            self.aims[name] = wanted.score
            return
        if not quantity:
            desk.counts["refused"] += 1
            desk.write("refused", {**because, "order_id": order_id, "instrument_id": name, "quantity": 0,
                                   "refused_by": verdict.refused_by})
            if not held:
                self.aims[name] = wanted.score  # asked once for each change of mind; what closes is asked again
            return
        if desk.heed_switch(prices) or not desk.agreed:
            return
        self.aims[name] = wanted.score
        collar = desk.terms.limits.price_collar * (1.0 if quantity > 0 else -1.0)
        limit_price = wanted.price * (1.0 + collar) if math.isfinite(collar) else None
        closes = held * quantity < 0 and abs(quantity) <= abs(held)
        self._spreading.forget(name)
        if len(parts := self._spreading.parts(quantity, self._config.slices, self._regime)) > 1:
            self._spreading.begin(name, Left(when, because, limit_price, parts))
            return
        self._recent.append(at_us)
        self._watch.send(Order(order_id, name, quantity, limit_price, closes, "market"), because)

    def on_bar(self, name: str) -> None:
        """A minute of a name is over: the next part of what is spread over time."""
        if name in self._spreading.left:
            self._spreading.next(name)


def recalled(strategy: StrategyConfig, names: Sequence[str], closed: Entry | None) -> tuple[
        dict[str, Follower], dict[str, float]]:
    """A rule's memory of each name and the sides it was last acted on for, from the last close, if it was the same."""
    rule = strategy.intraday.rule if strategy.intraday is not None else None
    if rule is None:
        return {}, {}
    followers: dict[str, Follower] = {name: rule.start() for name in names}
    told = closed.payload.get("rule") if closed is not None else None
    if told is None or told["key"] != strategy.key():
        return followers, {}
    for name, memory in told["memory"].items():
        if name in followers:
            followers[name].recall(tuple(canonical.unpacked(memory).tolist()))
    return followers, {name: side for name, side in told["aims"].items() if name in followers}
