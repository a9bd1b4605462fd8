"""Before the open: actions booked, a decision made, limits applied, intents written ahead of every order sent."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from live import canonical
from live.deciding import Plan, plan
from live.orders import State, Tracked, client_order_ids
from live.ports import Action, Order
from live.recovery import reference_in
from live.risk import Checks, RiskState, Situation, Verdict, screen
from live.risk.adaptive import size_scale
from live.risk.groups import groups_of
from live.tail import brought_rows

if TYPE_CHECKING:
    from live.desk import Desk

MOST_SENDINGS = 3  # of one order, each after the venue said that it has never seen it


def begin(desk: "Desk", actions: Sequence[Action]) -> None:
    """The decision, half an hour before the open."""
    book_actions(desk, actions)
    desk.begun = True
    if desk.decided is not None:
        desk.venue.open_session(liquidity(desk))
        desk.reference = reference_in(desk.decided, desk.book)
        desk.tail.decision_panel(desk.times, desk.clock.now())  # later decisions look back on this one's row
        send_pending(desk)
        begin_watch(desk, actions)
        return
    if desk.flattening:
        desk.venue.open_session(liquidity(desk))
        desk.reference = {name: holding.price for name, holding in desk.book.holdings.items()}
        desk.pursue({})
        return
    expired = desk.bundle.manifest.expires < desk.clock.now()
    allowed = RiskState.REDUCING if expired and desk.state is RiskState.ACTIVE else desk.state
    allowed = cooled(desk, allowed)
    if desk.stale_sessions > desk.terms.limits.max_stale_sessions:
        desk.write("hold", {"reason": f"bars of {desk.stale_sessions} session(s) before this one are missing: "
                                      "nothing is decided on old data", "newest_bars": str(desk.tail.newest)})
        return
    if desk.inside is not None:
        tradable, states = liquidity(desk), regime(desk)
        desk.scale = size_scale(desk.terms.limits, desk.memory, states) * desk.bundle.manifest.capital_share
        desk.venue.open_session(tradable)
        desk.reference = {name: holding.price for name, holding in desk.book.holdings.items()}
        desk.inside.begin(allowed, begin_watch(desk, actions), tradable,
                          desk.tail.continuity(desk.times.session, actions), states)
        return
    made = plan(desk.bundle, desk.tail, desk.times, desk.clock.now(), actions, desk.book.shares(), desk.terms.costs,
                lambda states: size_scale(desk.terms.limits, desk.memory, states) * desk.bundle.manifest.capital_share)
    desk.venue.open_session(made.liquidity())
    prices = {name: holding.price for name, holding in desk.book.holdings.items()}
    known = dict(zip(made.decision.names, made.reference.tolist(), strict=True))
    prices.update({name: price for name, price in known.items() if math.isfinite(price)})
    desk.reference = prices
    limits, equity = desk.terms.limits, desk.book.equity()
    situation = Situation(
        equity, desk.book.shares(), prices, desk.stale_sessions, allowed,
        groups_of(limits, made.decision.names, desk.bundle.snapshot.symbols, desk.tail.daily_returns()),
        desk.memory.headroom(limits, equity, desk.loss(equity)))
    verdicts = screen(desk.terms.limits, situation, made.proposals)
    decided = {**made.as_json(desk.bundle), "state": allowed, "expired": expired, "equity": situation.equity,
               "held": situation.held}
    with desk.journal.transaction():  # a decision is written down with all that it intends, or not at all
        write_features(desk, made)
        desk.write("decision", decided)
        intend(desk, made, verdicts)
    desk.decided = decided
    send_pending(desk)
    begin_watch(desk, actions)


def begin_watch(desk: "Desk", actions: Sequence[Action]) -> Mapping[str, float]:
    """One ATR a share by name; with it the stops of what is held go to the venue before the first print."""
    if desk.watch is None:
        return {}
    reference = desk.tail.reference_prices(desk.times.session, actions)
    desk.watch.atr_usd = dict(zip(desk.tail.names, desk.tail.atr14_usd(reference).tolist(), strict=True))
    known = zip(desk.tail.names, reference.tolist(), strict=True)
    desk.reference = {**desk.reference, **{name: price for name, price in known if math.isfinite(price)}}
    for name in sorted(desk.watch.trades):
        desk.watch.guard(name)
    return desk.watch.atr_usd


def regime(desk: "Desk") -> dict[str, float]:
    """What the bundle's own regime model says of the coming session, for sizes that adapt to it."""
    if desk.bundle.strategy.intraday is None or not desk.tail.decides:
        return {}
    panel = desk.tail.decision_panel(desk.times, desk.clock.now())
    hmm = desk.bundle.models.hmm
    posterior = hmm.posterior(panel, len(panel.sessions) - 1).tolist()
    return dict(zip(hmm.names, posterior, strict=True))


def send_pending(desk: "Desk") -> None:
    """What the venue has not seen, if the books agree. An answer that was lost is asked for at once."""
    for _ in range(MOST_SENDINGS):
        for tracked in desk.orders.working() if desk.agreed else ():
            if desk.heed_switch({}):  # thrown since the decision began: what was not sent is not sent
                return
            if tracked.state is State.PENDING:
                send(desk, tracked)
        if not desk.orders.resolve(desk.booked):
            return


def send(desk: "Desk", tracked: Tracked) -> None:
    if (desk.terms.wall or desk.clock).now() >= desk.times.open_at and not tracked.order.reduce_only:
        desk.orders.cancel(tracked.order.order_id, "too late: its session has opened without it")
        return
    desk.orders.send(tracked.order.order_id)


def liquidity(desk: "Desk") -> dict[str, tuple[float, float]]:
    adv20_usd, vol20_daily = desk.tail.liquidity()
    return dict(zip(desk.tail.names, zip(adv20_usd.tolist(), vol20_daily.tolist(), strict=True), strict=True))


def cooled(desk: "Desk", state: RiskState) -> RiskState:
    """Only closing orders while the account cools off from losses in a row."""
    until = desk.memory.cooling_until(desk.terms.limits, desk.clock.now())
    if until is None or state is RiskState.HALTED:
        return state
    desk.write("cooling", {"losses_in_a_row": desk.memory.losses_in_a_row, "until": until.isoformat(),
                           "limit": canonical.plain(desk.terms.limits.max_losses_in_a_row)})
    return RiskState.REDUCING


def book_actions(desk: "Desk", actions: Sequence[Action]) -> None:
    """Credit each split and dividend once, to what was held into its ex-date, however late it became known."""
    desk.known_actions = actions
    if not actions:
        return
    done = {tuple(entry.payload["action"][:3]) for entry in desk.journal.entries("action")}
    for action in actions:
        key = (action.instrument_id, action.ex_date.isoformat(), action.kind)
        if action.ex_date == desk.times.session:
            desk.actions.append(action)
        closed = desk.journal.last("close", before=action.ex_date)
        holdings = closed.payload["book"]["holdings"] if closed else {}
        entitled = holdings.get(action.instrument_id, [0])[0]
        if entitled and key not in done:
            cash = desk.book.apply(action, entitled)
            desk.dividends += cash
            desk.write("action", {"action": [*key, action.amount], "entitled": entitled, "cash": cash})


def write_features(desk: "Desk", made: Plan) -> None:
    """Rows that this bundle did not bring and the journal does not have yet: what scores can be redone from."""
    if desk.tail.written is None:
        taken = desk.journal.last("bundle")
        seen = {row["session"] for entry in desk.journal.entries("features", since=taken.seq if taken else 0)
                for row in entry.payload["rows"]}
        desk.tail.written = seen | {str(day) for day in brought_rows(desk.bundle).sessions}
    rows = [made.row_as_json(index) for index, day in enumerate(made.panel.sessions)
            if str(day) not in desk.tail.written]
    desk.tail.written |= {row["session"] for row in rows}
    desk.write("features", {"bundle": desk.bundle.digest, "features": list(made.panel.features),
                            "names": list(made.panel.names), "rows": rows})


def intend(desk: "Desk", made: Plan, verdicts: Sequence[Verdict]) -> None:
    """Write down what will be sent, and what was refused and by which limit."""
    id_of = client_order_ids(desk.terms.account, desk.bundle.strategy.name, desk.bundle.digest,
                             desk.times.session.isoformat())
    most = desk.terms.limits.price_collar
    symbols, decision_id, intends = desk.tail.symbols, made.decision_id, desk.orders.intend
    for verdict in verdicts:
        wanted, quantity, looked = verdict
        name, price = wanted.instrument_id, wanted.price
        order_id = id_of(name, "open")
        payload = {
            "order_id": order_id, "decision_id": decision_id, "instrument_id": name,
            "symbol": symbols.get(name, name), "asked": wanted.quantity, "quantity": quantity,
            "reference_price": canonical.plain(price), "checks": Checks(looked),
        }
        if not quantity:
            desk.counts["refused"] += 1
            desk.write("refused", {**payload, "refused_by": verdict.refused_by})
            continue
        collar = most if quantity > 0 else -most
        order = Order(order_id, name, quantity, price * (1.0 + collar) if math.isfinite(collar) else None)
        intends(order, payload)
        desk.counts["orders"] += 1
        if desk.watch is not None:
            desk.watch.knows(order_id, payload)
