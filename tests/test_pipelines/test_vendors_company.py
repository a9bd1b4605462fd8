"""What Polygon tells of one company alone, where the lake's own pull keeps it and where its own address of it lies."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.lake import marts
from pipelines.lake.facts import read_dataset
from pipelines.vendors import polygon_company
from pipelines.vendors.layout import route
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at, land

FIGI = "BBG000B9XRY4"
PATH = f"polygon/rest/v3/reference/tickers/{FIGI}/overview.json"
COMPANY = {"ticker": "AAPL", "market": "stocks", "active": True, "type": "CS", "composite_figi": FIGI,
           "cik": "0000320193", "sic_code": "3571", "sic_description": "ELECTRONIC COMPUTERS",
           "list_date": "1980-12-12"}  # fmt: skip


def told(**more: Any) -> bytes:
    return json.dumps({"status": "OK", "results": {**COMPANY, **more}}).encode()


def test_a_code_has_four_digits() -> None:
    for given, wanted in (("3571", "3571"), ("100", "0100"), (700, "0700")):
        table, rejects = polygon_company.overview(told(sic_code=given), PATH)
        assert (table["sic_code"].to_pylist(), rejects) == ([wanted], [])


@pytest.mark.parametrize(("given", "reason"), [
    ("software", "bad_range"), ("35710", "bad_range"), (35.71, "bad_type"), (True, "bad_type"), ([1], "bad_type"),
])  # fmt: skip
def test_what_is_no_code_is_refused(given: Any, reason: str) -> None:
    table, rejects = polygon_company.overview(told(sic_code=given), PATH)
    assert (table.num_rows, [one.reason for one in rejects]) == (0, [reason])


@pytest.mark.parametrize("given", [{"sic_code": None}, {"sic_code": ""}, {"market": "crypto"}])
def test_who_has_none_is_no_fault(given: dict[str, Any]) -> None:
    table, rejects = polygon_company.overview(told(**given), PATH)
    assert (table.num_rows, rejects) == (0, [])


def test_a_company_is_whose_address_it_has_where_it_does_not_say() -> None:
    table, _ = polygon_company.overview(told(composite_figi=None), PATH)
    assert table["composite_figi"].to_pylist() == [FIGI]


def test_the_official_clients_mock_is_a_company_and_its_code(samples: Path, tmp_path: Path) -> None:
    body = (samples / "polygon/mocks/v3/reference/tickers/AAPL.json").read_bytes()
    land(tmp_path, ("polygon/rest/v3/reference/tickers/AAPL.json", None, body),
         (bodies.GROUPED_PATH, None, bodies.grouped(bodies.bar("AAPL"))), now=at(2))  # fmt: skip
    marts.build(Home(tmp_path), now=at(2))
    with marts.connect(Home(tmp_path)) as connection:
        found = connection.sql("select instrument_id, name, security_type, sic_code, sector from instruments")
        assert found.fetchall() == [(FIGI, "Apple Inc.", "CS", "3571", "business_equipment")]
        assert connection.sql("select instrument_id from daily_bars").fetchall() == [(FIGI,)]


def test_another_business_counts_from_when_it_was_told(tmp_path: Path) -> None:
    land(tmp_path, (bodies.TICKERS_PATH, None, bodies.envelope([COMPANY])), (PATH, None, told()), now=at(1))
    land(tmp_path, (PATH, at(5), told(sic_code="6770")), now=at(5))
    marts.build(Home(tmp_path), now=at(6))
    for moment, sector in ((at(4), "business_equipment"), (at(6), "finance")):
        with marts.connect(Home(tmp_path), as_of=moment) as connection:
            assert connection.sql("select sector from instruments").fetchall() == [(sector,)]


def test_a_lake_of_before_there_were_any_is_built(tmp_path: Path) -> None:
    land(tmp_path, (bodies.GROUPED_PATH, None, bodies.grouped(bodies.bar("AAPL"))), now=at(1))
    for batch in (tmp_path / "lake/raw/facts").glob("batch-*"):
        (batch / "ticker_details.parquet").unlink()
    assert read_dataset(Home(tmp_path), "ticker_details").num_rows == 0
    marts.build(Home(tmp_path), now=at(2))
    with marts.connect(Home(tmp_path)) as connection:
        assert connection.sql("select count(*), count(sector) from instruments").fetchall() == [(1, 0)]


def test_a_page_of_the_list_is_none() -> None:
    found = route(bodies.TICKERS_PATH)
    assert found is not None
    assert [name for name, _ in found.read(bodies.envelope([COMPANY]), bodies.TICKERS_PATH)] == ["tickers"]
    assert [name for name, _ in found.read(told(), "polygon/rest/v3/reference/tickers/AAPL.json")] == [
        "tickers", "ticker_details"]  # fmt: skip
