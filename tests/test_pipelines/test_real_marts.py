"""Everything real at once, laid out as the design says: the marts give the numbers that are known of these samples."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.ingest import ingest
from tests import OWN
from tests import real_layout as real

NOW = dt.datetime(2026, 8, 1, 6, tzinfo=dt.UTC)
SPANS = ((dt.date(2014, 3, 3), dt.date(2014, 6, 30)), (dt.date(2020, 8, 3), dt.date(2020, 9, 30)))
GOOGLE = "from symbols where symbol like 'GOO%'"


@pytest.fixture(scope="module")
def home(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("source")
    for first, last in SPANS:
        real.lay_everything(samples, folder, first, last)
    chosen = settings.load({"home": str(tmp_path_factory.mktemp("home")), "source": f"files:{folder}"}, environment=OWN)
    desk = Home(chosen.home).prepare()
    assert ingest(chosen, desk, NOW).quarantined == {}
    assert all(test.good for test in marts.build(desk, now=NOW).tests)
    return desk


@pytest.fixture(scope="module")
def con(home: Home) -> Iterator[Any]:
    with marts.connect(home) as connection:
        yield connection


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_tickers_that_changed_hands_belong_to_whom_they_belonged(con: Any) -> None:
    found = con.sql(f"select symbol, instrument_id, valid_from, valid_to {GOOGLE}").fetchall()
    renamed = day("2014-04-03")  # the map files hold the old tickers up to 2014-04-02, the day itself included
    assert sorted(found) == [
        ("GOOCV", real.FIGI["GOOG"], day("2014-03-27"), renamed),
        ("GOOG", real.FIGI["GOOGL"], day("2004-08-19"), renamed),
        ("GOOG", real.FIGI["GOOG"], renamed, None),
        ("GOOGL", real.FIGI["GOOGL"], renamed, None),
    ]
    bars = ("select close from daily_bars where instrument_id = ? and session in ('2014-04-02', '2014-04-03') "
            "order by session")
    assert con.execute(bars, [real.FIGI["GOOGL"]]).fetchall() == [(1135.1,), (571.5,)]
    assert con.execute(bars, [real.FIGI["GOOG"]]).fetchall() == [(569.74,)]


def test_a_day_before_a_rename_nobody_knew_of_it(home: Home) -> None:
    with marts.connect(home, as_of=dt.datetime(2014, 4, 2, 22, tzinfo=dt.UTC)) as connection:
        found = connection.sql(f"select symbol, instrument_id, valid_to {GOOGLE}").fetchall()
    assert sorted(found) == [("GOOCV", real.FIGI["GOOG"], None), ("GOOG", real.FIGI["GOOGL"], None)]


def test_apples_splits_multiply_from_their_day_on(con: Any) -> None:
    found = dict(con.sql("select session, split_factor from daily_bars where symbol = 'AAPL'").fetchall())
    days = sorted(found)
    steps = [(before, found[before], found[after]) for before, after in zip(days, days[1:], strict=False)
             if found[before] != found[after]]
    assert steps == [(day("2014-06-06"), 1.0, 7.0), (day("2020-08-28"), 7.0, 28.0)]


@pytest.mark.parametrize("name", real.TICKERS)
def test_total_returns_are_those_of_the_factor_files(name: str, con: Any, samples: Path) -> None:
    """A factor row's price factor × split factor holds up to and including its date; ours counts forward."""
    ours = con.execute("select session, total_return_factor from daily_bars where instrument_id = ? order by session",
                       [real.FIGI[name]]).fetchall()
    rows = real.factor_rows(samples, name)
    theirs = [next(price * split for until, price, split, _ in rows if until >= session) for session, _ in ours]
    # Between the two spans nothing is held, so the closes that those dividends are measured against are missing.
    gap = [at for at, (session, _) in enumerate(ours) if session < SPANS[1][0]][-1] + 1
    for part in (slice(0, gap), slice(gap, None)):
        first_ours, first_theirs = ours[part][0][1], theirs[part][0]
        for (session, factor), other in zip(ours[part], theirs[part], strict=True):
            assert factor / first_ours == pytest.approx(other / first_theirs, rel=1e-4), session


def test_backward_adjusted_prices_are_those_of_the_day_they_are_asked_for(con: Any) -> None:
    asked = ("select close, volume, adjustment_factor from adjusted_bars(timestamptz '{}') "
             "where symbol = 'AAPL' and session = '2014-06-06'")
    before, after = (con.sql(asked.format(at)).fetchall()[0] for at in ("2014-06-07 12:00+00", "2014-06-09 12:00+00"))
    assert before[0] == 645.57 and before[2] == 1.0
    assert after[0] == pytest.approx(645.57 / 7) and after[1] == pytest.approx(before[1] * 7)


def test_chains_belong_to_the_session_of_their_last_trade(con: Any) -> None:
    found = con.sql("select underlying, session, volume_0dte, call_volume + put_volume, round(share_0dte, 6), "
                    "dealer_position from option_metrics order by 1").fetchall()
    assert found == [
        ("AAPL", day("2026-07-24"), 1545848.0, 2380131.0, 0.64948, "long"),  # published on the Saturday
        ("SPX", day("2022-07-12"), 376985.0, 731347.0, 0.515467, "short"),
        ("TSLA", day("2023-08-18"), 0.0, 768341.0, 0.0, "short"),  # saved on the Sunday
    ]
    # What expired that day lingers in the file, most of it without a volatility: that is missing, and not nothing.
    lingering = ("select count(*), count(iv), min(iv) > 0 from option_quotes "
                 "where underlying = 'AAPL' and expiry = session")
    assert con.sql(lingering).fetchall() == [(154, 54, True)]


def test_the_tape_of_es_is_whole(con: Any) -> None:
    assert con.sql("select count(*), sum(size), count(*) filter (side = 'B'), count(*) filter (side = 'A') "
                   "from futures_trades").fetchall() == [(120, 253, 66, 54)]
    assert con.sql("select sum(delta), sum(volume) from order_flow").fetchall() == [(31, 253)]
    assert con.sql("select last(cumulative_delta order by bar_start) from order_flow").fetchall() == [(31,)]
    assert con.sql("select symbol, session, poc, vah, val, total_volume from volume_profile").fetchall() == [
        ("ESU4", day("2024-07-02"), 5529.0, 5529.25, 5529.0, 253)]
    bars = "select instrument_id, count(*), count(trades) from futures_bars group by 1 order by 1"
    assert con.sql(bars).fetchall() == [
        ("CME:ESU4:2024", 30, 4), ("CME:NQU4:2024", 30, 0)]  # the vendor's own bars where no trades were laid out


def test_who_could_be_traded_was_known_before_the_open(con: Any) -> None:
    """Four of a kind after sixty sessions on the exchange and twenty of trading; the young share class not yet."""
    found = con.sql("select symbol, tradable from universe where session = '2014-06-30' order by 1").fetchall()
    assert found == [("AAPL", True), ("GOOG", True), ("GOOGL", True), ("SPY", True)]
    first = con.execute("select min(session) from universe where tradable and instrument_id = ?", [real.FIGI["GOOG"]])
    assert first.fetchall() == [(day("2014-06-23"),)]  # 60 sessions after 2014-03-27
    assert con.sql("select max(session) from universe").fetchall() == [(day("2020-10-01"),)]  # and who comes next


def test_an_underlying_that_is_a_share_is_no_index(con: Any) -> None:
    found = con.sql("select instrument_id from instruments where asset_class = 'index'").fetchall()
    assert found == [("SPX",)]


def test_gold_rolled_when_volume_and_open_interest_crossed(con: Any) -> None:
    """Crossed in one session, front from the next: volume on 2026-01-28 and 03-27, open interest on 01-22 and 03-19."""
    found = con.sql("select rule, symbol, min(session) from roll_calendar where root = 'GC' group by all order by all")
    assert found.fetchall() == [
        ("open_interest", "GCG6", day("2025-12-22")), ("open_interest", "GCJ6", day("2026-01-23")),
        ("open_interest", "GCM6", day("2026-03-20")),
        ("volume", "GCG6", day("2025-12-22")), ("volume", "GCJ6", day("2026-01-29")),
        ("volume", "GCM6", day("2026-03-30")),
    ]  # fmt: skip
    good_friday = con.sql("select count(*) from roll_calendar where session = '2026-04-03'").fetchall()
    assert good_friday == [(0,)]  # its report has rows, but nothing traded
    decided = con.sql("select available_at, evidence_session from roll_calendar "
                      "where rule = 'volume' and session = '2026-01-29'").fetchall()
    assert decided == [(dt.datetime(2026, 1, 29, 6, 20, 7, tzinfo=dt.UTC), day("2026-01-28"))]  # the report's own time


def test_indices_have_the_levels_of_their_files(con: Any) -> None:
    found = con.sql('select "index", count(*), min(session), max(session) from index_levels group by all order by 1')
    assert found.fetchall() == [
        ("AAVE10RP", 1644, day("2021-11-21"), day("2026-07-24")), ("VIX", 7556, day("1990-01-02"), day("2019-12-31")),
    ]  # fmt: skip
    first = con.sql("select open, high, low, close, available_at from index_levels "
                    "where \"index\" = 'VIX' and session = '1990-01-02'").fetchall()
    assert first == [(17.24, 17.24, 17.24, 17.24, dt.datetime(1990, 1, 2, 21, 15, tzinfo=dt.UTC))]
