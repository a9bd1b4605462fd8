"""Where an account stands by its journal alone: the last close, and what was begun after it by a process that ended."""

import datetime as dt
import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from live.book import Book
from live.canonical import unpacked
from live.journal import Entry, Journal
from live.orders import State, Tracked
from live.ports import Action, Broker, Fill, Order
from live.risk.state import RiskState

if TYPE_CHECKING:
    from live.desk import Desk

COUNTED = {"intent": "orders", "refused": "refused", "fill": "fills"}


def since_close(journal: Journal) -> Iterator[Entry]:
    """Rows of a session that was begun and not closed. On a tape there are none: a session is one transaction."""
    closed = journal.last("close")
    yield from journal.entries(since=closed.seq + 1 if closed else 0)


def book_of(journal: Journal, capital_usd: float) -> Book:
    """The last close's book, with every action, fill and adjustment that was written down since."""
    closed = journal.last("close")
    book = Book.from_json(closed.payload["book"]) if closed else Book(capital_usd)
    for entry in since_close(journal):
        told = entry.payload
        match entry.kind:
            case "action":
                name, day, kind, amount = told["action"]
                book.apply(Action(name, dt.date.fromisoformat(day), kind, amount), told["entitled"])
            case "fill":
                book.fill(fill_in(told), dt.date.fromisoformat(entry.session or ""))
            case "charge":
                book.cash += told["usd"]
            case "adjustment":
                book.adjust(told["cash"], told["shares"], told["prices"], dt.datetime.fromisoformat(entry.at).date())
    return book


class Rows(Protocol):
    """A journal, or one with what is not committed yet."""

    def entries(self, kind: str | None = None) -> Iterator[Entry]: ...


def equities(journal: Rows) -> Iterator[tuple[dt.datetime, dt.date | None, float]]:
    """Each close's equity, and between them, without a session, the dollars that came or went by hand."""
    rows = heapq.merge(journal.entries("close"), journal.entries("adjustment"), key=lambda entry: entry.seq)
    for entry in rows:
        at, flow = dt.datetime.fromisoformat(entry.at), entry.kind == "adjustment"
        yield (at, None, entry.payload["flow_usd"]) if flow else (
            at, dt.date.fromisoformat(entry.session or ""), entry.payload["equity"])


def orders_in(entries: Iterable[Entry]) -> list[Tracked]:
    """Every order that was intended, in the state that the journal left it in. A kill may have come between what was
    done and what was written: PENDING and UNKNOWN are for the venue to answer."""
    orders: dict[str, Tracked] = {}
    for entry in entries:
        told = entry.payload
        match entry.kind:
            case "intent":
                orders[told["order_id"]] = Tracked(Order(told["order_id"], told["instrument_id"], told["quantity"],
                                                         told["limit_price"], told.get("reduce_only", False),
                                                         told.get("kind", "open"), told.get("stop_price"),
                                                         told.get("target_price")))
            case "ack":
                orders[told["order_id"]].state = State(told["state"])
            case "fill":
                orders[told["order_id"]].count(fill_in(told))
                orders[told["order_id"]].state = State(told["state"])
            case "cancel":
                orders[told["order_id"]].state = State.CANCELLED
    return list(orders.values())


def resume(desk: "Desk") -> None:
    """Take up what a process that ended had begun: its decision, its orders, and of each what the venue says of it."""
    for entry in since_close(desk.journal):
        if entry.kind == "decision":
            desk.decided = entry.payload
        elif entry.kind in COUNTED:
            desk.counts[COUNTED[entry.kind]] += 1
            desk.trade_cost += entry.payload.get("cost", 0.0)
        elif entry.kind == "action":
            desk.dividends += entry.payload["cash"]
        elif entry.kind == "adjustment" and desk.journal.last("close"):
            desk.start_equity += entry.payload["flow_usd"]
    for tracked in orders_in(since_close(desk.journal)):
        desk.orders.adopt(tracked)
    desk.orders.resolve(desk.booked, must=True)
    if desk.state is not RiskState.ACTIVE:
        desk.take_back(f"{desk.state} before this start", everything=desk.state is RiskState.HALTED)


def adopt(journal: Journal, broker: Broker, capital_usd: float, prices: Mapping[str, float], reason: str,
          at: dt.datetime) -> dict[str, Any]:
    """A person's act: take the venue's figures over where ours differ, and write down the difference and why."""
    book, theirs = book_of(journal, capital_usd), broker.holdings()
    if any(held != int(held) for held in theirs.shares.values()):
        raise ValueError("the venue holds parts of shares, which we cannot: sell them there first")
    ours = book.shares()
    names = [name for name in sorted({*ours, *theirs.shares}) if theirs.shares.get(name, 0) != ours.get(name, 0)]
    told: dict[str, Any] = {
        "cash": theirs.cash_usd - book.cash, "reason": reason,
        "shares": {name: int(theirs.shares.get(name, 0)) - ours.get(name, 0) for name in names},
        "prices": {name: prices[name] for name in names if name in prices},
    }
    worth = (more * prices.get(name, 0.0) for name, more in told["shares"].items())
    told["flow_usd"] = math.fsum([told["cash"], *worth])
    with journal.transaction():
        journal.append("adjustment", None, at, told)
        known = {entry.payload["charge_id"] for entry in journal.entries("charge")}
        for charge in theirs.charges:  # these dollars are in the cash that was just taken over
            if charge.charge_id not in known:
                journal.append("charge", None, at, {"charge_id": charge.charge_id, "what": charge.kind, "usd": 0.0})
    return told


def reference_in(decided: Mapping[str, Any], book: Book) -> dict[str, float]:
    """The last known prices that a journaled decision was made on, and those of whatever else is held."""
    prices = {name: holding.price for name, holding in book.holdings.items()}
    known = zip(decided["names"], unpacked(decided["reference"]).tolist(), strict=True)
    return prices | {name: price for name, price in known if math.isfinite(price)}


def fill_in(told: dict[str, Any]) -> Fill:
    return Fill(told["order_id"], told["instrument_id"], 0, told["quantity"], told["price"], told["cost"],
                told["costs"])
