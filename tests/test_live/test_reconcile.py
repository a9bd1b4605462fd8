"""Our books against the venue's: a planted break halts with a report that names it, and what is explained does not."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from live.clock import TapeClock
from live.engine import Engine, Terms
from live.fakes import ListFeed
from live.journal import Journal
from live.orders import State, Tracked
from live.ports import Bar, Broker, Holdings, Order, Standing
from live.reconcile import Break, differences
from live.risk import Limits
from models.bundle import current, load
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world
from tests.test_live.test_replay import bars
from tests.venues import plain
from tests.venues.exchange import Exchange
from tests.venues.plain import PlainVenue

COMING = world.world().coming
NAME = world.NAMES[2]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.publish(tmp_path_factory.mktemp("bundles"), rung="canary")


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[PlainVenue]:
    with plain.running(tmp_path) as running:
        yield running


@contextmanager
def day(bundles: Path, folder: Path, venue: PlainVenue, number: int, before: Callable[[Bar], None] = lambda bar: None
        ) -> Iterator[Journal]:
    """The journal after one session of the real engine."""
    folded = current(bundles)
    assert folded is not None

    def market(bar: Bar) -> None:
        before(bar)
        venue.ask("trade", symbol=bar.instrument_id, price=bar.open, at_us=bar.start_us)

    start = calendars.open_at(COMING[number]) - dt.timedelta(hours=1)
    costs = CostModel.default()
    with Journal(folder / "journal.sqlite", ahead=True) as journal:
        engine = Engine(load(folded, [world.PUBLIC], 0, start), journal, venue, TapeClock(start),
                        Terms("real", Limits(), costs, folder / "kill"))
        engine.run_session(COMING[number], ListFeed({COMING[number]: bars(number)}, meanwhile=market))
        yield journal


def rows(journal: Journal, kind: str) -> list[dict]:
    return [entry.payload for entry in journal.entries(kind)]


def test_books_that_agree_trade_and_are_looked_at_from_start_to_close(
    bundles: Path, tmp_path: Path, venue: PlainVenue
) -> None:
    assert isinstance(venue, Broker)
    with day(bundles, tmp_path, venue, 0) as journal:
        looks = [row["when"] for row in rows(journal, "reconciled")]
        assert looks[0] == "start" and looks[-1] == "close" and looks.count("cycle") == 79
        first = next(entry.seq for entry in journal.entries("reconciled"))
        assert first < next(entry.seq for entry in journal.entries("intent"))
        assert rows(journal, "fill") and not rows(journal, "break")


PLANTS: dict[str, Callable[[Exchange], None]] = {
    "position": lambda exchange: exchange.move(NAME, 7, 0.0),
    "cash": lambda exchange: exchange.move(NAME, 0, -5_000.0),
    "order": lambda exchange: exchange.submit("somebody-else", NAME, 10, 0.01) and None,
}


@pytest.mark.parametrize("kind", PLANTS)
@pytest.mark.parametrize("when", ["start", "cycle"])
def test_a_planted_break_halts_with_its_report(
    bundles: Path, tmp_path: Path, venue: PlainVenue, kind: str, when: str
) -> None:
    exchange = Exchange(tmp_path / "ledger.sqlite")
    moment = bars(1)[-20]
    if when == "start":
        with day(bundles, tmp_path, venue, 0):
            pass
        PLANTS[kind](exchange)
    planted = []

    def plant(bar: Bar) -> None:
        if when == "cycle" and bar.start_us >= moment.start_us - 86_400_000_000 and not planted:
            planted.append(bar)
            PLANTS[kind](exchange)

    with day(bundles, tmp_path, venue, int(when == "start"), plant) as journal:
        (told,) = rows(journal, "break")
        (found,) = told["breaks"]
        assert (found["kind"], told["when"]) == (kind, when)
        assert found["theirs"] - found["ours"] == {"position": 7, "cash": -5_000.0, "order": 10}[kind]
        (state,) = rows(journal, "state")
        assert state["state"] == "HALTED" and found["name"] in state["reason"]
        (report,) = (tmp_path / "breaks").glob("*.json")
        assert json.loads(report.read_text())["breaks"] == [found]
        text = report.with_suffix(".txt").read_text()
        assert found["name"] in text and "HALTED" in text
        if when == "start":  # nothing was sent after it
            assert not [entry for entry in journal.entries("ack", COMING[1])]
        assert rows(journal, "close")[-1]["state"] == "HALTED"
    exchange.close()


def standing(name: str, quantity: int, filled: int = 0) -> Standing:
    return Standing(name, "A", quantity, "OPEN", filled)


def test_differences_name_symbol_ours_and_theirs() -> None:
    mine = [Tracked(Order("o-1", "A", 100, None), State.OPEN, 40), Tracked(Order("o-2", "A", 5, None), State.OPEN)]
    theirs = Holdings(900.0, {"A": 41, "B": -3}, [standing("o-1", 100, 40), standing("o-9", 8)])
    found = differences({"A": 40, "C": 2}, 1_000.0, mine, theirs, within_usd=1.0)
    assert [(one.kind, one.name, one.ours, one.theirs) for one in found] == [
        ("position", "A", 40, 41), ("position", "B", 0, -3), ("position", "C", 2, 0), ("cash", "USD", 1_000.0, 900.0),
        ("order", "o-2", 5, 0), ("order", "o-9", 0, 8)]


@pytest.mark.parametrize(("theirs", "agree"), [
    (1_000.0, True), (999.5, True), (930.0, True), (950.0, True), (880.0, True), (960.0, False), (1_050.0, False)])
def test_a_dividend_that_the_venue_has_not_paid_yet_explains_the_cash(theirs: float, agree: bool) -> None:
    found = differences({}, 1_000.0, [], Holdings(theirs, {}, []), within_usd=1.0, accruals=[70.0, 50.0])
    assert (found == []) is agree
    assert agree or found == [Break("cash", "USD", 1_000.0, theirs, "2 unpaid accrual(s) do not explain it")]


def test_a_venue_that_falls_silent_is_told_once_and_one_that_never_spoke_ends_the_start(
    bundles: Path, tmp_path: Path, venue: PlainVenue
) -> None:
    opened = bars(0)[0].start_us

    def mute(bar: Bar) -> None:
        if opened + 5 * 60_000_000 < bar.start_us < opened + 100 * 60_000_000:
            venue.ask("mute", looks=3)

    with day(bundles, tmp_path, venue, 0, mute) as journal:
        silent = [row for row in rows(journal, "hazard") if row["kind"] == "venue_silent"]
        assert silent and all(row["when"] == "cycle" for row in silent)
        assert len(rows(journal, "reconciled")) + len(silent) < 82
    venue.ask("mute", looks=99)
    with pytest.raises(ConnectionError), day(bundles, tmp_path, venue, 1):
        pass
    with Journal(tmp_path / "journal.sqlite", ahead=True) as journal:
        assert not list(journal.entries("intent", COMING[1]))


def test_what_the_venue_charges_by_name_is_booked_once_and_breaks_nothing(
    bundles: Path, tmp_path: Path, venue: PlainVenue
) -> None:
    def charge(bar: Bar) -> None:
        if bar == bars(0)[10]:
            venue.ask("charge", charge_id="fee-1", usd=-250.0)

    venue.ask("charge", charge_id="fee-0", usd=0.0)  # from before this journal
    for number in (0, 1):
        with day(bundles, tmp_path, venue, number, charge) as journal:
            booked = [(row["charge_id"], row["usd"]) for row in rows(journal, "charge")]
            assert booked == [("fee-0", 0.0), ("fee-1", -250.0)] and not rows(journal, "break")
    exchange = Exchange(tmp_path / "ledger.sqlite")
    with Journal(tmp_path / "journal.sqlite", ahead=True) as journal:
        assert rows(journal, "close")[-1]["book"]["cash"] == pytest.approx(exchange.cash(), abs=0.01)
    exchange.close()
