"""Companies written by hand to be awkward, from the vendor's bodies to the marts: every factor by pocket calculator."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines import calendars
from pipelines.cli import app
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.vendors import times
from tests.test_pipelines.bodies import envelope, flat
from tests.test_pipelines.lake_told import land

NOW = dt.datetime(2022, 1, 3, 6, tzinfo=dt.UTC)
REFERENCE = "polygon/rest/v3/reference"
DAYS = [dt.date.fromisoformat(day) for day in (
    "2021-01-04", "2021-01-05", "2021-03-31", "2021-04-01", "2021-05-03", "2021-05-07", "2021-05-10", "2021-05-17",
    "2021-08-31", "2021-10-01", "2021-10-04")]  # fmt: skip
A, B, C = "BBG00000000A", "BBG00000000B", "BBG00000000C"
HEIR, LATE = "BBG00000HEIR", "BBG00000LATE"  # of whom no list says since when
CHAIN, BACK, PAID, SHORT = "BBG0000CHAIN", "BBG00000BACK", "BBG00000PAID", "BBG0000SHORT"


def listed(ticker: str, figi: str | None, gone: str | None = None) -> dict[str, Any]:
    named = {"ticker": ticker, "name": ticker, "market": "stocks", "type": "CS", "active": gone is None}
    return {**named, "composite_figi": figi, "delisted_utc": gone and f"{gone}T00:00:00Z"}


def changes(figi: str, *events: tuple[str, str]) -> tuple[str, bytes]:
    told = [{"type": "ticker_change", "date": day, "ticker_change": {"ticker": ticker}} for day, ticker in events[::-1]]
    body = envelope({"name": figi, "composite_figi": figi, "events": told})
    return f"polygon/rest/vX/reference/tickers/{figi}/events.json", body


def bodies() -> Iterator[tuple[str, bytes]]:
    yield f"{REFERENCE}/tickers/living.json", envelope([
        listed("TKN", C), listed("ONE", CHAIN), listed("BCK", BACK), listed("PAY", PAID), listed("SHR", SHORT),
        listed("REU", HEIR)])  # fmt: skip
    yield f"{REFERENCE}/tickers/dead.json", envelope([
        listed("TKN", A, "2021-03-31"), listed("TKN", B, "2021-08-31"), listed("BCK", BACK, "2021-03-31"),
        listed("OLD", None, "2021-04-01"), listed("REU", LATE, "2021-05-07")])  # fmt: skip
    yield changes(A, ("2015-01-02", "TKN"))
    yield changes(B, ("2021-05-01", "TKN"))  # a Saturday
    yield changes(C, ("2021-10-01", "TKN"))
    yield changes(CHAIN, ("2018-01-02", "ONE"), ("2021-04-01", "TWO"), ("2021-05-10", "TRE"), ("2021-10-01", "ONE"))
    yield changes(BACK, ("2016-01-04", "BCK"), ("2021-08-31", "BCK"))
    split = {"id": "E1", "ticker": "PAY", "execution_date": "2021-05-10", "split_from": 1, "split_to": 2}
    saturday = {**split, "id": "E2", "execution_date": "2021-05-15", "split_to": 5}
    early = {**split, "id": "E3", "execution_date": "2021-01-04"}  # on the first bar: counts in no factor
    of_chain = [{**split, "id": f"E{ticker}", "ticker": ticker, "execution_date": day}
                for ticker, day in (("ONE", "2021-01-05"), ("TWO", "2021-05-03"), ("ONE", "2021-10-04"))]  # fmt: skip
    yield "polygon/rest/stocks/v1/splits/all.json", envelope([split, saturday, early, of_chain[0] | {"id": "E4"},
                                                              *of_chain[1:]])  # fmt: skip
    yield f"{REFERENCE}/splits/all.json", envelope([{name: split[name] for name in split if name != "id"}])
    paid = {"ticker": "PAY", "ex_dividend_date": "2021-05-10", "dividend_type": "CD"}
    special = {**paid, "ticker": "SHR", "ex_dividend_date": "2021-05-10", "cash_amount": 500.0}
    yield f"{REFERENCE}/dividends/all.json", envelope([
        {**paid, "cash_amount": 0.5}, {**paid, "cash_amount": 1.5}, special,
        {**special, "cash_amount": 4.0, "ex_dividend_date": "2021-09-06"}])  # Labor Day, 126 days after the last bar
    announced = {"id": "D2", "ticker": "TKN", "ex_dividend_date": "2199-05-10", "cash_amount": 1.0, "currency": "USD"}
    newer = {"id": "D1", "ticker": "PAY", "ex_dividend_date": "2021-05-10", "cash_amount": 0.5, "currency": "USD"}
    yield "polygon/rest/stocks/v1/dividends/all.json", envelope([newer, announced])
    for day in DAYS:
        yield f"polygon/flatfiles/us_stocks_sip/day_aggs_v1/{day:%Y/%m}/{day}.csv.gz", flat(*lines(day))


def lines(day: dt.date) -> Iterator[str]:
    start = times.midnight_at(day) * 1000
    chain = "ONE" if day < DAYS[3] else "TWO" if day < DAYS[6] else "TRE" if day < DAYS[9] else "ONE"
    halvings = sum(day >= DAYS[at] for at in (1, 4, 10))
    closes = {"TKN": 20.0, chain: 80.0 / 2**halvings, "BCK": 15.0, "OLD": 10.0, "SHR": 8.0, "PAY": 40.0, "REU": 9.0}
    closes["PAY"] /= (2 if day >= DAYS[6] else 1) * (5 if day >= DAYS[7] else 1)
    nobody = {"TKN": (3,), "BCK": (3, 4, 5, 6, 7), "OLD": range(4, 11), "SHR": range(5, 9), "REU": (6,)}
    for ticker, close in closes.items():
        if DAYS.index(day) not in nobody.get(ticker, ()):
            yield f"{ticker},1000000,{close},{close},{close},{close},{start},10"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("hostile")
    told = land(folder, *((path, None, body) for path, body in bodies()), now=NOW)
    assert told.quarantined == {}
    marts.build(Home(folder), now=NOW)
    return Home(folder)


@pytest.fixture(scope="module")
def lake(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with marts.connect(home) as connection:
        yield connection


def test_whose_ticker_it_was(lake: duckdb.DuckDBPyConnection) -> None:
    found = lake.sql("select instrument_id, symbol, valid_from::text, valid_to::text from symbols order by 2, 3, 1")
    assert found.fetchall() == [
        (BACK, "BCK", "2016-01-04", "2021-04-01"), (BACK, "BCK", "2021-08-31", None),
        ("LISTED:OLD", "OLD", "2021-01-04", "2021-04-02"),
        (CHAIN, "ONE", "2018-01-02", "2021-04-01"), (CHAIN, "ONE", "2021-10-01", None),
        (PAID, "PAY", "2021-01-04", None), (LATE, "REU", "2021-01-04", "2021-05-08"), (HEIR, "REU", "2021-05-17", None),
        (SHORT, "SHR", "2021-01-04", None),
        (A, "TKN", "2015-01-02", "2021-04-01"), (B, "TKN", "2021-05-01", "2021-09-01"), (C, "TKN", "2021-10-01", None),
        (CHAIN, "TRE", "2021-05-10", "2021-10-01"), (CHAIN, "TWO", "2021-04-01", "2021-05-10"),
    ]  # fmt: skip
    bars = dict(lake.sql("select instrument_id, count(*) from daily_bars group by all").fetchall())
    assert bars == {A: 3, B: 5, C: 2, CHAIN: 11, BACK: 6, "LISTED:OLD": 4, PAID: 11, SHORT: 7, LATE: 6, HEIR: 4}
    assert lake.sql("select delisted_on::text, security_type from instruments where instrument_id = 'LISTED:OLD'"
                    ).fetchall() == [("2021-04-01", "CS")]  # fmt: skip


def test_the_dead_are_in_the_universe_of_their_days_whoever_has_their_ticker_now(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    owners = lake.sql("select session::text, instrument_id from universe where symbol = 'REU' order by 1").fetchall()
    # Six sessions with bars, and the three of those after them that have none.
    assert [owner for session, owner in owners if session <= "2021-05-07"] == [LATE] * 9
    assert {owner for session, owner in owners if session > "2021-05-07"} == {HEIR}


def factors(lake: duckdb.DuckDBPyConnection, instrument: str) -> dict[str, tuple[float, float]]:
    rows = lake.execute(
        "select session::text, split_factor, total_return_factor from daily_bars where instrument_id = $1", [instrument]
    ).fetchall()
    return {session: (split, total) for session, split, total in rows}


def test_a_split_two_payments_and_a_saturday_are_counted_once_each(lake: duckdb.DuckDBPyConnection) -> None:
    told = factors(lake, PAID)
    assert told["2021-01-05"] == told["2021-05-07"] == (1.0, 1.0)
    paid = 40.0 / 38.0  # against the last close before, of one payment told twice and one told once
    assert told["2021-05-10"] == (2.0, pytest.approx(2.0 * paid, rel=1e-15))
    assert told["2021-05-17"] == (10.0, pytest.approx(10.0 * paid, rel=1e-15))


def test_a_dividend_above_the_price_counts_nothing_and_one_after_a_long_silence_does(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    told = factors(lake, SHORT)
    assert told["2021-05-03"] == (1.0, 1.0) and told["2021-10-01"] == (1.0, 2.0)


def test_a_chain_of_tickers_keeps_its_factor_and_its_adjusted_price(lake: duckdb.DuckDBPyConnection) -> None:
    splits = [split for _, (split, _) in sorted(factors(lake, CHAIN).items())]
    assert splits == [1.0, 2.0, 2.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 8.0]
    as_of = calendars.close_at(DAYS[-1]) + dt.timedelta(hours=1)
    adjusted = lake.sql(
        f"select distinct close, volume * adjustment_factor from adjusted_bars(timestamptz '{as_of.isoformat()}') "
        f"where instrument_id = '{CHAIN}'"
    ).fetchall()
    assert adjusted == [(10.0, 1e6)]


def test_a_ticker_has_one_owner_a_day(lake: duckdb.DuckDBPyConnection) -> None:
    assert lake.sql("select symbol, session from daily_bars group by all having count(*) > 1").fetchall() == []


@pytest.mark.parametrize(("as_of", "known"), [(None, False), ("2199-05-09", False), ("2199-05-10", True)])
def test_what_is_announced_counts_from_its_day(as_of: str | None, known: bool, home: Home) -> None:
    """Without a moment the command line asks as of now."""
    out = home.root / "answer.json"
    asked = ["sql", "from corporate_actions where symbol = 'TKN'", "--home", str(home.root), "--json", f"--out={out}"]
    said = CliRunner().invoke(app, [*asked, *(("--as-of", as_of) if as_of else ())])
    assert said.exit_code == 0 and bool(json.loads(out.read_text())) is known
