"""In real time the runner does what a replay does, bit for bit, and can be watched and stopped meanwhile."""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from live.adapters.feed_paced import PacedFeed
from live.adapters.paper import PaperVenue
from live.adapters.tape import TapeFeed
from live.fakes import ListFeed
from live.hub import Hub
from live.journal import Entry, Journal
from live.pace import Pace
from live.ports import Ack, Bar, Order, Quiet
from live.replay import ReplayReport, replay
from live.risk import KillMode, Limits
from live.risk.switch import write_kill_file
from live.running import Runner
from models.bundle import SessionTimes
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world

COMING = world.world().coming
SPEED = 30_000.0  # a session in a second


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.publish(tmp_path_factory.mktemp("bundles"))


def runner(bundles: Path, folder: Path, *, count: int = 1, speed: float = SPEED, before_s: float = 1900.0,
           **more: Any) -> Runner:
    pace = Pace(calendars.open_at(COMING[0]) - dt.timedelta(seconds=before_s), speed)
    tape = TapeFeed(world.tape(folder / f"tape-{count}.parquet", 0, count))
    return Runner(bundles, folder / "live.sqlite", lambda bundle: PacedFeed(
        tape, pace, {times.session: times for times in bundle.calendar}), pace,
                  [world.PUBLIC], folder / "KILL", **more)


@contextmanager
def running(one: Runner) -> Iterator[list[ReplayReport]]:
    """The runner in a thread of its own, ended with the block."""
    told: list[ReplayReport] = []
    thread = threading.Thread(target=lambda: told.append(one.run()), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        one.pace.stop()
        thread.join(20)
        assert not thread.is_alive() and told, "the runner did not end"


def until(what: Any, within_s: float = 10.0) -> None:
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < within_s, "it never came to pass"
        time.sleep(0.005)


def test_a_paced_session_makes_the_chain_that_a_replay_makes(bundles: Path, tmp_path: Path) -> None:
    expected = replay(bundles, world.tape(tmp_path / "tape.parquet", 0, 2), tmp_path / "tape.sqlite",
                      verify_keys=[world.PUBLIC])
    one = runner(bundles, tmp_path, count=2, speed=200_000.0)
    report = one.run()
    assert [row.pnl for row in report.sessions] == [row.pnl for row in expected.sessions]
    with Journal(tmp_path / "live.sqlite") as mine, Journal(tmp_path / "tape.sqlite") as theirs:
        for ours, other in zip(mine.entries(), theirs.entries(), strict=True):
            assert (ours.kind, ours.session, ours.payload) == (other.kind, other.session, other.payload)
            assert ours.at == other.at or ours.kind == "bundle"  # which is taken up when the runner starts
    assert one.now.document() is None and one.vitals.took_ms(0.99) is not None


def test_what_happens_is_told_while_it_does_and_adds_up(bundles: Path, tmp_path: Path) -> None:
    one = runner(bundles, tmp_path, speed=60_000.0)
    seen: list[dict[str, Any]] = []
    with running(one) as told:
        until(lambda: (document := one.now.document()) is not None and document["fills"] and not seen.append(document))
        until(lambda: bool(told))
    assert seen[0]["session"] == COMING[0].isoformat() and seen[0]["equity"] > 9e6
    kinds = [event["kind"] for event in one.hub.since(0)]
    assert {"bundle", "decision", "intent", "ack", "bar", "fill", "close"} <= set(kinds)
    assert kinds.count("bar") == len(world.NAMES) * len(world.MINUTES)
    close = [event for event in one.hub.since(0) if event["kind"] == "close"][-1]
    assert close["told"]["equity"] == told[0].sessions[0].end_equity


def test_a_runner_that_ends_in_mid_session_leaves_nothing_half_done(bundles: Path, tmp_path: Path) -> None:
    one = runner(bundles, tmp_path, speed=3_000.0)
    with running(one) as told:
        until(lambda: (one.now.document() or {}).get("fills"))
    assert not told[0].sessions and "taken up again" in told[0].notes[-1]
    again = runner(bundles, tmp_path, before_s=-3600.0).run()  # an hour late: what was missed is caught up with
    fresh = replay(bundles, world.tape(tmp_path / "tape.parquet", 0, 1), tmp_path / "fresh.sqlite",
                   verify_keys=[world.PUBLIC])
    assert [row.pnl for row in again.sessions] == [row.pnl for row in fresh.sessions]


def test_signs_of_life_claim_no_minute_that_is_not_over(tmp_path: Path) -> None:
    opened = calendars.open_at(COMING[0])
    start_us = int(opened.timestamp() * 1e6)
    bars = [Bar("A", start_us + minute * 60_000_000, 1.0, 1.0, 1.0, 1.0, 1.0) for minute in (0, 1, 5)]
    pace = Pace(opened, 100_000.0)
    calendar = {COMING[0]: SessionTimes(COMING[0], opened, opened + dt.timedelta(minutes=9))}
    told = list(PacedFeed(ListFeed({COMING[0]: bars}), pace, calendar).bars(COMING[0]))
    assert [one for one in told if isinstance(one, Bar)] == bars
    for index, one in enumerate(told):
        if isinstance(one, Quiet):
            assert all(later.start_us >= one.until_us for later in told[index:] if isinstance(later, Bar))
    assert pace.now() >= opened + dt.timedelta(minutes=10)


def test_a_slow_watcher_is_told_what_it_missed() -> None:
    hub = Hub(size=3)
    for number in range(5):
        hub.publish("x", i=number)
    assert [event["n"] for event in hub.since(3)] == [4, 5]
    assert hub.since(0)[0] == {"n": 2, "kind": "gap", "missed": 2} and len(hub.since(0)) == 4
    assert hub.since(5) == [] and hub.newest == 5


class Noted(PaperVenue):
    """A paper venue that keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(CostModel.default())
        self.sent: list[Order] = []
        self.cancelled: list[str] = []

    def submit(self, order: Order) -> Ack:
        self.sent.append(order)
        return super().submit(order)

    def cancel(self, order_id: str) -> bool:
        self.cancelled.append(order_id)
        return super().cancel(order_id)


def test_a_hung_strategy_is_stopped_within_a_second_and_sends_nothing_when_it_comes_back(
    bundles: Path, tmp_path: Path
) -> None:
    venue, released = Noted(), threading.Event()
    one = runner(bundles, tmp_path, venue=venue)
    on_row = one.now.on_row

    def hang(entry: Entry) -> None:
        on_row(entry)
        if entry.kind == "ack" and len(venue.sent) == 2:
            released.wait(20)  # the engine's own thread goes no further

    one.now.on_row = hang  # type: ignore[method-assign]
    with running(one) as told:
        until(lambda: len(venue.sent) == 2)
        begun = time.monotonic()
        write_kill_file(tmp_path / "KILL", KillMode.HALT, "a hand")
        until(lambda: len(venue.cancelled) == 2, within_s=1.0)
        assert time.monotonic() - begun < 1.0
        released.set()
        until(lambda: bool(told))
    assert len(venue.sent) == 2 and told[0].sessions[0].state == "HALTED" and told[0].sessions[0].fills == 0
    assert [event["cancelled"] for event in one.hub.since(0) if event["kind"] == "kill"] == [2]
    with Journal(tmp_path / "live.sqlite", read_only=True) as book:
        kinds = [entry.kind for entry in book.entries(session=COMING[0])]
        assert kinds.count("cancel") == kinds.count("intent")


def test_limits_reach_the_engine_of_a_runner(bundles: Path, tmp_path: Path) -> None:
    report = runner(bundles, tmp_path, limits=Limits(max_gross=0.0)).run()
    assert report.sessions[0].orders == 0 and report.sessions[0].refused > 0
