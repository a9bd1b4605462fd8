"""Our books against the venue's: positions, cash and open orders. A difference that nothing explains stops trading."""

import datetime as dt
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from live.orders.manager import LOST
from live.orders.states import State, Tracked
from live.ports import Broker, Holdings
from live.risk.state import RiskState

if TYPE_CHECKING:
    from live.desk import Desk

MOST_ACCRUALS = 12  # of the newest; their subsets are tried one by one
UNPAID = dt.timedelta(days=60)  # a dividend counts on its ex-date here, and at the venue when it is paid


@dataclass(frozen=True)
class Break:
    """One difference: of a position (shares by instrument), of the cash (dollars), or of an order (shares by id)."""

    kind: str
    name: str
    ours: float
    theirs: float
    note: str = ""

    def text(self) -> str:
        return f"{self.kind} {self.name}: ours {self.ours:,.10g}, theirs {self.theirs:,.10g}" + (
            f" ({self.note})" if self.note else "")


@dataclass(frozen=True)
class Tolerance:
    """How far the cash may be away: a venue rounds each fill's price and fee, and we cannot know how."""

    cash_usd: float = 1.0
    cash_per_fill_usd: float = 0.01
    cash_most_usd: float = 50.0


def differences(
    shares: Mapping[str, int], cash_usd: float, orders: Sequence[Tracked], theirs: Holdings, within_usd: float,
    accruals: Sequence[float] = (),
) -> list[Break]:
    """What the two books disagree on. `accruals` are dollars that ours counts and a venue may pay days later."""
    found = [Break("position", name, shares.get(name, 0), theirs.shares.get(name, 0))
             for name in sorted({*shares, *theirs.shares}) if shares.get(name, 0) != theirs.shares.get(name, 0)]
    if not _explained(cash_usd - theirs.cash_usd, accruals, within_usd):
        found.append(Break("cash", "USD", cash_usd, theirs.cash_usd,
                           f"{len(accruals)} unpaid accrual(s) do not explain it" if accruals else ""))
    open_here = {tracked.order.order_id: tracked for tracked in orders if tracked.state is State.OPEN}
    open_there = {standing.order_id: standing for standing in theirs.working}
    for order_id in sorted({*open_here, *open_there}):
        mine, its = open_here.get(order_id), open_there.get(order_id)
        ours_left = mine.order.quantity - mine.filled if mine else 0
        theirs_left = its.quantity - its.filled if its else 0
        if ours_left != theirs_left:
            instrument = mine.order.instrument_id if mine else its.instrument_id if its else ""
            found.append(Break("order", order_id, ours_left, theirs_left,
                               instrument if mine else f"{instrument}, an order that we do not know of"))
    return found


def _explained(missing_usd: float, accruals: Sequence[float], within_usd: float) -> bool:
    return any(abs(missing_usd - math.fsum(some)) <= within_usd
               for size in range(len(accruals) + 1) for some in combinations(accruals, size))


class Reconciler:
    """Looks at the start, every five minutes and after the close. Nothing is sent before the first clean look."""

    def __init__(self, venue: Broker, breaks: Path, tolerance: Tolerance,
                 reached: Callable[[str], None] | None = None) -> None:
        self._venue, self._breaks, self._tolerance, self._reached = venue, breaks, tolerance, reached
        self._silent = False
        self._told: list[Break] = []
        self.clean = False

    def look(self, desk: "Desk", when: str) -> bool:
        """Whether the books agree, or did when the venue last answered.

        What came in between two questions is asked again before it is called a break."""
        try:
            for _ in range(2):
                desk.orders.resolve(desk.booked, must=True)
                desk.orders.collect(desk.booked)
                theirs = self._venue.holdings()
                _book_charges(desk, theirs)
                if self._reached is not None:
                    self._reached("books.read")
                found = self._against(desk, theirs)
                if not found:
                    break
        except LOST as problem:
            if when == "start":
                raise  # a process that cannot see the venue's books ends, and is started again
            if not self._silent:
                self._silent = True
                desk.write("hazard", {"kind": "venue_silent", "when": when, "reason": str(problem)})
            return self.clean
        self._silent = False
        self.clean = not found
        if found and found != self._told:
            self._tell(desk, when, found)
        self._told = found
        if not found:
            desk.write("reconciled", {"when": when, "positions": len(theirs.shares), "orders": len(theirs.working),
                                      "cash": theirs.cash_usd})
        if self._reached is not None:
            self._reached("books.compared")
        return self.clean

    def _against(self, desk: "Desk", theirs: Holdings) -> list[Break]:
        limit = self._tolerance
        rounding_usd = limit.cash_usd + limit.cash_per_fill_usd * desk.journal.count("fill")
        since = desk.clock.now() - UNPAID
        accruals = [float(entry.payload["cash"]) for entry in desk.journal.recent(["action"], MOST_ACCRUALS)
                    if entry.payload["action"][2] == "dividend" and dt.datetime.fromisoformat(entry.at) >= since]
        within_usd = min(rounding_usd, limit.cash_most_usd)
        return differences(desk.book.shares(), desk.book.cash, desk.orders.working(), theirs, within_usd, accruals)

    def _tell(self, desk: "Desk", when: str, found: Sequence[Break]) -> None:
        """In the journal, as a report for a person, and as the end of trading until that person resets it."""
        desk.write("break", {"when": when, "breaks": [asdict(one) for one in found]})
        report = write_report(self._breaks, desk.clock.now().isoformat(), desk.terms.account, when, found)
        first, more = found[0].text(), f" and {len(found) - 1} more" if len(found) > 1 else ""
        desk.move(RiskState.HALTED, f"the venue's books differ: {first}{more}; report {report.name}")


def _book_charges(desk: "Desk", theirs: Holdings) -> None:
    """What the venue charged or paid by itself, each once: it names them, so they explain themselves."""
    if not theirs.charges:
        return
    known = {entry.payload["charge_id"] for entry in desk.journal.entries("charge")}
    first = not known and not desk.journal.count("reconciled")
    for charge in theirs.charges:
        if charge.charge_id not in known:
            usd = 0.0 if first else charge.usd  # from before this journal: the capital that it began with holds it
            desk.write("charge", {"charge_id": charge.charge_id, "what": charge.kind, "usd": usd})
            desk.book.cash += usd


def write_report(folder: Path, at: str, account: str, when: str, found: Sequence[Break]) -> Path:
    """The break report: JSON for a program, text for a person; the text's path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "break-" + at.replace(":", "").replace("+0000", "Z")
    text = [f"BREAK on account {account}, {when}, {at}", "",
            "Our books and the venue's differ, and nothing in the journal explains it:", "",
            *(f"  {one.text()}" for one in found), "",
            "Trading is HALTED and stays so over restarts. Find the cause. Then correct it at the venue, or take the",
            "venue's figures over with `live adopt REASON`; then `live --reset REASON`.", ""]
    document = {"account": account, "at": at, "when": when, "breaks": [asdict(one) for one in found]}
    for name, body in ((f"{stem}.json", json.dumps(document, indent=1) + "\n"), (f"{stem}.txt", "\n".join(text))):
        staged = folder / f".{name}"
        with open(staged, "w") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, folder / name)
    return folder / f"{stem}.txt"
