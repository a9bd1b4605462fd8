"""A person throws the switch from outside: first durably by file, then in the journal, if no runner holds it."""

import datetime as dt
from pathlib import Path

from live.journal import Journal, JournalBusy
from live.risk import KillMode, RiskState
from live.risk.switch import write_kill_file


def throw(kill_file: Path, journal: Path, mode: KillMode, by: str, now: dt.datetime) -> bool:
    """Throw it; whether the journal tells it already. A runner that holds the journal writes it itself, at once."""
    write_kill_file(kill_file, mode, by)
    if not journal.exists():
        return False
    try:
        book = Journal(journal)
    except JournalBusy:
        return False
    with book:
        last, closed = book.last("state"), book.last("close")
        was = RiskState(last.payload["state"]) if last else RiskState.ACTIVE
        held = bool(closed and closed.payload["book"]["holdings"])
        if mode is KillMode.FLATTEN and held and (last is None or last.payload.get("mode") != mode):
            book.append("state", None, now, {"state": RiskState.REDUCING, "was": was, "reason": f"{by}: flatten",
                                             "mode": mode})
        elif was is not RiskState.HALTED and not (mode is KillMode.FLATTEN and held):
            book.append("state", None, now, {"state": RiskState.HALTED, "was": was, "reason": by})
    return True
