"""What is missing is told, thing by thing; holidays, early closes, changes of clocks and halts are not missing."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from pipelines import calendars
from pipelines.lake.completeness import Gap, due_session, gaps, told
from pipelines.report.parts import data
from pipelines.report.story import Story

# Thanksgiving and the half day after it, Christmas and its eve, and the end of summer time.
DAYS = calendars.sessions(dt.date(2025, 10, 6), dt.date(2025, 12, 31))
HALF, CLOCKS = dt.date(2025, 11, 28), dt.date(2025, 11, 3)
NAMES = [f"N{number:02d}" for number in range(12)]
MINUTED = (dt.date(2025, 10, 31), CLOCKS, dt.date(2025, 11, 4))
TABLES = {
    "daily_bars": "instrument_id varchar, session date", "minute_bars": "instrument_id varchar, session date, "
    "bar_start timestamptz", "symbols": "instrument_id varchar, symbol varchar, valid_from date, valid_to date",
    "option_metrics": "underlying varchar, session date", "index_levels": "index varchar, session date",
    "market_statistics": "session date", "futures_trades": "root varchar, session date",
}  # fmt: skip


def minutes(session: dt.date) -> list[dt.datetime]:
    opened = calendars.open_at(session)
    count = int((calendars.close_at(session) - opened).total_seconds() // 60)
    return [opened + dt.timedelta(minutes=number) for number in range(count)]


class Marts:
    """A whole market: twelve names, of which one dies; minutes of some sessions, chains, levels and trades of all."""

    def __init__(self, minuted: tuple[dt.date, ...] = MINUTED) -> None:
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute("set TimeZone = 'UTC'")
        for name, columns in TABLES.items():
            self.con.execute(f"create table {name} ({columns})")
        for name in NAMES:
            gone = DAYS[40] if name == "N11" else None
            self.con.execute("insert into symbols values (?, ?, ?, ?)", [name, f"T{name}", DAYS[0], gone])
        self.con.execute("create table days as select unnest(?::date[]) as session", [DAYS])
        self.con.execute("insert into daily_bars select instrument_id, session from symbols, days "
                         "where valid_to is null or session < valid_to")
        for session in minuted:
            self.con.execute("insert into minute_bars select instrument_id, ?, unnest(?::timestamptz[]) from symbols "
                             "where valid_to is null or ? < valid_to", [session, minutes(session), session])
        for table, columns in (("option_metrics", "'SPX',"), ("index_levels", "'VIX',"), ("market_statistics", ""),
                               ("futures_trades", "'ES',")):
            self.con.execute(f"insert into {table} select {columns} session from days")

    def without(self, table: str, where: str) -> "Marts":
        self.con.execute(f"delete from {table} where {where}")
        return self

    def gaps(self, due: dt.date | None = None) -> list[Gap]:
        return gaps(self.con, due)


@pytest.fixture
def marts() -> Marts:
    return Marts()


def test_a_whole_market_lacks_nothing(marts: Marts) -> None:
    assert HALF in DAYS and dt.date(2025, 11, 27) not in DAYS and len(minutes(HALF)) == 210
    assert Marts((HALF, calendars.next_sessions(HALF, 1)[0])).gaps() == []
    assert minutes(MINUTED[0])[0].hour == 13 and minutes(CLOCKS)[0].hour == 14
    assert marts.gaps() == [] and marts.gaps(DAYS[-1]) == []
    assert told(marts.gaps()) == {"gaps": 0, "missing": {}, "newest": []}


@pytest.mark.parametrize(("table", "subject"), [
    ("daily_bars", "equities"), ("minute_bars", "equities"), ("option_metrics", "SPX"), ("index_levels", "VIX"),
    ("market_statistics", "all products"), ("futures_trades", "ES"),
])  # fmt: skip
def test_a_session_that_is_not_there(table: str, subject: str, marts: Marts) -> None:
    lost = CLOCKS if table == "minute_bars" else DAYS[30]
    found = [gap for gap in marts.without(table, f"session = '{lost}'").gaps() if gap.session == lost]
    mart = "option_quotes" if table == "option_metrics" else table
    assert found == [Gap(mart, subject, lost, "session", 1, 1, str(lost))]


@pytest.mark.parametrize(("where", "lost"), [
    (f"session = '{DAYS[30]}' and instrument_id < 'N05'", (5, 12, "TN00, TN01, TN02, TN03, TN04")),
    (f"session = '{DAYS[30]}' and instrument_id < 'N07'", (7, 12, "TN00, TN01, TN02, TN03, TN04 and 2 more")),
    (f"session = '{CLOCKS}' and instrument_id = 'N03'", (1, 12, "TN03")),  # its minutes say that it traded
    (f"session between '{DAYS[30]}' and '{DAYS[36]}' and instrument_id = 'N03'", (1, 12, "TN03")),  # silent for long
    (f"session >= '{DAYS[50]}' and instrument_id = 'N03'", (1, 11, "TN03")),  # to the end, and listed still
])  # fmt: skip
def test_names_that_are_listed_and_have_no_bar(where: str, lost: tuple[int, int, str], marts: Marts) -> None:
    found = marts.without("daily_bars", where).gaps()
    assert found and {(gap.mart, gap.kind) for gap in found} == {("daily_bars", "names")}
    assert {(gap.missing, gap.expected, gap.named) for gap in found} == {lost}


@pytest.mark.parametrize("where", [
    f"session = '{DAYS[30]}' and instrument_id = 'N03'",  # halted all day
    f"session between '{DAYS[30]}' and '{DAYS[33]}' and instrument_id = 'N03'",
    f"session = '{DAYS[30]}' and instrument_id < 'N03'",  # three at once may be
    "instrument_id = 'N03' and dayofweek(session) = 1",  # it seldom trades
    f"session < '{DAYS[20]}' and instrument_id < 'N08'",  # listed later than its list says
])  # fmt: skip
def test_what_does_not_trade_is_no_gap(where: str, marts: Marts) -> None:
    assert marts.without("daily_bars", where).gaps() == []


@pytest.mark.parametrize(("session", "first", "last", "named"), [
    (MINUTED[0], 15, 40, "09:45–10:10"), (CLOCKS, 15, 40, "09:45–10:10"), (HALF, 180, 210, "12:30–13:00"),
    (CLOCKS, 0, 1, "09:30–09:31"), (CLOCKS, 389, 390, "15:59–16:00"),
])  # fmt: skip
def test_minutes_in_which_nobody_has_a_bar(
    session: dt.date, first: int, last: int, named: str
) -> None:
    due, marts = minutes(session), Marts((session,))
    begin, end = due[first], due[last - 1]
    found = marts.without("minute_bars", f"bar_start between '{begin}' and '{end}'").gaps()
    assert found == [Gap("minute_bars", "equities", session, "minutes", last - first, len(due), named)]


@pytest.mark.parametrize("spoil", [
    lambda marts: marts.without("minute_bars", f"instrument_id = 'N03' and session = '{CLOCKS}'"),  # halted
    lambda marts: marts.without("minute_bars", "instrument_id > 'N01' or minute(bar_start) = 7"),  # two thin names
])  # fmt: skip
def test_a_halt_and_thin_names_are_no_missing_minutes(spoil: Callable[[Marts], Marts], marts: Marts) -> None:
    assert [gap for gap in spoil(marts).gaps() if gap.kind == "minutes"] == []


def test_the_end_is_missed_of_a_source_that_goes_on(marts: Marts) -> None:
    later = calendars.next_sessions(DAYS[-1], 2)
    assert [(gap.mart, gap.session) for gap in marts.gaps(later[-1])] == [("daily_bars", day) for day in later]
    now = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
    assert due_session("sandbox", now) == due_session("vendors", now) == dt.date(2025, 6, 30)
    assert due_session("files:/somewhere", now) is None
    assert due_session("vendors", dt.datetime(2025, 6, 30, 20, 10, tzinfo=dt.UTC)) == dt.date(2025, 6, 27)


def test_no_marts_at_all_lack_nothing() -> None:
    con = duckdb.connect(config={"threads": 1})
    for name, columns in TABLES.items():
        con.execute(f"create table {name} ({columns})")
    assert gaps(con, None) == []


def page(section: dict[str, Any]) -> str:
    story = Story(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "sandbox", 7, {"completeness": section})
    return data.status(story)[1] + "".join(map(str, data.draw(story)))


def test_the_report_tells_it(marts: Marts) -> None:
    whole = page(told(marts.gaps()))
    assert "Nothing is missing" in whole and "gap" not in whole.partition("<")[0]
    marts.without("daily_bars", f"session = '{DAYS[30]}'").without("option_metrics", f"session = '{DAYS[31]}'")
    said = page(told(marts.gaps()))
    assert "2 gaps" in said and str(DAYS[30]) in said and "option_quotes, SPX" in said
    assert "Completeness" not in page({})


def test_minutes_are_collected_in_windows_and_a_week_between_them_is_no_gap() -> None:
    def missed(*kept: int) -> int:
        marts = Marts(tuple(DAYS[number] for number in kept))
        return sum(gap.mart == "minute_bars" and gap.kind == "session" for gap in marts.gaps())

    newest = len(DAYS) - 1
    assert missed(*range(newest - 9, newest + 1)) == 0
    assert missed(*range(newest - 20, newest - 14), *range(newest - 8, newest + 1)) == 0  # six sessions apart
    assert missed(*range(newest - 20, newest - 13), *range(newest - 8, newest + 1)) == 5
