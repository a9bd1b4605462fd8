"""Polygon's further feeds: option pictures, index levels, coming holidays; and the regular hours of minute bars."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.lake import marts
from pipelines.vendors.polygon import flat_minutes
from pipelines.vendors.polygon_index import flat_index_days, index_aggs
from pipelines.vendors.polygon_options import snapshot
from pipelines.vendors.polygon_status import market_days
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at, land, versions

QUARTER_PAST_FOUR = dt.datetime(2025, 6, 30, 20, 15, tzinfo=dt.UTC)


def pages(*rows: Any) -> bytes:
    return bodies.envelope(list(rows))


def test_pages_of_one_pull_are_one_chain_and_tell_the_session_they_are_of() -> None:
    first, none = snapshot(pages(bodies.pictured("O:SPXW250630C06000000")), bodies.SNAPSHOT_PATH)
    later = bodies.CLOSED_NS + 600 * 1_000_000_000
    second, _ = snapshot(
        pages(bodies.pictured("O:SPX250718P06000000", underlying_asset={
            "ticker": "I:SPX", "value": 6200.5, "last_updated": later})), bodies.SNAPSHOT_PATH)  # fmt: skip
    assert none == []
    for table in (first, second):
        assert table["snapshot"].to_pylist() == [QUARTER_PAST_FOUR]
        assert table["session"].to_pylist() == [dt.date(2025, 6, 30)] and table["underlying"].to_pylist() == ["SPX"]
    row = first.to_pylist()[0]
    assert (row["contract"], row["root"], row["strike"], row["volume"]) == ("SPXW250630C06000000", "SPXW", 6000.0, 7.0)
    assert (row["bid"], row["iv"], row["open_interest"], row["spot"]) == (1.0, 0.2, 5.0, 6200.5)


def test_a_contract_that_did_not_trade_today_shows_an_older_day_which_is_not_todays_volume() -> None:
    friday = {"volume": 99, "close": 1.0, "last_updated": bodies.DAY_NS - 3 * 86_400_000_000_000}
    table, none = snapshot(pages(bodies.pictured("O:SPX250718C06000000", day=friday)), bodies.SNAPSHOT_PATH)
    assert none == [] and table["volume"].to_pylist() == [0.0]


def test_what_a_plan_leaves_out_is_missing_and_a_greek_of_zero_too() -> None:
    bare = bodies.pictured("O:SPX250718C06000000", greeks={}, last_quote={}, implied_volatility=0.0)
    thin = {name: value for name, value in bare.items() if name not in ("last_quote", "last_trade", "open_interest")}
    table, none = snapshot(pages(bare, {**thin, "details": {"ticker": "O:AMD1250718C00100000"}}), bodies.SNAPSHOT_PATH)
    assert none == []
    for name in ("iv", "delta", "gamma", "bid", "ask"):
        assert table[name].null_count == 2
    assert table["adjusted"].to_pylist() == [False, True]


def test_a_deliverable_of_other_than_a_hundred_shares_is_adjusted() -> None:
    row = bodies.pictured("O:XYZ250718C00010000")
    row["details"] = {**row["details"], "shares_per_contract": 10}
    assert snapshot(pages(row), bodies.SNAPSHOT_PATH)[0]["adjusted"].to_pylist() == [True]


def test_the_documentations_own_example_has_a_strike_of_nine_digits_and_is_refused(samples: Path) -> None:
    body = (samples / "polygon/openapi_examples/v3__snapshot__options__(underlyingAsset).json").read_bytes()
    table, rejects = snapshot(body, bodies.SNAPSHOT_PATH)
    assert table.num_rows == 0 and [one.reason for one in rejects] == ["bad_symbol"]
    mock = (samples / "polygon/mocks/v3/snapshot/options/AAPL.json").read_bytes()
    assert all(one.reason == "missing_field" for one in snapshot(mock, bodies.SNAPSHOT_PATH)[1])


def test_a_picture_without_a_clock_is_refused() -> None:
    row = bodies.pictured("O:SPX250718C06000000", underlying_asset={"ticker": "I:SPX", "value": 6200.5})
    assert [one.reason for one in snapshot(pages(row), bodies.SNAPSHOT_PATH)[1]] == ["missing_field"]


def test_an_index_has_levels_and_no_volume_whoever_computes_it(samples: Path) -> None:
    name = "v2__aggs__ticker__(indicesTicker)__range__(multiplier)__(timespan)__(from)__(to).json"
    body = (samples / "polygon/openapi_examples" / name).read_bytes()
    path = bodies.INDEX_AGGS_PATH.replace("VIX", "NDX")
    table, none = index_aggs(body, path)
    assert none == [] and table["session"].to_pylist() == [dt.date(2023, 3, 9), dt.date(2023, 3, 10)]
    assert table["index"].to_pylist() == ["NDX", "NDX"] and table["close"][0].as_py() == 11995.88235998666
    assert index_aggs(body, path.replace("I:", "I%3A"))[0].equals(table)


def test_a_flat_file_of_indices_names_them_with_a_prefix() -> None:
    body = bodies.flat_index(f"I:SPX,6190,6204.9,6215,6174,{bodies.DAY_NS}", f"SPX,1,1,1,1,{bodies.DAY_NS}",
                             f"I:VIX,16.9,16.7,17.2,16.6,{bodies.DAY_NS + 86_400_000_000_000}")  # fmt: skip
    table, rejects = flat_index_days(body, bodies.FLAT_INDEX_PATH)
    assert table["index"].to_pylist() == ["SPX"] and table["source"].to_pylist() == ["flatfile"]
    assert [one.reason for one in rejects] == ["bad_symbol", "bad_time"]


def test_coming_holidays_are_a_bare_list_and_the_state_of_now_is_no_fact(samples: Path) -> None:
    body = (samples / "polygon/openapi_examples/v1__marketstatus__upcoming.json").read_bytes()
    table, none = market_days(body, bodies.UPCOMING_PATH)
    assert none == [] and table.num_rows == 5
    early = table.to_pylist()[4]
    assert early["status"] == "early-close" and early["closes_at"] == dt.datetime(2020, 11, 27, 18, tzinfo=dt.UTC)
    now = (samples / "polygon/openapi_examples/v1__marketstatus__now.json").read_bytes()
    assert market_days(now, bodies.UPCOMING_PATH)[0].num_rows == 0 and market_days(now, bodies.UPCOMING_PATH)[1] == []
    assert [one.reason for one in market_days(b'{"results": []}', bodies.UPCOMING_PATH)[1]] == ["schema_drift"]


@pytest.mark.parametrize(
    ("hour", "minute", "kept"), [(4, 0, 0), (9, 29, 0), (9, 30, 1), (15, 59, 1), (16, 0, 0), (19, 59, 0)]
)
def test_minutes_outside_the_session_are_neither_facts_nor_faults(hour: int, minute: int, kept: int) -> None:
    """On the day of a split the first of them may still be on the old prices."""
    start = bodies.DAY_NS + (hour * 60 + minute) * 60_000_000_000
    table, rejects = flat_minutes(bodies.flat(f"AAA,100,10,10,11,9,{start},1"), bodies.FLAT_MINUTES_PATH)
    assert (table.num_rows, rejects) == (kept, [])


def test_an_early_close_ends_the_minutes_at_one() -> None:
    path = bodies.FLAT_MINUTES_PATH.replace("2025/06/2025-06-30", "2025/07/2025-07-03")
    starts = [bodies.DAY_NS + (3 * 1440 + 12 * 60 + 59 + late) * 60_000_000_000 for late in (0, 1)]
    table, rejects = flat_minutes(bodies.flat(*(f"AAA,1,10,10,11,9,{start},1" for start in starts)), path)
    assert (table.num_rows, rejects) == (1, [])


def test_the_marts_take_both_vendors_chains_and_levels(tmp_path: Path) -> None:
    land(
        tmp_path,
        (bodies.SNAPSHOT_PATH, None, pages(bodies.pictured("O:SPXW250630C06000000"))),
        (bodies.CHAIN_PATH, None, bodies.chain(bodies.option("SPX250718C06000000"))),
        (bodies.FLAT_INDEX_PATH, None, bodies.flat_index(f"I:SPX,6190,6204.9,6215,6174,{bodies.DAY_NS}")),
        (bodies.INDEX_PATH, None, b"DATE,OPEN,HIGH,LOW,CLOSE\n06/30/2025,16.9,17.2,16.6,16.7\n"),
        (bodies.UPCOMING_PATH, None, bodies.upcoming()),
        now=at(1),
    )
    assert [day for day, _ in versions(tmp_path, "market_days", "day", "status")] == [
        dt.date(2025, 7, 3), dt.date(2025, 7, 4)]  # fmt: skip
    marts.build(Home(tmp_path), now=at(1))
    with marts.connect(Home(tmp_path)) as con:
        assert con.sql("select contract from option_quotes order by 1").fetchall() == [
            ("SPX250718C06000000",), ("SPXW250630C06000000",)]  # fmt: skip
        assert con.sql('select "index", close from index_levels order by 1').fetchall() == [
            ("SPX", 6204.9), ("VIX", 16.7)]  # fmt: skip
