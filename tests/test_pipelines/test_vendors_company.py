"""What Polygon tells of one company alone, where the lake's own pull keeps it and where its own address of it lies."""

import json
from typing import Any

import pytest

from pipelines.vendors import polygon_company
from pipelines.vendors.layout import route
from tests.test_pipelines import bodies

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


def test_a_page_of_the_list_is_none() -> None:
    found = route(bodies.TICKERS_PATH)
    assert found is not None
    assert [name for name, _ in found.read(bodies.envelope([COMPANY]), bodies.TICKERS_PATH)] == ["tickers"]
    assert [name for name, _ in found.read(told(), "polygon/rest/v3/reference/tickers/AAPL.json")] == [
        "tickers", "ticker_details"]  # fmt: skip
