"""A day of the real engine in each broker's wire format, with an answer lost; and clocks that jump."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest

from live.clock import TapeClock
from live.engine import Engine, Terms
from live.fakes import ListFeed
from live.journal import Journal
from live.ports import Bar, Broker
from live.risk import Limits
from models.bundle import current, load
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world
from tests.test_live.test_replay import bars
from tests.venues.benches import BENCHES
from tests.venues.exchange import Exchange

SESSION = world.world().coming[0]
OPENED = calendars.open_at(SESSION)
SYMBOL_OF = dict(zip(world.NAMES, world.SYMBOLS, strict=True))


@dataclass
class Wall:
    """Real time as a test wants it."""

    at: dt.datetime

    def now(self) -> dt.datetime:
        return self.at


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.publish(tmp_path_factory.mktemp("bundles"), rung="canary")


def day(bundles: Path, folder: Path, broker: Broker, exchange: Exchange, fee_usd: float, wall: Wall | None = None
        ) -> dict[str, list[dict]]:
    """The rows of one session by kind."""
    published = current(bundles)
    assert published is not None
    start = OPENED - dt.timedelta(hours=1)

    def market(bar: Bar) -> None:
        exchange.trade(SYMBOL_OF[bar.instrument_id], bar.open, at_us=bar.start_us, fee=fee_usd)

    told: dict[str, list[dict]] = {}
    with Journal(folder / "journal.sqlite", ahead=True) as journal:
        terms = Terms("real", Limits(), CostModel.default(), folder / "KILL", wall=wall)
        engine = Engine(load(published, [world.PUBLIC], 0, start), journal, broker, TapeClock(start), terms)
        tape = [bar for bar in bars(0) if bar.start_us < bars(0)[0].start_us + 4 * 60_000_000 or bar == bars(0)[-1]]
        engine.run_session(SESSION, ListFeed({SESSION: tape}, meanwhile=market))
        for entry in journal.entries():
            told.setdefault(entry.kind, []).append(entry.payload)
    return told


@pytest.mark.parametrize("name", [
    name if name == "alpaca" else pytest.param(name, marks=pytest.mark.slow) for name in sorted(BENCHES)])
def test_a_day_at_each_broker_ends_with_equal_books(bundles: Path, tmp_path: Path, name: str) -> None:
    with BENCHES[name](tmp_path, SYMBOL_OF) as bench:
        bench.fail("submit", "lost")
        rows = day(bundles, tmp_path, bench.broker, bench.exchange, bench.fee_usd)
        assert sum(row["state"] == "UNKNOWN" for row in rows["ack"]) == 1
        sent = [row["order_id"] for row in rows["intent"]]
        assert sorted(sent) == sorted(name for name, taken in bench.exchange.arrivals() if taken) and len(sent) == 7
        assert len(rows["fill"]) == 7 and "break" not in rows and rows["reconciled"][-1]["when"] == "close"
        book = rows["close"][0]["book"]
        held = {SYMBOL_OF[name]: shares for name, (shares, *_) in book["holdings"].items()}
        assert held == bench.exchange.positions()
        assert book["cash"] == pytest.approx(bench.exchange.cash(), abs=0.05)


@pytest.mark.parametrize(("jump", "sent"), [(dt.timedelta(hours=2), 0), (-dt.timedelta(days=400), 7)])
def test_a_clock_that_jumps_before_the_open_sends_nothing_late_and_nothing_twice(
    bundles: Path, tmp_path: Path, jump: dt.timedelta, sent: int
) -> None:
    with BENCHES["alpaca"](tmp_path, SYMBOL_OF) as bench:
        wall = Wall(OPENED - dt.timedelta(minutes=30) + jump)
        rows = day(bundles, tmp_path, bench.broker, bench.exchange, bench.fee_usd, wall)
        assert len(bench.exchange.arrivals()) == sent == len(rows.get("fill", []))
        reasons = {row["reason"] for row in rows.get("cancel", [])}
        assert reasons == (set() if sent else {"too late: its session has opened without it"})
