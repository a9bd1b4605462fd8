"""What the marts say of a small market in which every number can be checked by hand."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines import calendars
from pipelines.home import Home
from pipelines.lake import marts
from tests.test_pipelines.small_lake import DELAY, RECEIVED, SmallLake, day, midnight

DAYS = calendars.sessions(day("2025-01-06"), day("2025-04-30"))
SPLIT_DAY, DIVIDEND_DAY, LATE_SPLIT_DAY = DAYS[3], DAYS[5], DAYS[40]
LATE_SPLIT_KNOWN = calendars.close_at(DAYS[42]) + dt.timedelta(hours=10)
CORRECTED = DAYS[50]
CORRECTION_KNOWN = calendars.close_at(DAYS[53]) + dt.timedelta(hours=10)
DEATH, RENAME = DAYS[30], DAYS[20]


def _lake() -> SmallLake:
    lake = SmallLake()
    for figi, ticker in (("ACT", "ACT"), ("POOR", "POR"), ("THIN", "THN"), ("WARRANT", "WRT")):
        lake.company(figi, ("2020-01-02", ticker), kind="WARRANT" if figi == "WARRANT" else "CS")
    lake.company("RENAMED", ("2020-01-02", "WAS"), (RENAME.isoformat(), "NOW"))
    lake.company("GONE", ("2020-01-02", "GON"), gone=DEATH.isoformat())
    lake.company("FRESH", (DAYS[2].isoformat(), "FRS"))
    for number, session in enumerate(DAYS):
        lake.bar("ACT", session, 100.0)
        lake.bar("POR", session, 4.99)
        lake.bar("THN", session, 50.0, volume=99_000.0)  # 4.95 million a day
        lake.bar("WRT", session, 50.0)
        lake.bar("NOW" if session >= RENAME else "WAS", session, 20.0)
        if session <= DEATH:
            lake.bar("GON", session, 30.0)
        if number >= 2:
            lake.bar("FRS", session, 30.0)
    lake.split("ACT", SPLIT_DAY, 2.0)
    lake.split("ACT", DAYS[0], 7.0)  # on the first bar: counts in no factor
    lake.dividend("ACT", DIVIDEND_DAY, 1.0)
    lake.dividend("ACT", DIVIDEND_DAY, 1.0, vendor_id="the same event, from an older endpoint")
    lake.split("ACT", LATE_SPLIT_DAY, 3.0, known_at=LATE_SPLIT_KNOWN)
    lake.bar("ACT", CORRECTED, 110.0, known_at=CORRECTION_KNOWN)
    lake.bar("ACT", CORRECTED, 55.0, known_at=CORRECTION_KNOWN, source="aggs")  # a lesser source overrules nothing
    return lake


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    desk = _lake().write(tmp_path_factory.mktemp("truth"))
    marts.build(desk, now=RECEIVED)
    return desk


@pytest.fixture
def ask(home: Home) -> Iterator[Any]:
    """Rows of a query, as of a moment or of all that is held."""
    opened = []

    def rows(query: str, as_of: dt.datetime | None = None) -> list[tuple[Any, ...]]:
        connection = marts.connect(home, as_of=as_of)
        opened.append(connection)
        return connection.sql(query).fetchall()

    yield rows
    for connection in opened:
        connection.close()


def _factors(ask: Any, session: dt.date, as_of: dt.datetime | None = None) -> tuple[float, float]:
    query = f"select split_factor, total_return_factor from daily_bars where symbol = 'ACT' and session = '{session}'"
    return ask(query, as_of)[0]


def test_factors_start_at_one_and_grow_at_each_ex_date(ask: Any) -> None:
    paid = 100.0 / 99.0
    assert _factors(ask, DAYS[0]) == (1.0, 1.0)
    assert _factors(ask, DAYS[2]) == (1.0, 1.0)
    assert _factors(ask, SPLIT_DAY) == (2.0, 2.0)
    assert _factors(ask, DAYS[4]) == (2.0, 2.0)
    assert _factors(ask, DIVIDEND_DAY) == (2.0, 2.0 * paid)
    assert _factors(ask, LATE_SPLIT_DAY) == (6.0, 2.0 * paid * 3.0)


def test_a_late_split_changes_what_is_believed_not_what_was(ask: Any) -> None:
    before, after = LATE_SPLIT_KNOWN - dt.timedelta(seconds=1), LATE_SPLIT_KNOWN
    assert _factors(ask, DAYS[42], before)[0] == 2.0
    assert _factors(ask, DAYS[42], after)[0] == 6.0
    assert _factors(ask, DAYS[39], after)[0] == 2.0  # before its ex-date it never counts
    touched = ask(
        "select session from daily_bars_versions where symbol = 'ACT' group by session "
        f"having count(*) > 1 and session < '{CORRECTED}' order by session"
    )
    assert [found for (found,) in touched] == DAYS[40:43]


def test_a_correction_is_a_new_version_and_a_lesser_source_is_none(ask: Any) -> None:
    bar = f"from daily_bars_versions where symbol = 'ACT' and session = '{CORRECTED}' order by available_at"
    rows = ask(f"select close, available_at {bar}")
    assert rows == [(100.0, calendars.close_at(CORRECTED) + DELAY), (110.0, CORRECTION_KNOWN)]


def test_adjusted_bars_are_backward_from_the_stated_moment(ask: Any) -> None:
    def bar(as_of: dt.datetime) -> tuple[float, float, float]:
        moment = f"timestamptz '{as_of.isoformat()}'"
        return ask(
            f"select close, volume, adjustment_factor from adjusted_bars({moment}) "
            f"where symbol = 'ACT' and session = '{DAYS[2]}'"
        )[0]

    assert bar(calendars.close_at(DAYS[2]) + DELAY) == (100.0, 1e6, 1.0)
    # At midnight of the ex-date the split counts, although no bar of that day is out.
    assert bar(midnight(SPLIT_DAY)) == (50.0, 2e6, 0.5)
    close, volume, factor = bar(midnight(DIVIDEND_DAY))
    assert (close, volume) == (pytest.approx(49.5, rel=1e-15), 2e6) and factor == pytest.approx(0.495, rel=1e-15)


def test_one_id_over_a_rename_and_an_open_interval_before_a_death(ask: Any) -> None:
    query = "select symbol, valid_from, valid_to from symbols where instrument_id = '{}' order by valid_from"
    assert ask(query.format("RENAMED")) == [("WAS", day("2020-01-02"), RENAME), ("NOW", RENAME, None)]
    assert ask("select distinct instrument_id from daily_bars where symbol in ('WAS', 'NOW')") == [("RENAMED",)]
    the_day_after = DEATH + dt.timedelta(days=1)
    assert ask(query.format("GONE")) == [("GON", day("2020-01-02"), the_day_after)]
    evening = calendars.close_at(DEATH) + DELAY
    assert ask(query.format("GONE"), evening) == [("GON", day("2020-01-02"), None)]
    assert ask("select delisted_on from instruments where instrument_id = 'GONE'", evening) == [(None,)]


def test_the_universe_keeps_the_dead_and_knows_only_its_own_morning(ask: Any) -> None:
    members = "select instrument_id, tradable from universe where session = '{}' order by 1"
    assert dict(ask(members.format(DEATH))) == {
        "ACT": True, "FRESH": False, "GONE": True, "POOR": False, "RENAMED": True, "THIN": False, "WARRANT": False,
    }  # fmt: skip
    assert "GONE" not in dict(ask(members.format(DAYS[31])))
    # On the evening of its last day nobody knew, and by the decision everybody did.
    evening = calendars.close_at(DEATH) + DELAY
    assert ("GONE", True) in ask(members.format(DAYS[31]), evening)
    assert "GONE" not in dict(ask(members.format(DAYS[31]), midnight(DEATH + dt.timedelta(days=1))))


def test_a_new_listing_waits_sixty_sessions(ask: Any) -> None:
    tradable = "select tradable from universe where instrument_id = 'FRESH' and session = '{}'"
    assert ask(tradable.format(DAYS[61])) == [(False,)]
    assert ask(tradable.format(DAYS[62])) == [(True,)]


def test_the_coming_session_has_a_universe_as_soon_as_the_last_bars_are_out(ask: Any) -> None:
    coming = calendars.next_sessions(DAYS[-1], 1)[0]
    closed = calendars.close_at(DAYS[-1])
    known_at = closed + DELAY
    assert ask("select max(session), max(event_time) from universe", known_at) == [(coming, closed)]
    assert ask("select max(session) from universe", known_at - dt.timedelta(seconds=1)) == [(DAYS[-1],)]
