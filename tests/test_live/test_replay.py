"""A tape is traded once, whatever happens in between, and everything that stops trading stops it."""

import datetime as dt
import subprocess
import sys
from dataclasses import replace as with_changes
from pathlib import Path

import pytest

from live.adapters.paper import PaperVenue
from live.clock import TapeClock
from live.engine import Engine, Terms
from live.fakes import FakeVenue, ListFeed
from live.journal import Journal, JournalBusy
from live.ports import Bar, Venue
from live.replay import ReplayReport, replay
from live.risk import Limits
from models.bundle import current, load
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.publish(tmp_path_factory.mktemp("bundles"))


def run(bundles: Path, folder: Path, first: int = 0, count: int = 1, **options: object) -> ReplayReport:
    tape = world.tape(folder / f"tape-{first}-{count}.parquet", first, count)
    return replay(bundles, tape, folder / "journal.sqlite", verify_keys=[world.PUBLIC], **options)  # type: ignore[arg-type]


def rows(folder: Path, kind: str) -> list[dict]:
    book = Journal(folder / "journal.sqlite", read_only=True)
    found = [entry.payload for entry in book.entries(kind)]
    book.close()
    return found


def test_the_second_run_says_already_replayed_and_changes_nothing(bundles: Path, tmp_path: Path) -> None:
    first, second = run(bundles, tmp_path, count=2), run(bundles, tmp_path, count=2)
    assert second.notes == tuple(f"session {r.session}: already replayed; the journal stands" for r in first.sessions)
    assert second.journal_head == first.journal_head
    assert [with_changes(r, already=True) for r in first.sessions] == list(second.sessions)


def test_a_session_at_a_time_makes_the_same_chain_as_all_at_once(bundles: Path, tmp_path: Path) -> None:
    whole = run(bundles, tmp_path / "whole", count=4)
    for number in range(4):
        last = run(bundles, tmp_path / "parts", number, 1)
    assert last.journal_head == whole.journal_head


def test_books_add_up_over_a_split_and_a_dividend(bundles: Path, tmp_path: Path) -> None:
    report = run(bundles, tmp_path, count=4)
    for before, after in zip(report.sessions, report.sessions[1:], strict=False):
        assert after.start_equity == before.end_equity
    booked = {row["action"][2]: row for row in rows(tmp_path, "action")}
    held = rows(tmp_path, "close")[1]["book"]["holdings"]
    assert booked["split"]["entitled"] == held[world.NAMES[1]][0] != 0
    assert booked["dividend"]["cash"] == pytest.approx(0.5 * held[world.NAMES[3]][0])
    for close, result in zip(rows(tmp_path, "close"), report.sessions, strict=True):
        value = sum(shares * price for shares, price, _, _ in close["book"]["holdings"].values())
        assert close["book"]["cash"] + value == pytest.approx(result.end_equity, abs=1e-6)
        assert abs(result.pnl) < 0.05 * result.start_equity  # neither action looks like a crash


@pytest.mark.parametrize("where", ["journal.staged", "journal.committed"])
def test_a_kill_at_each_publication_ends_in_the_same_chain(bundles: Path, tmp_path: Path, where: str) -> None:
    expected = run(bundles, tmp_path / "whole", count=2)
    world.tape(tmp_path / "tape.parquet", 0, 2)
    script = (
        "import os, signal\n"
        "import tests.test_live.base_install\n"
        "from pathlib import Path\n"
        "from live.replay import replay\n"
        "def reached(name):\n"
        f"    if name == {where!r}: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"replay(Path({str(bundles)!r}), Path({str(tmp_path / 'tape.parquet')!r}),\n"
        f"       Path({str(tmp_path / 'journal.sqlite')!r}), verify_keys=[bytes.fromhex({world.PUBLIC.hex()!r})],\n"
        "       reached=reached)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == -9
    again = replay(bundles, tmp_path / "tape.parquet", tmp_path / "journal.sqlite", verify_keys=[world.PUBLIC])
    assert again.journal_head == expected.journal_head
    assert [result.already for result in again.sessions] == [where == "journal.committed", False]


def engine(bundles: Path, journal: Journal, venue: Venue | None = None, **terms: object) -> Engine:
    here = world.world()
    start = calendars.open_at(here.coming[0]) - dt.timedelta(hours=1)
    folder = current(bundles)
    assert folder is not None
    costs = CostModel.default()
    told = Terms("paper", **{"limits": Limits(), "costs": costs, "kill_file": None, **terms})  # type: ignore[arg-type]
    return Engine(load(folder, [world.PUBLIC], 0, start), journal, venue or PaperVenue(costs), TapeClock(start), told)


def bars(session: int, scale: float = 1.0, *, from_minute: int = 10**6, of: str | None = None) -> list[Bar]:
    """The world's bars of a coming session; from a minute on, prices (`of` one name) times `scale`."""
    here = world.world()
    opened = int(calendars.open_at(here.coming[session]).timestamp()) * 1_000_000
    made = []
    for place, minute in enumerate(world.MINUTES):
        for index, name in enumerate(world.NAMES):
            *prices, volume = here.minutes[session, index, place].tolist()
            moved = [price * (scale if minute >= from_minute and of in (None, name) else 1.0) for price in prices]
            made.append(Bar(name, opened + minute * 60_000_000, *moved, volume))
    return made


def test_a_kill_file_in_mid_session_cancels_what_works_and_sticks(bundles: Path, tmp_path: Path) -> None:
    switch, late = tmp_path / "KILL", world.NAMES[2]
    here = world.world()

    def pull(bar: Bar) -> None:
        if bar.instrument_id == world.NAMES[-1]:
            switch.touch()

    # The late name has no opening print until the switch has been seen.
    tape = [bar for bar in bars(0) if bar.instrument_id != late or bar.start_us > bars(0)[0].start_us + 300_000_000]
    feed = ListFeed({here.coming[0]: tape, here.coming[1]: bars(1)}, meanwhile=pull)
    with Journal(tmp_path / "journal.sqlite") as journal:
        trading = engine(bundles, journal, kill_file=switch)
        trading.run_session(here.coming[0], feed)
        (cancelled,) = journal.entries("cancel")
        assert (cancelled.payload["instrument_id"], cancelled.payload["reason"]) == (late, "HALTED: kill file KILL")
        assert late not in trading.book.shares()
        switch.unlink()
        trading.run_session(here.coming[1], ListFeed(feed._bars))
        assert not list(journal.entries("intent", here.coming[1]))
        assert {row.payload["refused_by"] for row in journal.entries("refused", here.coming[1])} == {"state"}
        assert [entry.payload["state"] for entry in journal.entries("state")] == ["HALTED"]


def test_a_lost_answer_neither_loses_nor_doubles_an_order(bundles: Path, tmp_path: Path) -> None:
    here = world.world()
    venue = FakeVenue(lose_answers=True)
    with Journal(tmp_path / "journal.sqlite") as journal:
        trading = engine(bundles, journal, venue)
        trading.run_session(here.coming[0], ListFeed({here.coming[0]: bars(0)}))
        intents = {entry.payload["order_id"]: entry.payload["quantity"] for entry in journal.entries("intent")}
        assert {entry.payload["state"] for entry in journal.entries("ack")} == {"UNKNOWN"}
        assert {order.order_id: order.quantity for order in venue.ledger.values()} == intents
        filled = {entry.payload["instrument_id"]: entry.payload["quantity"] for entry in journal.entries("fill")}
        assert trading.book.shares() == filled and len(filled) == len(intents) > 0


def test_a_reset_is_a_logged_act_of_a_person(bundles: Path, tmp_path: Path) -> None:
    (tmp_path / "KILL").touch()
    halted = run(bundles, tmp_path, kill_file=tmp_path / "KILL")
    assert [(r.state, r.orders, r.fills) for r in halted.sessions] == [("HALTED", 0, 0)]
    command = [sys.executable, "-m", "live", "--journal", str(tmp_path / "journal.sqlite"), "--reset", "drill is over",
               "--kill-file", str(tmp_path / "KILL")]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 2  # the switch is still thrown
    (tmp_path / "KILL").unlink()
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
    assert rows(tmp_path, "state")[-1]["reason"] == "reset by hand: drill is over"
    assert run(bundles, tmp_path, 1).sessions[0].orders > 0


def test_a_daily_loss_reduces_then_halts(bundles: Path, tmp_path: Path) -> None:
    here = world.world()
    tight = Limits(daily_loss_reduce=1e-5, daily_loss_halt=0.3)
    with Journal(tmp_path / "journal.sqlite") as journal:
        trading = engine(bundles, journal, limits=tight)
        for number in (0, 1):
            trading.run_session(here.coming[number], ListFeed({here.coming[number]: bars(number)}))
        states = [(entry.session, entry.payload["state"]) for entry in journal.entries("state")]
        assert states[0] == (here.coming[0].isoformat(), "REDUCING")  # costs alone are more than this limit
        second = [entry.payload for entry in journal.entries("intent", here.coming[1])]
        held = next(iter(journal.entries("close", here.coming[0]))).payload["book"]["holdings"]
        assert all(abs(held[row["instrument_id"]][0] + row["quantity"]) < abs(held[row["instrument_id"]][0])
                   for row in second)


def test_a_price_beyond_belief_halts_nothing(bundles: Path, tmp_path: Path) -> None:
    here = world.world()
    run(bundles, tmp_path)
    holdings = rows(tmp_path, "close")[0]["book"]["holdings"]
    longest = max(holdings, key=lambda name: holdings[name][0] * holdings[name][1])
    leapt = ListFeed({here.coming[0]: bars(0, 0.5, from_minute=61, of=longest)})
    states = {}
    for belief in (0.4, 0.6):
        limits = Limits(daily_loss_reduce=0.05, daily_loss_halt=0.06, max_mark_gap=belief)
        with Journal(tmp_path / f"{belief}" / "journal.sqlite") as journal:
            engine(bundles, journal, limits=limits).run_session(here.coming[0], leapt)
            states[belief] = [entry.payload["state"] for entry in journal.entries("state")]
            assert next(iter(journal.entries("close"))).payload["pnl"] < -500_000  # books tell what prices say
    assert states == {0.4: [], 0.6: ["HALTED"]}


def test_a_name_without_a_bar_is_not_filled(bundles: Path, tmp_path: Path) -> None:
    tape = world.tape(tmp_path / "tape.parquet", without=(world.NAMES[0],))
    replay(bundles, tape, tmp_path / "journal.sqlite", verify_keys=[world.PUBLIC])
    (cancelled,) = rows(tmp_path, "cancel")
    assert (cancelled["instrument_id"], cancelled["reason"]) == (world.NAMES[0], "no bar, no fill")
    assert world.NAMES[0] not in {row["instrument_id"] for row in rows(tmp_path, "fill")}


def test_an_opening_print_beyond_the_collar_does_not_fill(bundles: Path, tmp_path: Path) -> None:
    here = world.world()
    with Journal(tmp_path / "journal.sqlite") as journal:
        engine(bundles, journal).run_session(here.coming[0], ListFeed({here.coming[0]: bars(0, 1.3, from_minute=0)}))
        sent = [entry.payload for entry in journal.entries("intent")]
        bought = {row["instrument_id"] for row in sent if row["quantity"] > 0}
        filled = {entry.payload["instrument_id"] for entry in journal.entries("fill")}
        assert bought and not bought & filled  # a seller is happy with such a print, a buyer never
        assert {entry.payload["reason"] for entry in journal.entries("cancel")} == {
            "the opening print was beyond its limit price"}


def test_missing_sessions_mean_no_decision(bundles: Path, tmp_path: Path) -> None:
    report = run(bundles, tmp_path, 2)
    (held,) = rows(tmp_path, "hold")
    assert "2 session(s) before this one are missing" in held["reason"]
    assert report.sessions[0].orders == 0 and not rows(tmp_path, "decision")


def test_impossible_and_repeated_bars_are_ignored_and_counted(bundles: Path, tmp_path: Path) -> None:
    here = world.world()
    good = bars(0)
    nan = float("nan")
    hostile = [
        good[0]._replace(open=nan), good[0]._replace(low=-1.0), good[0]._replace(high=0.01), good[-1],
        good[0]._replace(volume=-5.0), good[-1]._replace(start_us=good[-1].start_us + 10**12), 
        good[-1]._replace(close=1e308),
    ]
    clean, dirty = tmp_path / "clean", tmp_path / "dirty"
    heads = []
    for folder, tape in ((clean, good), (dirty, [*hostile[:3], *good, *hostile[3:]])):
        with Journal(folder / "journal.sqlite") as journal:
            engine(bundles, journal).run_session(here.coming[0], ListFeed({here.coming[0]: tape}))
            heads.append([entry.payload for kind in ("fill", "bars", "cancel") for entry in journal.entries(kind)])
    assert heads[0] == heads[1]
    assert rows(dirty, "close")[0]["ignored_bars"] == len(hostile)


def test_without_a_bundle_it_stays_flat_and_says_so(tmp_path: Path) -> None:
    report = run(tmp_path / "bundles", tmp_path)
    assert report.flat_reason is not None and "no approved bundle" in report.flat_reason
    assert not report.refused and not report.sessions


def test_an_older_a_foreign_and_an_expired_bundle_are_refused(tmp_path: Path) -> None:
    newer, older = world.publish(tmp_path / "newer", seq=2), world.publish(tmp_path / "older", seq=1)
    opened = calendars.open_at(world.world().coming[0])
    expired = world.publish(tmp_path / "expired", seq=3, expires=opened - dt.timedelta(days=1))
    assert run(newer, tmp_path).sessions[0].orders > 0
    for bundles, words in ((older, "not newer than 2"), (expired, "expired")):
        report = run(bundles, tmp_path, 1)
        assert report.refused and report.flat_reason is not None and words in report.flat_reason
    tape = world.tape(tmp_path / "tape.parquet", 1)
    foreign = replay(newer, tape, tmp_path / "journal.sqlite", verify_keys=[bytes(32)])
    assert foreign.refused and "not signed" in (foreign.flat_reason or "")


def test_what_the_models_have_seen_and_what_lies_behind_is_not_traded(bundles: Path, tmp_path: Path) -> None:
    run(bundles, tmp_path, 1)
    report = run(bundles, tmp_path, 0)
    assert report.notes[0].endswith("a journal only goes forward") and not report.sessions


def test_two_runners_cannot_trade_one_account(bundles: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite"), pytest.raises(JournalBusy):
        run(bundles, tmp_path)
