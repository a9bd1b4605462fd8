"""The account within the running session, from the rows and bars that pass by: what no committed row tells yet."""

import datetime as dt
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from live.book import Book
from live.clock import from_us
from live.hub import Hub
from live.journal import Entry, Journal
from live.ports import Action, Bar, Feed, Fill, Quiet
from live.vitals import Vitals

MINUTE_US = 60_000_000
STAGED = 50  # rows kept from before the session: by then they are committed


class Now:
    """Listens to the engine's thread, answers to any other."""

    def __init__(self, hub: Hub, vitals: Vitals, capital_usd: float) -> None:
        self.hub, self.vitals = hub, vitals
        self._lock = threading.Lock()
        self._book = Book(capital_usd)
        self._start_equity = capital_usd
        self._session: str | None = None
        self._time_us = 0
        self._prices: dict[str, float] = {}
        self._bases: dict[str, float] = {}
        self._counts = {"orders": 0, "fills": 0, "refused": 0}
        self._costs = 0.0
        self._staged: list[Entry] = []

    def resume(self, closed: Entry | None) -> None:
        """Begin from the last close in the journal."""
        if closed is not None:
            with self._lock:
                self._book, self._start_equity = Book.from_json(closed.payload["book"]), closed.payload["equity"]

    def opened(self, session: dt.date) -> None:
        with self._lock:
            self._session, self._costs = session.isoformat(), 0.0
            del self._staged[:-STAGED]
            self._counts = dict.fromkeys(self._counts, 0)
            self._prices.clear()
            self._bases = {name: holding.price for name, holding in self._book.holdings.items()}

    def ended(self) -> None:
        """The runner stops: what was not committed never was."""
        with self._lock:
            self._session = None
            self._staged.clear()

    def on_bar(self, bar: Bar) -> None:
        with self._lock:
            self._prices[bar.instrument_id], self._time_us = bar.close, bar.start_us + MINUTE_US
            self._bases.setdefault(bar.instrument_id, bar.open)
        self.hub.publish("bar", **bar._asdict())

    def on_quiet(self, quiet: Quiet) -> None:
        self._time_us = max(self._time_us, quiet.until_us + MINUTE_US)

    def on_row(self, entry: Entry) -> None:
        told, kind = entry.payload, entry.kind
        with self._lock:
            self._staged.append(entry)
            match kind:
                case "intent":
                    self._counts["orders"] += 1
                case "refused":
                    self._counts["refused"] += 1
                case "fill":
                    self._counts["fills"] += 1
                    self._costs += told["cost"]
                    self._book.fill(Fill(told["order_id"], told["instrument_id"], 0, told["quantity"], told["price"],
                                         told["cost"], {}), dt.date.fromisoformat(entry.session or ""))
                case "action":
                    name, day, what, amount = told["action"]
                    self._book.apply(Action(name, dt.date.fromisoformat(day), what, amount), told["entitled"])
                case "close":
                    self._book, self._start_equity = Book.from_json(told["book"]), told["equity"]
                    self._session = None
        self.hub.publish(kind, seq=entry.seq, session=entry.session, at=entry.at, told=brief(entry))

    def staged(self) -> list[Entry]:
        """The rows written last, committed or not."""
        with self._lock:
            return list(self._staged)

    def document(self) -> dict[str, Any] | None:
        """The session that is running, as of the last bar; None between sessions."""
        with self._lock:
            if self._session is None:
                return None
            held = []
            for name, holding in sorted(self._book.holdings.items()):
                if holding.shares:
                    price = self._prices.get(name, holding.price)
                    held.append((name, holding.shares, price, self._bases.get(name, price)))
            equity = math.fsum([self._book.cash, *(shares * price for _, shares, price, _ in held)])
            return {"session": self._session, "time": from_us(self._time_us).isoformat() if self._time_us else None,
                    "equity": equity, "start_equity": self._start_equity, "pnl": equity - self._start_equity,
                    "costs": self._costs, **self._counts,
                    "holdings": {name: [shares, price, self._session, basis] for name, shares, price, basis in held}}


# Rows whose whole payload a watcher sees; of the others, only what they are about.
WHOLE = ("state", "hold", "cooling", "hazard", "bundle", "intent", "refused", "ack", "fill", "cancel", "action",
         "outcome", "close", "break")


def brief(entry: Entry) -> dict[str, Any]:
    """What a watcher is told of a row: a decision is told name by name by the API."""
    if entry.kind in WHOLE:
        return entry.payload
    return {name: entry.payload[name] for name in ("decision_id", "equity", "state") if name in entry.payload}


class ToldJournal(Journal):
    """A journal that tells each row as it is written, for a page that looks on. What a crash undoes was told too."""

    def __init__(self, path: Path, tell: Callable[[Entry], None], *, ahead: bool = False) -> None:
        super().__init__(path, ahead=ahead)
        self._tell = tell

    def append(self, kind: str, session: dt.date | None, at: dt.datetime | str, payload: dict[str, Any]) -> Entry:
        entry = super().append(kind, session, at, payload)
        self._tell(entry)
        return entry

    def write(self, kind: str, session: dt.date | None, at: dt.datetime | str, payload: dict[str, Any]) -> None:
        self.append(kind, session, at, payload)


class WatchedFeed:
    """A feed whose bars are told, and the time that the engine takes over each is measured."""

    def __init__(self, feed: Feed, now: Now) -> None:
        self._feed, self._now = feed, now
        self._session: dt.date | None = None
        self._actions: Sequence[Action] = ()

    def sessions(self) -> Sequence[dt.date]:
        return self._feed.sessions()

    def actions(self, session: dt.date) -> Sequence[Action]:
        if session != self._session:  # asked once a session: the engine asks more often, a vendor should not be
            self._session, self._actions = session, tuple(self._feed.actions(session))
            self._now.opened(session)
        return self._actions

    def bars(self, session: dt.date) -> Iterator[Bar | Quiet]:
        now, vitals = self._now, self._now.vitals
        for bar in self._feed.bars(session):
            if isinstance(bar, Bar):
                vitals.heard()
                now.on_bar(bar)
            else:
                now.on_quiet(bar)
            with vitals.measured():
                yield bar
