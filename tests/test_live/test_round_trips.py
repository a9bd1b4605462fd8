"""A hundred times thrown at a moment of chance, by any hand, also while the strategy hangs; and each time set back."""

import random
import threading
import time
from pathlib import Path

import pytest

from live.__main__ import _reset
from live.adapters.paper import PaperVenue
from live.fakes import ListFeed
from live.guard import GuardedVenue, Watchdog
from live.journal import Journal
from live.ports import Ack, Order
from live.risk import KillMode, KillSwitch
from live.risk.switch import write_kill_file
from models.market.costs import CostModel
from tests.test_live import world
from tests.test_live.test_replay import bars, engine

COMING = world.world().coming
WITHIN_S = 1.0


class Ledger(PaperVenue):
    """What reached the venue and when; `hang` is what the strategy does after an order of chance."""

    def __init__(self) -> None:
        super().__init__(CostModel.default())
        self.taken: list[tuple[float, Order]] = []
        self.gone: set[str] = set()

    def submit(self, order: Order) -> Ack:
        self.taken.append((time.monotonic(), order))
        return super().submit(order)

    def cancel(self, order_id: str) -> bool:
        self.gone.add(order_id)
        return super().cancel(order_id)


class Trip:
    """One throw: at which order or bar, by whom, and whether the engine's thread hangs there."""

    def __init__(self, chance: random.Random, kill: Path, switch: KillSwitch, venue: Ledger) -> None:
        self._left = chance.randrange(1, 45)
        self._by, self._hung = chance.choice(["file", "api", "thread"]), chance.random() < 0.5
        self._mode = chance.choice(list(KillMode))
        self._kill, self._switch, self._venue = kill, switch, venue
        self.thrown_s = 0.0

    def step(self) -> None:
        """One more order or bar."""
        self._left -= 1
        if self._left:
            return
        waiting = {order.order_id for _, order in self._venue.taken} - self._venue.gone - self._filled()
        self.thrown_s = time.monotonic()
        match self._by:
            case "file":
                write_kill_file(self._kill, self._mode, "a hand")
            case "api":
                self._switch.throw(self._mode, "API")
            case _:
                other = threading.Thread(target=self._switch.throw, args=(self._mode, "another thread"))
                other.start()
                other.join()
        while self._hung and not waiting <= self._venue.gone:  # the strategy is stuck; the watchdog is not
            assert time.monotonic() - self.thrown_s < WITHIN_S, f"{waiting - self._venue.gone} still work"
            time.sleep(0.005)

    def _filled(self) -> set[str]:
        resting = {one.order.order_id for some in self._venue._resting.values() for one in some}
        return {order.order_id for _, order in self._venue.taken} - resting


def round_trip(bundles: Path, folder: Path, chance: random.Random) -> bool:
    """Whether the throw came while there was something to stop."""
    kill, path = folder / "KILL", folder / "j.sqlite"
    switch, venue = KillSwitch(kill), Ledger()
    trip = Trip(chance, kill, switch, venue)

    class Stepping(GuardedVenue):
        def submit(self, order: Order) -> Ack:
            ack = super().submit(order)
            trip.step()
            return ack

    guarded = Stepping(venue, switch)
    with Journal(path) as journal, Watchdog(switch, guarded).watching():
        trading = engine(bundles, journal, guarded, kill_file=kill)
        trading.run_session(COMING[0], ListFeed({COMING[0]: bars(0)}, meanwhile=lambda bar: trip.step()))
    assert trip.thrown_s
    late = [order for at_s, order in venue.taken if at_s > trip.thrown_s + WITHIN_S and not order.reduce_only]
    raised = [order for at_s, order in venue.taken if at_s > trip.thrown_s and not order.reduce_only]
    assert not late and not raised
    again = Ledger()
    with Journal(path) as journal:  # a new process finds it thrown
        trading = engine(bundles, journal, GuardedVenue(again, KillSwitch(kill)), kill_file=kill)
        trading.run_session(COMING[1], ListFeed({COMING[1]: bars(1)}))
        assert not [order for _, order in again.taken if not order.reduce_only]
    with pytest.raises(ValueError, match="remove it first"):
        _reset(path, "too early", kill)
    kill.unlink()
    _reset(path, "seen to", kill)
    after = Ledger()
    with Journal(path) as journal:
        last = journal.last("state")
        assert last is not None and last.payload["reason"] == "reset by hand: seen to" and journal.verify()
        trading = engine(bundles, journal, after, kill_file=kill)
        trading.run_session(COMING[2], ListFeed({COMING[2]: bars(2)}, actions=world.world().actions))
    assert after.taken
    return bool(venue.taken)


@pytest.mark.parametrize("trips", [2, pytest.param(100, marks=pytest.mark.slow)])
def test_round_trips_of_the_kill_switch(tmp_path: Path, trips: int) -> None:
    bundles = world.publish(tmp_path / "bundles")
    chance = random.Random(10)
    stopped = 0
    for number in range(trips):
        folder = tmp_path / str(number)
        folder.mkdir()
        stopped += round_trip(bundles, folder, chance)
    assert stopped >= trips // 2
