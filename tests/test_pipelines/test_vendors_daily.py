"""Cboe's daily files and CME's details: text that means numbers, sections that come and go, days that were none."""

import datetime as dt
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.clocks import with_clocks
from pipelines.vendors.cboe_daily import history, statistics
from pipelines.vendors.cme_details import details
from tests import OWN
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import land

DAY = dt.date(2025, 6, 30)


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"Disclaimer, of words\r\n\r\n"])
def test_an_index_has_four_levels_or_its_close(start: bytes) -> None:
    four, _ = history(start + b"DATE,OPEN,HIGH,LOW,CLOSE\r\n06/30/2025,16.9,17.2,16.6,16.7\r\n", bodies.INDEX_PATH)
    assert [tuple(row.values())[:6] for row in four.to_pylist()] == [("VIX", DAY, 16.9, 17.2, 16.6, 16.7)]
    close, _ = history(start + b"DATE,SKEW\n6/30/2025,144.5\n", "cboe/indices/SKEW_History.csv")
    assert [tuple(row.values())[:6] for row in close.to_pylist()] == [("SKEW", DAY, None, None, None, 144.5)]


def test_levels_that_cannot_be_are_refused_and_the_others_stay() -> None:
    lines = ["06/27/2025,16,17,15,18", "13/27/2025,1,1,1,1", "06/30/2025,9,17.2,16.6,16.7", "07/01/2025,x,1,1,1",
             "07/02/2025,1,1,1"]  # fmt: skip
    table, rejects = history("\n".join(["DATE,OPEN,HIGH,LOW,CLOSE", *lines]).encode(), bodies.INDEX_PATH)
    assert table["session"].to_pylist() == [DAY]  # an open outside the range is the vendor's way, and no fault
    assert [reject.reason for reject in rejects] == ["bad_range", "bad_time", "bad_type", "missing_field"]
    assert history(b"<html>", bodies.INDEX_PATH)[1][0].reason == "not_data"


def test_statistics_are_one_row_a_product_with_its_ratio() -> None:
    table, rejects = statistics(bodies.statistics(), bodies.STATISTICS_PATH)
    assert not rejects
    assert [tuple(row.values())[1:9] for row in table.to_pylist()] == [
        ("SUM OF ALL PRODUCTS", 100.0, 78.0, 178.0, 1000.0, 2000.0, 3000.0, 0.78),
        ("SPX + SPXW", 100.0, 78.0, 178.0, None, None, None, 1.21),
    ]
    _, rejects = statistics(bodies.statistics(OEX={"name": "VOLUME", "call": "many", "put": 1}), bodies.STATISTICS_PATH)
    assert [reject.reason for reject in rejects] == ["bad_type"]


def test_details_write_numbers_as_text_and_none_as_a_dash() -> None:
    table, rejects = details(bodies.details(), bodies.DETAILS_PATH)
    assert not rejects
    columns = ["root", "session", "symbol", "contract_month", "report", "volume", "open_interest"]
    assert [tuple(row.values()) for row in table.select(columns).to_pylist()] == [
        ("GC", DAY, "GCQ5", "2025-08", "final", 1234.0, 5678.0), ("GC", DAY, "GCZ5", "2025-12", "final", None, 87.0)]
    for body, path, reason in (
        (bodies.details(), "cme/volume_details/999_20250630_F.json", "unknown_instrument"),
        (b"<html>", bodies.DETAILS_PATH, "not_data"),
        (bodies.details({"month": "FOO 2025", "totalVolume": "1"}), bodies.DETAILS_PATH, "bad_symbol"),
        (bodies.details(tradeDate="yesterday"), bodies.DETAILS_PATH, "bad_time"),
    ):
        assert [reject.reason for reject in details(body, path)[1]] == [reason]


def test_a_report_counts_from_its_own_time_and_a_silent_one_from_midnight() -> None:
    for body, known in ((bodies.details(), dt.datetime(2025, 7, 1, 6, 20, 7, tzinfo=dt.UTC)),
                        (bodies.details(updateTime=None), dt.datetime(2025, 7, 1, 4, tzinfo=dt.UTC))):  # fmt: skip
        rows = with_clocks("volume_details", details(body, bodies.DETAILS_PATH)[0])
        assert rows["modelled_at"].unique().to_pylist() == [known]


def test_open_interest_of_the_day_is_known_the_next_morning(tmp_path: Path) -> None:
    now = dt.datetime(2025, 7, 2, 6, tzinfo=dt.UTC)
    land(tmp_path, (bodies.STATISTICS_PATH, None, bodies.statistics()), now=now)
    desk = Home(settings.load({"home": str(tmp_path)}, environment=OWN).home)
    marts.build(desk, now=now)
    asked = "select put_call_ratio, total_open_interest from market_statistics where product = 'SUM OF ALL PRODUCTS'"
    for moment, interest in ((dt.datetime(2025, 6, 30, 21, tzinfo=dt.UTC), None), (now, 3000.0)):
        with marts.connect(desk, as_of=moment) as connection:
            assert connection.sql(asked).fetchall() == [(0.78, interest)]
