"""Two days of the real engine on a venue that keeps books in a process of its own, told by forks that may be killed."""

import datetime as dt
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from live.clock import TapeClock
from live.engine import Engine, Terms
from live.fakes import ListFeed
from live.journal import Journal
from live.ports import Bar
from live.risk import Limits
from models.bundle import Bundle
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world
from tests.test_live.test_replay import bars
from tests.venues.exchange import Exchange
from tests.venues.plain import PlainVenue

SESSIONS = 2
KILLED = -signal.SIGKILL
Reached = Callable[[str], None]


def trade(folder: Path, bundle: Bundle, reached: Reached, limits: Limits | None = None) -> None:
    """What a started runner does: take up what there is, trade what is left, in this process."""
    here, venue = world.world(), PlainVenue(folder / "venue.sock")

    def market(bar: Bar) -> None:
        reached("bar.in")
        venue.ask("trade", symbol=bar.instrument_id, price=bar.open, at_us=bar.start_us, fee=1.0)

    costs = CostModel.default()
    with Journal(folder / "journal.sqlite", ahead=True) as journal:
        closed = {entry.session for entry in journal.entries("close")}
        todo = [number for number in range(SESSIONS) if here.coming[number].isoformat() not in closed]
        if todo:
            start = calendars.open_at(here.coming[todo[0]]) - dt.timedelta(hours=1)
            engine = Engine(bundle, journal, venue, TapeClock(start),
                            Terms("real", limits or Limits(), costs, folder / "kill"), reached)
            for number in todo:
                session = here.coming[number]
                engine.run_session(session, ListFeed({session: bars(number)}, meanwhile=market))


def in_a_fork(work: Callable[[], None]) -> int:
    """How a process that does it ends."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            work()
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def dying_at(point: str, nth: int) -> Reached:
    """Ends the process by SIGKILL when a point is reached for the nth time."""
    seen = 0

    def reached(name: str) -> None:
        nonlocal seen
        if name == point:
            seen += 1
            if seen == nth:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached


def story(folder: Path) -> dict[str, Any]:
    """What must be the same however often the runner was killed: decisions, orders, fills and books, here and there."""
    journal, exchange = Journal(folder / "journal.sqlite", read_only=True), Exchange(folder / "ledger.sqlite")
    try:
        journal.verify()
        rows = {kind: list(journal.entries(kind)) for kind in ("decision", "intent", "fill", "cancel", "ack", "close",
                                                               "break", "state", "action")}
        taken = [name for name, was in exchange.arrivals() if was]
        intents = [entry.payload["order_id"] for entry in rows["intent"]]
        assert sorted(taken) == sorted(intents), "the venue took other orders than were intended"
        assert len(set(intents)) == len(intents), "an order was intended twice"
        filled: dict[str, int] = {}
        for entry in rows["fill"]:
            filled[entry.payload["order_id"]] = filled.get(entry.payload["order_id"], 0) + entry.payload["quantity"]
        assert filled == {order.client_id: int(order.filled) for order in exchange.orders() if order.filled}
        ended = {entry.payload["order_id"] for kind in ("fill", "cancel") for entry in rows[kind]
                 if kind == "cancel" or entry.payload["state"] == "FILLED"}
        ended |= {entry.payload["order_id"] for entry in rows["ack"] if entry.payload["state"] == "REJECTED"}
        assert ended == set(intents), "an order was left without an end"
        book = rows["close"][-1].payload["book"]
        assert {name: held[0] for name, held in book["holdings"].items()} == exchange.positions()
        assert abs(book["cash"] - exchange.cash()) < 0.01
        assert not rows["break"] and not rows["state"]
        return {"decisions": [entry.payload["decision_id"] for entry in rows["decision"]], "orders": sorted(intents),
                "filled": filled, "book": {name: held[0] for name, held in book["holdings"].items()},
                "cash": round(book["cash"], 2), "closes": [entry.session for entry in rows["close"]],
                "counts": [[entry.payload[name] for name in ("orders", "fills", "refused")] for entry in rows["close"]]}
    finally:
        journal.close()
        exchange.close()
