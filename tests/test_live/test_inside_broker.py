"""A strategy that decides at bar ends, on a venue that keeps books: a restart in mid-session goes on from there."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from live.clock import TapeClock, from_us
from live.engine import Engine, Terms
from live.fakes import ListFeed
from live.journal import Journal
from live.ports import Bar
from live.risk import Limits
from models.intraday import Intraday, Size
from models.market.costs import CostModel
from models.signals.intraday import EmaCross
from tests.test_live.test_inside import CALENDAR, bundle, market
from tests.venues import plain
from tests.venues.exchange import Exchange
from tests.venues.plain import PlainVenue

TIMES = CALENDAR[0]
DAY = market()[TIMES.session]


class Died(BaseException):
    """The process ended here."""


@dataclass
class Wall:
    """Real time: it goes on with the bars, and never back."""

    at: dt.datetime

    def now(self) -> dt.datetime:
        return self.at


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[PlainVenue]:
    with plain.running(tmp_path) as running:
        yield running


@pytest.mark.parametrize(("point", "dies_at"), [("order.intended", 3), ("order.answered", 8), ("order.filled", 5)])
def test_a_restart_in_mid_session_sends_nothing_twice(
    tmp_path: Path, venue: PlainVenue, point: str, dies_at: int
) -> None:
    made = bundle(Intraday(rule=EmaCross(2, 4, short=True), size=Size("shares", 300)))
    chosen = replace(made, manifest=replace(made.manifest, rung="canary"))
    wall, left = Wall(TIMES.open_at - dt.timedelta(hours=1)), dies_at

    def reached(name: str) -> None:
        nonlocal left
        if name == point:
            left -= 1
            if left == 0:
                raise Died

    def now(bar: Bar) -> None:
        wall.at = max(wall.at, from_us(bar.start_us))
        if from_us(bar.start_us) == wall.at:
            venue.ask("trade", symbol=bar.instrument_id, price=bar.open, at_us=bar.start_us)

    ended = []
    for _ in range(2):
        with Journal(tmp_path / "j.sqlite", ahead=True) as journal:
            engine = Engine(chosen, journal, venue, TapeClock(TIMES.open_at - dt.timedelta(hours=1)),
                            Terms("real", Limits.off(), CostModel.default(), None, wall=wall), reached)
            try:
                engine.run_session(TIMES.session, ListFeed({TIMES.session: DAY}, meanwhile=now))
                ended.append(True)
            except Died:
                ended.append(False)
    assert ended == [False, True]
    exchange = Exchange(tmp_path / "ledger.sqlite")
    with Journal(tmp_path / "j.sqlite", read_only=True) as journal:
        assert journal.verify() and not list(journal.entries("break")) and not list(journal.entries("state"))
        intents = [entry.payload["order_id"] for entry in journal.entries("intent")]
        taken = [name for name, was in exchange.arrivals() if was]
        (close,) = journal.entries("close")
        assert len(intents) == len(set(intents)) and len(taken) == len(set(taken)) and set(taken) <= set(intents)
        assert len(taken) > 8
        held = {name: row[0] for name, row in close.payload["book"]["holdings"].items()}
        assert held == exchange.positions()
        assert close.payload["book"]["cash"] == pytest.approx(exchange.cash(), abs=0.01)
    exchange.close()
