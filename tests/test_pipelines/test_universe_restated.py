"""Who belonged to a session, when it was learned after the decision: restated for those who ask later, never before."""

import datetime as dt

import pytest

from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.history import UniverseBuilder
from tests.test_pipelines.small_lake import SmallLake

MON, TUE, WED, THU = (dt.date(2025, 6, day) for day in (23, 24, 25, 26))
LATE = dt.datetime(2025, 6, 26, 6, tzinfo=dt.UTC)
Rows = list[tuple[dt.date, str, str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """NEW is listed late, under a permanent id; DIE is told late to have died; IPO begins on Tuesday."""
    lake = SmallLake()
    for session in (MON, TUE, WED):
        for ticker in ("NEW", "DIE", "IPO"):
            if (ticker, session) not in (("IPO", MON), ("DIE", WED)):
                lake.bar(ticker, session, 10.0)
    since = dt.datetime(2003, 9, 10, 4, tzinfo=dt.UTC)
    entry = {"cik": "", "type": "CS", "primary_exchange": "XNYS", "currency": "USD"}
    dead = {**entry, "composite_figi": "F-DIE", "ticker": "DIE", "name": "Die"}
    lake.add("tickers", since, since, **dead, active=True, delisted_utc=None)
    lake.add("tickers", LATE, LATE, **dead, active=False, delisted_utc=TUE)
    new = {**entry, "composite_figi": "F-NEW", "ticker": "NEW", "name": "New"}
    lake.add("tickers", since, LATE, **new, active=True, delisted_utc=None)
    home = lake.write(tmp_path_factory.mktemp("restated") / "desk")
    marts.build(home, now=LATE + dt.timedelta(hours=1))
    return home


def members(home: Home, as_of: dt.datetime | None) -> Rows:
    with marts.connect(home, as_of=as_of) as con:
        return con.sql("select session, instrument_id, symbol from universe order by all").fetchall()


def test_a_session_has_whoever_had_a_ticker_on_it_be_it_the_lake_s_first(home: Home) -> None:
    told = members(home, None)
    first = {symbol: instrument for session, instrument, symbol in told if session == MON}
    assert first == {"NEW": "F-NEW", "DIE": "F-DIE"}
    assert [session for session, _, symbol in told if symbol == "IPO"] == [TUE, WED, THU]
    assert [session for session, _, symbol in told if symbol == "DIE"] == [MON, TUE]
    with marts.connect(home) as con:  # nobody is told to have been tradable then who was not
        assert con.sql("select count(*) from universe where tradable").fetchall() == [(0,)]


def test_before_it_was_learned_nobody_could_know(home: Home) -> None:
    told = members(home, LATE - dt.timedelta(seconds=1))
    assert {instrument for _, instrument, symbol in told if symbol == "NEW"} == {"TICKER:NEW:2025-06-23"}
    assert [session for session, _, symbol in told if symbol == "DIE"] == [MON, TUE, WED, THU]
    in_time = members(home, dt.datetime(2025, 6, 24, 13, tzinfo=dt.UTC))  # half an hour before Tuesday's open
    assert [(session, symbol) for session, _, symbol in in_time] == [
        (MON, "DIE"), (MON, "NEW"), (TUE, "DIE"), (TUE, "NEW")]  # fmt: skip
    while_monday_ran = members(home, dt.datetime(2025, 6, 23, 18, tzinfo=dt.UTC))
    assert while_monday_ran == []


def test_every_bar_is_of_a_member_of_its_session(home: Home) -> None:
    with marts.connect(home) as con:
        orphans = con.sql("select session, symbol from daily_bars anti join universe using (session, instrument_id)")
        assert orphans.fetchall() == []


def test_the_builder_tells_the_same(home: Home) -> None:
    assert UniverseBuilder(home).get_universe(MON) == ["DIE", "NEW"]
    assert UniverseBuilder(home).get_universe(WED) == ["IPO", "NEW"]
