"""One live session as its journal holds it, for the day after: who sent what, what came of it, what a person did."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live.book import Book
from live.clock import to_us
from live.desk import actions_in
from live.journal import Entry, Journal
from live.ports import Action
from models.features.panel import FeaturePanel

Floats = NDArray[np.float64]
CAUSES = ("data revised", "feature", "score", "timing", "fill price", "cost", "limit", "manual")
BY_HAND = ("kill file", "signal", "API", "reset by hand")


class NoTwin(ValueError):
    """The session cannot be judged again: why, in a sentence."""


@dataclass(frozen=True)
class Market:
    """One session as somebody knew it: what the decision read, and the prices that the session then made."""

    panel: FeaturePanel
    reference: Floats  # in order of the panel's names, as the next two
    adv20_usd: Floats
    vol20_daily: Floats
    opens: Mapping[str, float]
    closes: Mapping[str, float]
    actions: Sequence[Action]
    first_us: Mapping[str, int]  # start of each name's first minute; may be empty
    minute_open: Callable[[str, int], float | None] = lambda name, start_us: None


@dataclass(frozen=True)
class Live:
    """What the journal holds of the session."""

    start: Book
    start_equity: float
    decision: Entry | None
    bars: Mapping[str, Sequence[float]]
    actions: Sequence[Action]  # that go ex on it
    booked: Sequence[tuple[Action, int]]  # with the shares that they were booked for
    orders: Mapping[str, Mapping[str, Any]]  # intents and refusals by id
    fills: Sequence[Entry]
    cancels: Mapping[str, str]
    states: Sequence[Entry]
    close: Entry
    hand_at_start: bool


def read_day(journal: Journal, session: dt.date) -> Live:
    close = next(journal.entries("close", session), None)
    if close is None:
        raise NoTwin(f"session {session} was not traded to its close")
    if any(True for _ in journal.entries("signal", session)):
        raise NoTwin(f"session {session} was decided bar by bar: only daily decisions are judged again")
    earlier = [entry for entry in journal.entries("close") if entry.seq < close.seq]
    start = Book.from_json(earlier[-1].payload["book"]) if earlier else Book(close.payload["start_equity"])
    bars = next(journal.entries("bars", session)).payload
    states = list(journal.entries("state", session))
    before = [entry for entry in journal.entries("state") if entry.session is None or entry.session < str(session)]
    booked = [(Action(name, dt.date.fromisoformat(day), kind, amount), entry.payload["entitled"])
              for entry in journal.entries("action", session) for name, day, kind, amount in [entry.payload["action"]]]
    return Live(
        start, close.payload["start_equity"], next(journal.entries("decision", session), None), bars["bars"],
        actions_in(bars), booked,
        {entry.payload["order_id"]: {**entry.payload, "entry": entry.kind} for kind in ("intent", "refused")
         for entry in journal.entries(kind, session)},
        list(journal.entries("fill", session)),
        {entry.payload["order_id"]: entry.payload["reason"] for entry in journal.entries("cancel", session)},
        states, close, bool(before) and _stopped(before[-1].payload))


def filled(live: Live, hand: bool) -> dict[str, list[Entry]]:
    """Fills by name, of orders that a decision or a rule sent, or of those that a person's switch did."""
    found: dict[str, list[Entry]] = {}
    for entry in live.fills:
        if of_hand(live, entry.payload["order_id"]) is hand:
            found.setdefault(entry.payload["instrument_id"], []).append(entry)
    return found


def of_hand(live: Live, order_id: str) -> bool:
    order = live.orders.get(order_id, {})
    return order.get("decision_id") is None and (live.hand_at_start or any(
        entry.payload.get("mode") == "flatten" for entry in live.states))


def late_names(live: Live, research: Market) -> dict[str, int]:
    """Names that were filled after the market's first minute of them, and by how many minutes."""
    found = {}
    for name, fills in filled(live, False).items():
        begun_us = to_us(dt.datetime.fromisoformat(fills[0].at))
        first_us = research.first_us.get(name, begun_us)
        if begun_us > first_us:
            found[name] = (begun_us - first_us) // 60_000_000
    return found


def by_a_hand(reason: str) -> bool:
    return any(word in reason for word in BY_HAND)


def all_by_hand(live: Live) -> bool:
    """Nothing was decided because a person had stopped the account before."""
    return live.decision is None and _touched(live)


def _touched(live: Live) -> bool:
    return live.hand_at_start or any(by_a_hand(entry.payload["reason"]) for entry in live.states)


def _stopped(told: Mapping[str, Any]) -> bool:
    return told["state"] != "ACTIVE" and by_a_hand(told["reason"])


def stopped_by_hand(live: Live, order_id: str) -> bool:
    order = live.orders[order_id]
    if order["entry"] == "refused":
        failed = next((check["limit"] for check in order["checks"] if not check["passed"]), "")
        return failed == "state" and _touched(live)
    return by_a_hand(live.cancels.get(order_id, ""))
