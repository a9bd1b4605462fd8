"""The switch stops what raises risk at once, by whatever hand; flatten sells down to nothing, and both stick."""

import datetime as dt
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from live.adapters.paper import PaperVenue
from live.fakes import ListFeed
from live.journal import Journal
from live.ports import Ack, Bar, Order
from live.risk import KillMode, KillSwitch, Limits, RiskState
from live.risk.switch import write_kill_file
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world
from tests.test_live.test_replay import bars, engine

COMING = world.world().coming
STEADY = [minute for minute in range(390)]  # a bar a minute, so that reduce-only orders find one


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.publish(tmp_path_factory.mktemp("bundles"))


def steady(session: int, volume: float = 50_000.0) -> list[Bar]:
    """The opening bar of each name again every minute, a little thinner."""
    opening = bars(session)[: len(world.NAMES)]
    return [bar._replace(start_us=bar.start_us + minute * 60_000_000, volume=volume if minute else bar.volume)
            for minute in STEADY for bar in opening]


def states(journal: Journal) -> list[str]:
    return [entry.payload["state"] for entry in journal.entries("state")]


@pytest.mark.parametrize(("text", "mode"), [
    ("", KillMode.HALT), ("flatten now\n", KillMode.FLATTEN), ("FLATTEN", KillMode.HALT), ("\0\xff", KillMode.HALT)])
def test_the_files_first_word_is_the_mode_and_anything_else_a_halt(tmp_path: Path, text: str, mode: KillMode) -> None:
    switch = KillSwitch(tmp_path / "KILL")
    assert switch.thrown() is None
    (tmp_path / "KILL").write_text(text)
    assert switch.thrown() == (mode, "kill file KILL")


@pytest.mark.parametrize("odd", ["folder", "pipe", "link", "beneath a file"])
def test_a_switch_that_cannot_be_read_is_thrown(tmp_path: Path, odd: str) -> None:
    file = tmp_path / "KILL"
    match odd:
        case "folder":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
        case "link":
            file.symlink_to(tmp_path / "nowhere")
        case _:
            file.touch()
            file = file / "KILL"
    assert (KillSwitch(file).thrown() or [None])[0] is KillMode.HALT


def test_a_signal_throws_it_for_this_process_and_every_later_one(tmp_path: Path) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGUSR2)}
    try:
        switch = KillSwitch(tmp_path / "KILL")
        switch.listen()
        os.kill(os.getpid(), signal.SIGUSR2)
        assert switch.thrown() == (KillMode.FLATTEN, "kill file KILL")
        os.kill(os.getpid(), signal.SIGUSR1)
        assert KillSwitch(tmp_path / "KILL").thrown() == (KillMode.HALT, "kill file KILL")
        nowhere = KillSwitch(tmp_path / "no" / "folder" / "KILL")
        nowhere.listen()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert nowhere.thrown() == (KillMode.HALT, "signal SIGUSR1")  # though its file cannot be written
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ThrownBetween(PaperVenue):
    """A paper venue during whose n-th answer somebody throws the switch."""

    def __init__(self, after: int, throw: Callable[[], None]) -> None:
        super().__init__(CostModel.default())
        self._after, self._throw, self.got = after, throw, 0

    def submit(self, order: Order) -> Ack:
        self.got += 1
        if self.got == self._after:
            self._throw()
        return super().submit(order)


@pytest.mark.parametrize("after", [1, 3])
def test_nothing_more_is_sent_once_it_is_thrown_between_two_orders(
    bundles: Path, tmp_path: Path, after: int
) -> None:
    venue = ThrownBetween(after, lambda: write_kill_file(tmp_path / "KILL", KillMode.HALT, "a hand"))
    with Journal(tmp_path / "j.sqlite") as journal:
        trading = engine(bundles, journal, venue, kill_file=tmp_path / "KILL")
        trading.run_session(COMING[0], ListFeed({COMING[0]: bars(0)}))
        intents = list(journal.entries("intent"))
        assert venue.got == after < len(intents) == len(list(journal.entries("cancel")))
        assert states(journal) == ["HALTED"] and not trading.book.shares()


@pytest.mark.parametrize("minute", [1, 7, 61, 385])
def test_flatten_in_mid_session_only_reduces_then_halts(bundles: Path, tmp_path: Path, minute: int) -> None:
    opening = bars(0)[0].start_us

    def throw(bar: Bar) -> None:
        if bar.start_us == opening + minute * 60_000_000:
            write_kill_file(tmp_path / "KILL", KillMode.FLATTEN, "a hand")

    with Journal(tmp_path / "j.sqlite") as journal:
        trading = engine(bundles, journal, kill_file=tmp_path / "KILL", limits=Limits(max_order_notional_usd=1e6))
        trading.run_session(COMING[0], ListFeed({COMING[0]: steady(0, 200_000.0)}, meanwhile=throw))
        if minute < 385:
            assert states(journal) == ["REDUCING", "HALTED"] and not trading.book.shares()
        held: dict[str, int] = {}
        thrown_at = next(entry.seq for entry in journal.entries("state"))
        for entry in journal.entries("fill"):
            before = held.get(entry.payload["instrument_id"], 0)
            held[entry.payload["instrument_id"]] = after = before + entry.payload["quantity"]
            if entry.seq > thrown_at:
                assert abs(after) < abs(before) and after * before >= 0
        sent = [e.payload for e in journal.entries("intent") if e.seq > thrown_at]
        assert sent and all(row["reduce_only"] and abs(row["quantity"]) * row["reference_price"] <= 1e6
                            for row in sent)


def test_flatten_goes_on_over_a_restart_and_a_session_although_its_file_is_gone(
    bundles: Path, tmp_path: Path
) -> None:
    kill = tmp_path / "KILL"
    first = steady(0, 50.0)
    thin = ListFeed({COMING[0]: first}, meanwhile=lambda bar: bar == first[10] and kill.write_text("flatten"))
    with Journal(tmp_path / "j.sqlite") as journal:
        engine(bundles, journal, kill_file=kill).run_session(COMING[0], thin)
        assert states(journal) == ["REDUCING"]  # five shares a minute are not enough
    kill.unlink()
    with Journal(tmp_path / "j.sqlite") as journal:
        trading = engine(bundles, journal, kill_file=kill)
        assert trading.book.shares()
        trading.run_session(COMING[1], ListFeed({COMING[1]: steady(1)}))
        assert states(journal) == ["REDUCING", "HALTED"] and not trading.book.shares()
        assert not list(journal.entries("decision", COMING[1]))
        trading.run_session(COMING[2], ListFeed({COMING[2]: steady(2)}))
        assert states(journal)[-1] == "HALTED" and not list(journal.entries("intent", COMING[2]))
        assert journal.verify()


def test_a_halt_ends_a_flattening_and_a_split_of_what_is_held_is_booked_first(bundles: Path, tmp_path: Path) -> None:
    kill, name = tmp_path / "KILL", world.NAMES[1]
    with Journal(tmp_path / "j.sqlite") as journal:
        trading = engine(bundles, journal, kill_file=kill)
        for number in (0, 1):
            trading.run_session(COMING[number], ListFeed({COMING[number]: bars(number)}))
        before = trading.book.shares()[name]
        kill.write_text("flatten")
        feed = ListFeed({COMING[2]: steady(2)[: len(world.NAMES)]}, actions=world.world().actions,
                        meanwhile=lambda bar: kill.write_text("halt"))
        trading.run_session(COMING[2], feed)
        sent = {entry.payload["instrument_id"]: entry.payload for entry in journal.entries("intent", COMING[2])}
        assert sent[name]["quantity"] == -2 * before
        assert states(journal) == ["REDUCING", "HALTED"]


def test_the_way_down_from_the_peak_reduces_and_halts_over_sessions(bundles: Path, tmp_path: Path) -> None:
    limits = Limits(drawdown_reduce=1e-6, drawdown_halt=0.2, daily_loss_reduce=0.9, daily_loss_halt=0.9)
    with Journal(tmp_path / "j.sqlite") as journal:
        trading = engine(bundles, journal, limits=limits)
        trading.run_session(COMING[0], ListFeed({COMING[0]: bars(0)}))
        assert states(journal) == [RiskState.REDUCING]  # costs alone are more than this limit
        trading.memory.peak_equity *= 1.3
        trading.run_session(COMING[1], ListFeed({COMING[1]: bars(1)}))
        entry = journal.last("state")
        assert entry is not None and entry.payload["state"] == RiskState.HALTED
        assert entry.payload["reason"].startswith("drawdown 0.2") and not list(journal.entries("intent", COMING[1]))


def test_losses_in_a_row_cool_the_account_off_and_the_journal_says_until_when(bundles: Path, tmp_path: Path) -> None:
    limits = Limits(max_losses_in_a_row=1, cooling_off_s=86_400.0)
    with Journal(tmp_path / "j.sqlite") as journal:
        for number in (0, 1):
            trading = engine(bundles, journal, limits=limits)  # a restart in between forgets nothing
            if number:
                trading.memory.exited(calendars.open_at(COMING[1]) - dt.timedelta(hours=2), -1.0)
            trading.run_session(COMING[number], ListFeed({COMING[number]: bars(number)}))
        (told,) = journal.entries("cooling")
        assert dt.datetime.fromisoformat(told.payload["until"]) > dt.datetime.fromisoformat(told.at)
        closed = next(iter(journal.entries("close", COMING[0]))).payload["book"]["holdings"]
        for entry in journal.entries("intent", COMING[1]):
            assert closed[entry.payload["instrument_id"]][0] * entry.payload["quantity"] < 0


def test_many_may_throw_at_once_and_none_is_told_that_it_failed(tmp_path: Path) -> None:
    file, together, failed = tmp_path / "KILL", threading.Barrier(8), []

    def throw(number: int) -> None:
        for _ in range(25):
            together.wait(20)
            try:
                write_kill_file(file, KillMode.HALT, f"thread {number}")
            except OSError as problem:
                failed.append(problem)

    threads = [threading.Thread(target=throw, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == [] and [path.name for path in tmp_path.iterdir()] == ["KILL"]
    assert file.read_text().startswith("halt thread ")
