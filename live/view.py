"""The account as the journal tells it, in documents for a page or a program. Reads only; needs no running engine."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live.canonical import plain
from live.decided import decision
from live.journal import GENESIS, Entry, Journal
from live.recovery import equities
from live.risk import KillSwitch, Limits, Memory, RiskState
from live.seen import Seen
from live.virtual import not_traded, shadows
from models.market.costs import CostModel

if TYPE_CHECKING:
    from live.now import Now

Document = dict[str, Any]
SIGNAL_SESSIONS = 20
NOTED = ("state", "hold", "cooling", "hazard", "bundle")  # rows that a person should see without asking


@dataclass(frozen=True)
class View:
    """Where to look, and the limits that the runner was started with."""

    journal: Path
    kill_file: Path
    limits: Limits
    capital_usd: float
    running: "Now | None" = None  # the session that this very process trades, which no committed row tells yet

    @contextmanager
    def _open(self) -> Iterator[Seen | None]:
        if not self.journal.exists():
            yield None
            return
        book = Journal(self.journal, read_only=True)
        try:
            with book.snapshot():
                yield Seen(book, self.running.staged() if self.running else ())
        finally:
            book.close()

    def status(self) -> Document:
        thrown = KillSwitch(self.kill_file).thrown()
        kill = {"thrown": thrown is not None, "mode": thrown[0] if thrown else None}
        with self._open() as book:
            state, close = (book.last("state"), book.last("close")) if book else (None, None)
            rows, head = book.head() if book else (0, GENESIS)
            told = self._told(close)
            made = book.last("decision") if book and told.get("open") else None
            equity = told.get("equity", self.capital_usd)
            now = self.running
            return {
                "state": state.payload["state"] if state else RiskState.ACTIVE,
                "state_reason": state.payload["reason"] if state else "", "kill": kill,
                "session": told.get("session"), "as_of": told.get("time"), "open": bool(told.get("open")),
                "decision_id": made.payload["decision_id"] if made else told.get("decision_id"),
                "equity": equity, "pnl": told.get("pnl", 0.0), "costs": told.get("costs", 0.0),
                "drawdown": max(0.0, self._memory(book).drawdown(equity)) if book else 0.0,
                "positions": len(told.get("book", {}).get("holdings", {})),
                **{name: told.get(name, 0) for name in ("orders", "fills", "refused")},
                "journal": {"rows": rows, "head": head}, "process": now.vitals.document() if now else None,
                "events": [_event(entry) for entry in book.recent(NOTED, 12)] if book else [],
            }

    def positions(self) -> list[Document]:
        with self._open() as book:
            told = self._told(book.last("close") if book else None)
            if book is None or not told:
                return []
            symbols, equity = _symbols(book), told["equity"]
            made = [
                {"instrument_id": name, "symbol": symbols.get(name, name), "shares": shares, "price": price,
                 "priced": priced, "value": shares * price, "weight": plain(_share(shares * price, equity)),
                 "session_pnl": shares * (price - basis)}
                for name, (shares, price, priced, basis) in told["book"]["holdings"].items()
            ]
            return sorted(made, key=lambda row: (-row["value"], row["instrument_id"]))

    def pnl(self) -> Document:
        with self._open() as book:
            closes = list(book.entries("close")) if book else []
            kept = ("start_equity", "equity", "pnl", "costs", "trade_cost", "borrow", "interest", "dividends", "orders",
                    "fills", "refused", "state")
            sessions = [{"session": entry.session, **{name: entry.payload[name] for name in kept}} for entry in closes]
            return {"capital_usd": self.capital_usd, "sessions": sessions,
                    "total_pnl": math.fsum(row["pnl"] for row in sessions),
                    "total_costs": math.fsum(row["costs"] for row in sessions)}

    def decisions(self, count: int = 1) -> list[Document]:
        """The newest decisions, newest first, every name with what became of it and why."""
        with self._open() as book:
            return [decision(book, entry) for entry in book.recent(["decision"], count)] if book else []

    def trades(self, most: int) -> list[Document]:
        """The positions that were closed last, oldest first."""
        with self._open() as book:
            rows = book.recent(["outcome"], most) if book else []
            found = [{"instrument_id": name, "session": entry.payload["decided_for"], **item}
                     for entry in reversed(rows) for name, item in entry.payload["items"].items()]
            return found[-most:]

    def signals(self) -> Document:
        """Signals that were not traded, and challengers, with what either would have made."""
        with self._open() as book:
            if book is None:
                return {"not_traded": [], "shadows": []}
            first = book.recent(["decision"], SIGNAL_SESSIONS)
            return {"not_traded": not_traded(book, first[-1].seq if first else 0),
                    "shadows": shadows(book, CostModel.default())[-SIGNAL_SESSIONS:]}

    def bundle(self) -> Document | None:
        with self._open() as book:
            taken, made = (book.last("bundle"), book.last("decision")) if book else (None, None)
            if taken is None:
                return None
            strategy = made.payload["strategy"] if made else {"name": taken.payload["strategy"]}
            return {**taken.payload, "taken_at": taken.at, "strategy": strategy,
                    "features": made.payload["features"] if made else []}

    def rows_newest(self) -> int:
        with self._open() as book:
            return book.head()[0] if book else 0

    def rows_since(self, number: int, most: int) -> list[Entry]:
        """Rows after this one, as they were written."""
        with self._open() as book:
            return list(islice(book.entries(since=number + 1), most)) if book else []

    def used(self) -> list[Document]:
        """Each limit that is set and how much of it is used up, by the last close."""
        with self._open() as book:
            told = self._told(book.last("close") if book else None)
            equity = told.get("equity", self.capital_usd)
            memory = self._memory(book) if book else Memory.since(self.capital_usd, ())
            values = {name: abs(shares * price)
                      for name, (shares, price, *_) in told.get("book", {}).get("holdings", {}).items()}
            symbols = _symbols(book) if book else {}
        limits = self.limits
        start = told.get("start_equity", self.capital_usd)
        looked = [
            ("gross exposure", _share(math.fsum(values.values()), equity), limits.max_gross, "share"),
            ("largest position", _share(max(values.values(), default=0.0), equity), limits.max_weight, "share"),
            ("loss of the session", max(0.0, _share(start - equity, start)), limits.daily_loss_halt, "share"),
            ("drawdown", max(0.0, memory.drawdown(equity)), limits.drawdown_halt, "share"),
            ("loss of the month", max(0.0, memory.month_loss(equity)), limits.monthly_loss_halt, "share"),
            ("orders of the session", float(told.get("orders", 0)), limits.max_orders_per_session, "count"),
            ("losses in a row", float(memory.losses_in_a_row), limits.max_losses_in_a_row, "count"),
        ]
        for kind, of, cap in (("sector", limits.sectors, limits.max_sector),
                              ("class", limits.classes, limits.max_class)):
            by_group: dict[str, list[float]] = {}
            for name, value in values.items():
                by_group.setdefault(of.get(name, of.get(symbols.get(name, name), "unknown")), []).append(value)
            for group, together in sorted(by_group.items()):
                most = limits.class_caps.get(group, cap) if kind == "class" else cap
                looked.append((f"{kind} {group}", _share(math.fsum(together), equity), most, "share"))
        return [{"limit": name, "value": plain(value), "threshold": most, "unit": unit,
                 "used": plain(value / most if most > 0 else math.inf if value > 0 else 0.0)}
                for name, value, most, unit in looked if math.isfinite(most)]

    def _told(self, close: Entry | None) -> Document:
        """The account as of the last close, or as of the last bar of the session that runs."""
        now = self.running.document() if self.running else None
        if now is not None:
            return {**now, "open": True, "decision_id": None, "book": {"holdings": now["holdings"]}}
        return {**close.payload, "session": close.session, "time": close.at} if close else {}

    def _memory(self, book: Seen) -> Memory:
        return Memory.since(self.capital_usd, equities(book))


def _share(value: float, of: float) -> float:
    return value / of if of > 0 else math.nan


def _symbols(book: Seen) -> dict[str, str]:
    made = book.last("decision")
    return dict(zip(made.payload["names"], made.payload["symbols"], strict=True)) if made else {}


def _event(entry: Entry) -> Document:
    told = entry.payload
    match entry.kind:
        case "state":
            text = f"{told['was']} to {told['state']}: {told['reason']}"
        case "cooling":
            text = f"cooling off until {told['until']} after {told['losses_in_a_row']} losses in a row"
        case "hazard":
            text = " ".join(f"{name} {value}" for name, value in told.items() if name != "kind")
            text = f"{told['kind'].replace('_', ' ')}: {text}"
        case "bundle":
            text = f"bundle {told['seq']} ({told['strategy']}) was verified and taken up"
        case _:
            text = told["reason"]
    return {"kind": entry.kind, "at": entry.at, "session": entry.session, "text": text}
