"""Two runners on one account, the first of them asleep: the second is told so, and a stale one sends nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from live.journal import Journal, JournalBusy, JournalUnwritable
from live.orders import OrderManager, State, manager
from live.ports import Order
from live.recovery import orders_in
from tests.test_live.test_journal import AT, DAY
from tests.venues import plain
from tests.venues.exchange import Exchange
from tests.venues.plain import PlainVenue

ROOT = Path(__file__).resolve().parents[2]
ORDER = Order("o-1", "A", 100, None)
RUNNER = """
import os, signal, sys
from pathlib import Path
from live.journal import Journal, JournalBusy
from live.orders import OrderManager
from live.ports import Order
from tests.test_live.test_journal import AT, DAY
from tests.venues.plain import PlainVenue
folder = Path(sys.argv[1])
with Journal(folder / "j.sqlite", ahead=True) as journal:
    orders = OrderManager(PlainVenue(folder / "venue.sock"), lambda kind, told: journal.append(kind, DAY, AT, told),
                          lambda name: os.kill(os.getpid(), signal.SIGSTOP) if name == sys.argv[2] else None,
                          journal.check)
    try:
        orders.submit_order(Order("o-1", "A", 100, None))
    except JournalBusy as fenced:
        print(fenced)
"""


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[PlainVenue]:
    with plain.running(tmp_path) as running:
        yield running


def arrivals(folder: Path) -> list[tuple[str, bool]]:
    exchange = Exchange(folder / "ledger.sqlite")
    try:
        return exchange.arrivals()
    finally:
        exchange.close()


@pytest.mark.parametrize("asleep_at", ["order.intended", "order.sending"])
def test_a_runner_that_was_stopped_sends_nothing_once_another_trades(
    tmp_path: Path, venue: PlainVenue, asleep_at: str
) -> None:
    first = subprocess.Popen([sys.executable, "-c", RUNNER, str(tmp_path), asleep_at], cwd=ROOT, text=True,
                             stdout=subprocess.PIPE)
    _, status = os.waitpid(first.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    with pytest.raises(JournalBusy, match=rf"process {first.pid} on .*, which is stopped: continue it or end it"):
        Journal(tmp_path / "j.sqlite", ahead=True)
    assert not arrivals(tmp_path)
    (tmp_path / "j.sqlite.lock").unlink()  # what a person may do who does not believe it
    with Journal(tmp_path / "j.sqlite", ahead=True) as journal:
        orders = OrderManager(venue, lambda kind, told: journal.append(kind, DAY, AT, told), fence=journal.check)
        for tracked in orders_in(journal.entries()):
            orders.adopt(tracked)
        assert orders.resolve(lambda fill: None) and orders.send("o-1").accepted
    os.kill(first.pid, signal.SIGCONT)
    told, _ = first.communicate(timeout=30)
    assert "another one may be trading the account, so this one stops" in told
    assert arrivals(tmp_path) == [("o-1", True)]
    with Journal(tmp_path / "j.sqlite", ahead=True) as journal:
        assert [entry.kind for entry in journal.entries()] == ["intent", "ack"] and journal.verify() == 2


def test_a_decision_that_slept_is_too_old_to_be_sent(tmp_path: Path, venue: PlainVenue,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock that a person or a server can set takes part in it."""
    now_s = [1_000.0]
    monkeypatch.setattr(manager, "_awake", lambda: now_s[0])
    orders = OrderManager(venue)
    orders.intend(ORDER)
    now_s[0] += 3_600.0
    assert not orders.send("o-1").accepted
    assert orders["o-1"].state is State.CANCELLED and "stopped for 3600 s" in orders["o-1"].reason
    assert not arrivals(tmp_path)


def test_what_cannot_be_written_down_is_not_sent(tmp_path: Path, venue: PlainVenue) -> None:
    def full(kind: str, told: dict[str, object]) -> None:
        raise JournalUnwritable("the disk is full")

    orders = OrderManager(venue, full)
    with pytest.raises(JournalUnwritable):
        orders.submit_order(ORDER)
    assert not arrivals(tmp_path)
