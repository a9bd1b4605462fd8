"""Where an account stands by its journal alone: the last close, and what was begun after it by a process that ended."""

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from live.book import Book
from live.canonical import unpacked
from live.journal import Entry, Journal
from live.orders import State, Tracked
from live.ports import Action, Fill, Order
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
                book.adjust(told["cash"], told["shares"], dt.datetime.fromisoformat(entry.at).date())
    return book


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
    for tracked in orders_in(since_close(desk.journal)):
        desk.orders.adopt(tracked)
    desk.orders.resolve(desk.booked, must=True)
    if desk.state is not RiskState.ACTIVE:
        desk.take_back(f"{desk.state} before this start", everything=desk.state is RiskState.HALTED)


def reference_in(decided: Mapping[str, Any], book: Book) -> dict[str, float]:
    """The last known prices that a journaled decision was made on, and those of whatever else is held."""
    prices = {name: holding.price for name, holding in book.holdings.items()}
    known = zip(decided["names"], unpacked(decided["reference"]).tolist(), strict=True)
    return prices | {name: price for name, price in known if math.isfinite(price)}


def fill_in(told: dict[str, Any]) -> Fill:
    return Fill(told["order_id"], told["instrument_id"], 0, told["quantity"], told["price"], told["cost"],
                told["costs"])
