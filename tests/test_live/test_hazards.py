"""What a feed can do wrong: each hazard leads to holding still, none to an order, and the journal tells of it."""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from live.fakes import ListFeed
from live.journal import Journal
from live.ports import Bar
from models.bundle import current, load
from pipelines import calendars
from tests.test_live import world
from tests.test_live.test_replay import bars, engine

COMING = world.world().coming
NAME = world.NAMES[4]
MINUTE_US = 60_000_000


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    closes = calendars.close_at(COMING[-1]) + dt.timedelta(days=30)
    return world.publish(tmp_path_factory.mktemp("bundles"), expires=closes)


def traded(bundles: Path, folder: Path, tapes: Sequence[Sequence[Bar]], **terms: object) -> dict[str, list[dict]]:
    """Rows of the journal by kind, each with its session, after these sessions."""
    folder.mkdir(exist_ok=True)
    rows: dict[str, list[dict]] = {kind: [] for kind in ("intent", "refused", "fill", "cancel", "hazard", "hold")}
    with Journal(folder / "j.sqlite") as journal:
        trading = engine(bundles, journal, **terms)
        for session, tape in zip(COMING, tapes, strict=False):
            trading.run_session(session, ListFeed({session: tape}))
        for entry in journal.entries():
            rows.setdefault(entry.kind, []).append({**entry.payload, "session": entry.session})
        assert journal.verify()
    return rows


def of(rows: Sequence[dict], session: int, **wanted: object) -> list[dict]:
    day = COMING[session].isoformat()
    return [row for row in rows if {"session": day, **wanted}.items() <= {
        key: value for key, value in row.items() if isinstance(value, (str, int, float))}.items()]


def test_a_feed_that_dies_before_the_close_decides_nothing_until_new_bars_come(bundles: Path, tmp_path: Path) -> None:
    dead = [bar for bar in bars(0) if bar.start_us < bars(0)[0].start_us + 100 * MINUTE_US]
    for restarted in (False, True):
        folder = tmp_path / str(restarted)
        rows = traded(bundles, folder, [dead] if restarted else [dead, bars(1)])
        if restarted:  # the journal's bars are no better the second time they are read
            with Journal(folder / "j.sqlite") as journal:
                engine(bundles, journal).run_session(COMING[1], ListFeed({COMING[1]: bars(1)}))
                rows = {kind: [{**e.payload, "session": e.session} for e in journal.entries(kind)]
                        for kind in ("hazard", "hold", "intent", "fill")}
        assert of(rows["hazard"], 0, kind="incomplete_bars")
        assert any(row["since"].startswith(COMING[0].isoformat()) for row in of(rows["hazard"], 0, kind="feed_silent"))
        (held,) = rows["hold"]
        assert "nothing is decided on old data" in held["reason"] and held["session"] == COMING[1].isoformat()
        assert not of(rows["intent"], 1) and not of(rows["fill"], 1)


def test_a_session_without_any_bar_fills_nothing_and_says_so(bundles: Path, tmp_path: Path) -> None:
    rows = traded(bundles, tmp_path, [[], bars(1)])
    assert not rows["fill"] and {row["reason"] for row in of(rows["cancel"], 0)} == {"no bar, no fill"}
    assert of(rows["hazard"], 0, kind="incomplete_bars") and not of(rows["intent"], 1)


def _twice(tape: list[Bar]) -> list[Bar]:
    return [bar for one in tape for bar in (one, one)]


def _late(tape: list[Bar]) -> list[Bar]:
    """One name's opening bar arrives after an hour: its print is history by then."""
    first = next(bar for bar in tape if bar.instrument_id == NAME)
    rest = [bar for bar in tape if bar.instrument_id != NAME]
    return sorted(rest, key=lambda bar: bar.start_us)[: len(rest) - 12] + [first] + rest[len(rest) - 12 :]


def _nan(tape: list[Bar]) -> list[Bar]:
    return [bar._replace(close=math.nan) if bar.instrument_id == NAME else bar for bar in tape]


def _before_the_open(tape: list[Bar]) -> list[Bar]:
    return [bar._replace(start_us=bar.start_us - 400 * MINUTE_US) if bar.instrument_id == NAME else bar for bar in tape]


def _crossed(tape: list[Bar]) -> list[Bar]:
    return [bar._replace(high=bar.low, low=bar.high) if bar.instrument_id == NAME else bar for bar in tape]


def _from_another_era(tape: list[Bar]) -> list[Bar]:
    return [*tape, tape[-1]._replace(start_us=0), tape[-1]._replace(start_us=2**61)]


@pytest.mark.parametrize(("spoil", "reason", "untraded"), [
    (_twice, "duplicate", False), (_late, "out_of_order", True), (_nan, "impossible", True),
    (_before_the_open, "outside_session", True), (_crossed, "impossible", True),
    (_from_another_era, "outside_session", False),
])
def test_bars_that_cannot_be_believed_trade_nothing_and_are_counted_by_reason(
    bundles: Path, tmp_path: Path, spoil: Callable[[list[Bar]], list[Bar]], reason: str, untraded: bool
) -> None:
    clean = traded(bundles, tmp_path / "clean", [bars(0)])
    rows = traded(bundles, tmp_path / "spoilt", [spoil(bars(0))])
    (told,) = of(rows["hazard"], 0, kind="ignored_bars")
    assert set(told) == {"kind", "session", reason} and told[reason] == rows["close"][0]["ignored_bars"] > 0
    assert not of(clean["hazard"], 0, kind="ignored_bars")
    expected = [fill for fill in clean["fill"] if not (untraded and fill["instrument_id"] == NAME)]
    assert rows["fill"] == expected and len(expected) >= len(world.NAMES) - 1


def test_a_name_whose_newest_bar_is_missing_is_held_as_it_is(bundles: Path, tmp_path: Path) -> None:
    """No bar means no feature, no feature means no score, and without a score a position is left alone."""
    gone = [bar for bar in bars(1) if bar.instrument_id != NAME]
    rows = traded(bundles, tmp_path, [bars(0), gone, bars(2)])
    assert of(rows["fill"], 0, instrument_id=NAME) and not of(rows["fill"], 1, instrument_id=NAME)
    assert not of(rows["intent"], 2, instrument_id=NAME)
    held = [row["book"]["holdings"][NAME][0] for row in rows["close"]]
    assert held[0] == held[1] == held[2] != 0
    assert rows["close"][1]["unmarked"] == [NAME]
    assert of(rows["refused"], 2, instrument_id=NAME)[0]["refused_by"] == "score"


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_an_opening_print_half_away_is_not_traded_on_in_either_direction(
    bundles: Path, tmp_path: Path, scale: float
) -> None:
    rows = traded(bundles, tmp_path, [bars(0, scale, from_minute=0, of=NAME)])
    (sent,) = of(rows["intent"], 0, instrument_id=NAME)
    assert not of(rows["fill"], 0, instrument_id=NAME)
    (cancelled,) = of(rows["cancel"], 0, instrument_id=NAME)
    if (sent["quantity"] > 0) == (scale > 1):  # the print is worse than the collar allows
        assert cancelled["reason"] == "the opening print was beyond its limit price"
    else:  # a bargain beyond belief
        assert cancelled["reason"] == "the opening print is beyond belief"
        (told,) = of(rows["hazard"], 0, kind="price_gap")
        assert told["instrument_id"] == NAME and told["price"] / told["before"] == pytest.approx(scale, abs=0.05)
    assert len(rows["fill"]) == len(world.NAMES) - 1


def test_a_halt_in_mid_session_sends_nothing_and_marks_at_the_last_price(bundles: Path, tmp_path: Path) -> None:
    halted = [bar for bar in bars(0) if bar.instrument_id != NAME or bar.start_us < bars(0)[0].start_us + 5 * MINUTE_US]
    rows = traded(bundles, tmp_path, [halted])
    last = [bar for bar in halted if bar.instrument_id == NAME][-1]
    assert rows["close"][0]["book"]["holdings"][NAME][1] == last.close
    assert len(rows["fill"]) == len(world.NAMES) and rows["close"][0]["state"] == "ACTIVE"


def test_an_early_close_is_the_close_and_later_bars_are_no_bars(bundles: Path, tmp_path: Path) -> None:
    early = dt.date(2025, 7, 3)  # the day before Independence Day ends at 13:00 in New York
    opened, closed = calendars.open_at(early), calendars.close_at(early)
    assert closed - opened == dt.timedelta(hours=3, minutes=30)
    with Journal(tmp_path / "j.sqlite") as journal:
        trading = engine(bundles, journal)
        for number, session in enumerate(COMING):
            trading.run_session(session, ListFeed({session: bars(number)}))
        moved = int(opened.timestamp()) * 1_000_000 - bars(4)[0].start_us
        tape = [bar._replace(start_us=bar.start_us + moved) for bar in bars(4)]
        trading.run_session(early, ListFeed({early: [*tape, *(bar._replace(start_us=int(closed.timestamp()) * 1_000_000)
                                                              for bar in tape[-7:])]}))
        close = journal.last("close")
        assert close is not None and dt.datetime.fromisoformat(close.at) == closed
        after = [bar for bar in tape if bar.start_us >= int(closed.timestamp()) * 1_000_000]
        assert close.payload["ignored_bars"] == len(after) + 7
        assert close.payload["fills"] > 0


def test_stale_slow_features_are_missing_and_not_old(bundles: Path, tmp_path: Path) -> None:
    """The bundle's option figures are worth nothing a month later; what needs them says so by having no value."""
    folder = current(bundles)
    assert folder is not None
    made = load(folder, [world.PUBLIC], 0, calendars.open_at(COMING[0]))
    with Journal(tmp_path / "j.sqlite") as journal:
        trading = engine(bundles, journal)
        times = trading.tail.times(COMING[0])
        assert times is not None
        column = made.snapshot.panel.features.index("put_call_ratio")
        fresh = trading.tail.decision_panel(times, times.open_at)
        assert (fresh.values[-1, :, column] == 0.9).all()
        stale = trading.tail.decision_panel(times, times.open_at + dt.timedelta(days=40))
        assert all(math.isnan(value) for value in stale.values[-1, :, column])
