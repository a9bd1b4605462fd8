"""The day after: a live session held against what judgement makes of it, and the difference told by cause.

One session is settled nine times from the same opening book, each time with one more thing as live had it instead of as
research has it now. What each step changes is that cause's part, so the parts sum to the whole difference, to the cent.
"""

import copy
import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from live.book import Book
from live.canonical import unpacked
from live.clock import to_us
from live.desk import actions_in
from live.engine import DECIDE_BEFORE_OPEN
from live.journal import Journal
from live.passport import feature_rows, panel_of
from live.ports import Action, Fill
from live.tail import Tail
from live.twin_day import (
    CAUSES,
    Floats,
    Live,
    Market,
    NoTwin,
    all_by_hand,
    filled,
    late_names,
    read_day,
    stopped_by_hand,
)
from live.twin_names import named
from models.bundle import Bundle, load
from models.features.panel import FeaturePanel
from models.market.costs import CostModel, borrow_cost, capped_shares, cash_interest, target_shares, trade_cost
from models.strategy import decide


@dataclass
class Deal:
    quantity: int
    price: float
    cost: float


def explain(journal: Journal, session: dt.date, bundle: Bundle, research: Market, costs: CostModel) -> dict[str, Any]:
    """Profit as judged now and as lived, in dollars, and its difference by cause."""
    live = read_day(journal, session)
    tail, times = _tail_before(journal, bundle, session), bundle_times(bundle, session)
    should = tail.decision_panel(times, times.open_at - DECIDE_BEFORE_OPEN)
    reference, (adv, vol) = tail.reference_prices(session, live.actions), tail.liquidity()
    names = bundle.snapshot.bars.names
    late = late_names(live, research)
    lived = Market(should, reference, adv, vol,
                   {name: research.opens.get(name, bar[0]) if name in late else bar[0]
                    for name, bar in live.bars.items()},
                   {name: bar[3] for name, bar in live.bars.items()}, live.actions, {})
    made = live.decision.payload if live.decision else None
    read = panel_of(bundle, feature_rows(journal, live.decision)) if live.decision else should

    def wanted(panel: FeaturePanel, at: Market) -> Floats:
        return target_shares(decide(bundle.strategy, bundle.models, panel).weights, costs.capital_usd, at.reference)

    targets = [wanted(research.panel, research), wanted(should, lived), wanted(read, lived)]
    targets.append(unpacked(made["wanted"]) if made else targets[2])
    deals = [_deals(costs, target, market, live.start, names)
             for target, market in zip(targets, (research, lived, lived, lived), strict=True)]
    totals = [_settled(live, research, deals[0], costs, session)]
    totals += [_settled(live, lived, one, costs, session) for one in deals[1:]]
    now = copy.deepcopy(deals[3])
    actual = replace(lived, opens={name: bar[0] for name, bar in live.bars.items()})
    for change in (_timed, _priced, _costed, _limited, _by_hand):
        now = change(now, live, research, lived, costs, names)
        totals.append(_settled(live, actual, now, costs, session))
    cents = [round(total * 100) for total in totals]
    lived_cents = round(live.close.payload["pnl"] * 100)
    parts = {cause: (after - before) / 100 for cause, before, after in zip(CAUSES, cents, cents[1:], strict=False)}
    return {
        "session": session.isoformat(), "judged": cents[0] / 100, "live": lived_cents / 100,
        "difference": (lived_cents - cents[0]) / 100, "parts": parts, "unexplained": (lived_cents - cents[-1]) / 100,
        "named": named(live, research, lived, read, targets, late),
    }


def bundle_times(bundle: Bundle, session: dt.date) -> Any:
    found = next((times for times in bundle.calendar if times.session == session), None)
    if found is None:
        raise NoTwin(f"session {session} is not in the calendar of bundle {bundle.seq}")
    return found


def _tail_before(journal: Journal, bundle: Bundle, session: dt.date) -> Tail:
    """The newest bars as the runner had them before this session."""
    tail = Tail(bundle)
    for entry in journal.entries("bars"):
        day = dt.date.fromisoformat(entry.session or "")
        times = tail.times(day)
        if entry.payload.get("incomplete") or day >= session or times is None:
            continue
        if day > tail.newest and not tail.missing_before(day):
            tail.decision_panel(times, times.open_at - DECIDE_BEFORE_OPEN)
            tail.append(day, entry.payload["bars"], actions_in(entry.payload))
    return tail


def _start(live: Live, actions: Sequence[Action], session: dt.date) -> Book:
    """The opening book once its actions are booked: late ones as live did, the session's own to what was held."""
    book, held = copy.deepcopy(live.start), live.start.shares()
    for action, entitled in live.booked:
        if action.ex_date != session:
            book.apply(action, entitled)
    for action in actions:
        if action.ex_date == session and held.get(action.instrument_id):
            book.apply(action, held[action.instrument_id])
    return book


def _deals(costs: CostModel, target: Floats, market: Market, start: Book, names: Sequence[str]) -> dict[str, Deal]:
    """Whole shares from the opening book to the target, as far as liquidity goes, at the opening print."""
    found: dict[str, Deal] = {}
    splits = {one.instrument_id: one.amount for one in market.actions if one.kind == "split"}
    for index, name in enumerate(names):
        held = start.shares().get(name, 0)
        held = math.trunc(held * splits[name]) if name in splits else held
        price, adv, vol = market.opens.get(name, math.nan), market.adv20_usd[index], market.vol20_daily[index]
        if not all(map(math.isfinite, (price, adv, vol, target[index]))):
            continue
        quantity = int(capped_shares(costs, target[index] - held, price, adv))
        if quantity:
            found[name] = Deal(quantity, price, float(trade_cost(costs, quantity, price, adv, vol)))
    return found


def _settled(live: Live, market: Market, deals: Mapping[str, Deal], costs: CostModel, session: dt.date) -> float:
    """Profit from close to close with these trades on this market, by the books' own rules."""
    book = _start(live, market.actions, session)
    for name, deal in deals.items():
        book.fill(Fill("", name, 0, deal.quantity, deal.price, deal.cost, {}), session)
    for name, holding in book.holdings.items():
        if name in market.opens:
            holding.basis = market.opens[name]
    borrow = math.fsum(float(borrow_cost(costs, holding.shares * holding.basis))
                       for holding in book.holdings.values() if holding.shares)
    book.mark(market.closes, session)
    book.cash += float(cash_interest(costs, book.cash)) - borrow
    return book.equity() - live.start_equity


def _average(values: Sequence[tuple[int, float]]) -> float:
    return math.fsum(quantity * value for quantity, value in values) / sum(quantity for quantity, _ in values)


Change = Callable[[dict[str, Deal], Live, Market, Market, CostModel, Sequence[str]], dict[str, Deal]]


def _at_price(deal: Deal, price: float, lived: Market, costs: CostModel, index: int) -> None:
    """The same shares at another price, and what the model charges there."""
    deal.price = price
    deal.cost = float(trade_cost(costs, deal.quantity, price, lived.adv20_usd[index], lived.vol20_daily[index]))


def _timed(deals: dict[str, Deal], live: Live, research: Market, lived: Market, costs: CostModel,
           names: Sequence[str]) -> dict[str, Deal]:
    """At the market's price of the minute in which live was filled."""
    late = late_names(live, research)
    for name, fills in filled(live, False).items():
        if name in deals and name in late:
            there = [(entry.payload["quantity"], research.minute_open(
                name, to_us(dt.datetime.fromisoformat(entry.at))) or entry.payload["price"]) for entry in fills]
            _at_price(deals[name], _average(there), lived, costs, names.index(name))
    return deals


def _priced(deals: dict[str, Deal], live: Live, research: Market, lived: Market, costs: CostModel,
            names: Sequence[str]) -> dict[str, Deal]:
    """At the prices of live's own fills."""
    for name, fills in filled(live, False).items():
        if name in deals:
            price = _average([(entry.payload["quantity"], entry.payload["price"]) for entry in fills])
            _at_price(deals[name], price, lived, costs, names.index(name))
    return deals


def _costed(deals: dict[str, Deal], live: Live, research: Market, lived: Market, costs: CostModel,
            names: Sequence[str]) -> dict[str, Deal]:
    """What was charged instead of what the model says, for as much as was filled."""
    for name, fills in filled(live, False).items():
        if name in deals:
            index = names.index(name)
            told = math.fsum(float(trade_cost(costs, one.payload["quantity"], one.payload["price"],
                                              lived.adv20_usd[index], lived.vol20_daily[index])) for one in fills)
            deals[name].cost += math.fsum(one.payload["cost"] for one in fills) - told
    return deals


def _limited(deals: dict[str, Deal], live: Live, *_: Any) -> dict[str, Deal]:
    """As much as the limits, and their prices, let through; what a person stopped still goes."""
    stopped = {order["instrument_id"] for order_id, order in live.orders.items() if stopped_by_hand(live, order_id)}
    there = filled(live, False)
    for name in [*deals, *(one for one in there if one not in deals)]:
        if name in there:
            rows = [entry.payload for entry in there[name]]
            quantity = sum(row["quantity"] for row in rows)
            price = _average([(row["quantity"], row["price"]) for row in rows]) if quantity else 0.0
            cost = math.fsum(row["cost"] for row in rows)
            if not quantity:  # there and back: what remains is the money
                price, cost = 0.0, cost + math.fsum(row["quantity"] * row["price"] for row in rows)
            if name not in stopped:
                deals[name] = Deal(quantity, price, cost)
        elif name not in stopped and not all_by_hand(live):
            del deals[name]
    return deals


def _by_hand(deals: dict[str, Deal], live: Live, *_: Any) -> dict[str, Deal]:
    """What was really filled, by whomever it was sent."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in live.fills:
        found.setdefault(entry.payload["instrument_id"], []).append(entry.payload)
    return {name: Deal(sum(row["quantity"] for row in rows), 0.0, math.fsum(
        row["quantity"] * row["price"] + row["cost"] for row in rows)) for name, rows in found.items()}


def last_session(journal: Path) -> dt.date | None:
    """The newest session that was traded to its close and decided once, before its open."""
    book = Journal(journal, read_only=True)
    try:
        close = book.last("close")
        return dt.date.fromisoformat(close.session or "") if close else None
    finally:
        book.close()


def of_journal(journal: Path, session: dt.date, bundles: Path, keys: Sequence[bytes], costs: CostModel,
               research: Callable[[Bundle], Market]) -> dict[str, Any]:
    """`explain` with the bundle that made the decision, verified as it was then, and what live earned it with."""
    book = Journal(journal, read_only=True)
    try:
        made = next(book.entries("decision", session), None)
        if made is None:
            raise NoTwin(f"nothing was decided for session {session}")
        told = made.payload["bundle"]
        bundle = load(bundles / told["folder"], keys, told["seq"], dt.datetime.fromisoformat(made.at),
                      last_digest=told["digest"])
        market = research(bundle)
        close = next(book.entries("close", session)).payload
        net_usd = math.fsum(shares * price for shares, price, *_ in close["book"]["holdings"].values())
        return {**explain(book, session, bundle, market, costs), "costs": close["costs"],
                "net_exposure_usd": net_usd, "bundle_seq": told["seq"]}
    finally:
        book.close()
