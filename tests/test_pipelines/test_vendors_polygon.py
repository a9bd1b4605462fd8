"""Polygon's bodies: which day a bar belongs to, what a missing list means, and which rows are refused for what."""

import datetime as dt
from typing import Any

import pyarrow.compute as pc
import pytest

from pipelines.vendors import polygon, polygon_reference
from tests.test_pipelines import bodies
from tests.test_pipelines.bodies import bar, envelope, flat, grouped, minute

JUNE_30 = dt.date(2025, 6, 30)


def reasons(parsed: Any) -> list[str]:
    return [reject.reason for reject in parsed[1]]


def test_a_grouped_day_takes_its_date_from_the_path_and_not_from_t() -> None:
    table, rejects = polygon.grouped_day(grouped(bar("AAA", t=0), bar("BBB", v=182633.738021)), bodies.GROUPED_PATH)
    assert rejects == []
    assert table["session"].to_pylist() == [JUNE_30, JUNE_30]
    assert table["volume"].to_pylist() == [1000.0, 182633.738021]


def test_missing_results_are_no_data_and_no_fault() -> None:
    body = bodies.dump({"status": "OK", "resultsCount": 0, "adjusted": False})
    table, rejects = polygon.grouped_day(body, bodies.GROUPED_PATH)
    assert (table.num_rows, rejects) == (0, [])


def test_the_vendors_error_is_not_data() -> None:
    body = bodies.dump({"status": "ERROR", "error": "Unknown API Key"})
    assert reasons(polygon.grouped_day(body, bodies.GROUPED_PATH)) == ["not_data"]


def test_adjusted_prices_are_on_another_basis() -> None:
    assert reasons(polygon.grouped_day(envelope([bar("AAA")], adjusted=True), bodies.GROUPED_PATH)) == ["bad_print"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"c": "10.0"}, "bad_type"), ({"c": True}, "bad_type"), ({"c": None}, "missing_field"), ({"c": 0}, "bad_price"),
        ({"c": -1.0}, "bad_price"), ({"c": float("nan")}, "bad_price"), ({"c": float("inf")}, "bad_price"),
        ({"h": 9.5}, "bad_range"), ({"l": 10.5}, "bad_range"), ({"v": -5}, "bad_volume"), ({"T": "A B"}, "bad_symbol"),
        ({"T": 7}, "bad_type"), ({"T": ""}, "missing_field"),
    ],
)  # fmt: skip
def test_a_bad_row_is_refused_by_name_and_the_others_stand(change: dict[str, Any], reason: str) -> None:
    table, rejects = polygon.grouped_day(grouped(bar("AAA"), bar("BBB", **change), bar("CCC")), bodies.GROUPED_PATH)
    assert table["ticker"].to_pylist() == ["AAA", "CCC"]
    assert [(reject.reason, reject.row_index) for reject in rejects] == [(reason, 1)]


def test_the_first_of_two_rows_stands_unless_it_was_bad() -> None:
    table, rejects = polygon.grouped_day(
        grouped(bar("AAA", 10.0), bar("AAA", 10.5), bar("BBB", h=1.0), bar("BBB", 10.7)), bodies.GROUPED_PATH
    )
    assert dict(zip(table["ticker"].to_pylist(), table["close"].to_pylist(), strict=True)) == {"AAA": 10.0, "BBB": 10.7}
    assert [(reject.row_index, reject.reason) for reject in rejects] == [(1, "duplicate"), (2, "bad_range")]


def test_a_weekend_has_no_bars() -> None:
    path = bodies.GROUPED_PATH.replace("2025-06-30", "2025-06-29")
    assert reasons(polygon.grouped_day(grouped(bar("AAA")), path)) == ["bad_time"]


def test_minutes_start_on_minutes_of_sessions() -> None:
    odd = {**minute(9, 31), "t": minute(9, 31)["t"] + 1}
    sunday = {**minute(9, 31), "t": minute(9, 31)["t"] - 86_400_000}
    table, rejects = polygon.minute_aggs(envelope([minute(9, 30), odd, sunday]), bodies.MINUTES_PATH)
    assert table["bar_start"].to_pylist() == [dt.datetime(2025, 6, 30, 13, 30, tzinfo=dt.UTC)]
    assert table["ticker"].to_pylist() == ["AAA"]
    assert [reject.reason for reject in rejects] == ["bad_time", "bad_time"]


def test_a_day_bar_stamped_at_new_yorks_midnight_is_that_days_in_winter_too() -> None:
    stamps = [dt.datetime(2025, 1, 3, 5, tzinfo=dt.UTC), dt.datetime(2025, 6, 30, 4, tzinfo=dt.UTC)]
    rows = [bar("AAA", t=int(stamp.timestamp() * 1000)) for stamp in stamps]
    table, _ = polygon.day_aggs(envelope(rows), bodies.DAYS_PATH)
    assert table["session"].to_pylist() == [dt.date(2025, 1, 3), JUNE_30]


def test_a_flat_file_has_the_close_second_and_nanoseconds() -> None:
    table, rejects = polygon.flat_minutes(
        flat("AAA,1000.5,10,10.5,11,9,1751290200000000000,10"), bodies.FLAT_MINUTES_PATH
    )
    assert rejects == []
    row = table.to_pylist()[0]
    assert (row["open"], row["close"], row["high"], row["low"], row["volume"]) == (10, 10.5, 11, 9, 1000.5)
    assert row["bar_start"] == dt.datetime(2025, 6, 30, 13, 30, tzinfo=dt.UTC)


def test_one_damaged_cell_costs_one_row_of_a_flat_file() -> None:
    good = "AAA,1000,10,10.5,11,9,1751256000000000000,10"
    body = flat(good, good.replace("AAA", "BBB").replace("10.5", "n/a?"), good.replace("AAA", "CCC"))
    table, rejects = polygon.flat_days(body, bodies.FLAT_DAYS_PATH)
    assert table["ticker"].to_pylist() == ["AAA", "CCC"]
    assert [(reject.reason, reject.row_index) for reject in rejects] == [("bad_type", 1)]


def test_a_flat_file_with_another_header_has_drifted() -> None:
    body = flat("AAA,1", header="ticker,vol")
    assert reasons(polygon.flat_days(body, bodies.FLAT_DAYS_PATH)) == ["schema_drift"]


def test_a_split_means_the_same_from_both_endpoints_and_keeps_them_apart() -> None:
    row = {"ticker": "AAA", "execution_date": "2025-06-30", "split_from": 1, "split_to": 4}
    new, _ = polygon_reference.splits(envelope([{**row, "id": "E1"}]), bodies.SPLITS_PATH)
    old, _ = polygon_reference.splits(envelope([row]), bodies.OLD_SPLITS_PATH)
    facts = ["ticker", "ex_date", "split_from", "split_to", "kind"]
    assert new.select(facts).to_pylist() == old.select(facts).to_pylist()
    assert new["kind"].to_pylist() == ["forward_split"]
    assert new["vendor_id"].to_pylist() + old["vendor_id"].to_pylist() == ["E1", "v3:AAA:2025-06-30"]


def test_two_payments_of_one_day_are_two_from_the_older_endpoint_too() -> None:
    row = {"ticker": "AAA", "ex_dividend_date": "2025-06-30", "dividend_type": "CD"}
    paid = [{**row, "cash_amount": cash} for cash in (1.25, 0.5, 0.5, -3.0)]
    path = "polygon/rest/v3/reference/dividends/all-0001.json"
    told, rejects = polygon_reference.dividends(envelope(paid), path)
    assert dict(zip(told["vendor_id"].to_pylist(), told["cash_amount"].to_pylist(), strict=True)) == {
        "v3:AAA:2025-06-30:CD": 0.5, "v3:AAA:2025-06-30:CD:2": 1.25}  # fmt: skip
    assert sorted(reject.reason for reject in rejects) == ["bad_price", "duplicate"]
    again, _ = polygon_reference.dividends(envelope(paid[::-1]), path)  # in whatever order they stand
    assert sorted(again["vendor_id"].to_pylist()) == sorted(told["vendor_id"].to_pylist())


def test_a_split_of_nothing_is_refused() -> None:
    row = {"id": "E1", "ticker": "AAA", "execution_date": "2025-06-30", "split_from": 0, "split_to": 4}
    assert reasons(polygon_reference.splits(envelope([row]), bodies.SPLITS_PATH)) == ["bad_range"]


def test_other_markets_rows_are_neither_facts_nor_faults() -> None:
    rows = [
        {"ticker": "AAA", "market": "stocks", "active": True},
        {"ticker": "X:BTCUSD", "market": "crypto", "active": True},
    ]
    table, rejects = polygon_reference.tickers(envelope(rows), bodies.TICKERS_PATH)
    assert (table["ticker"].to_pylist(), rejects) == (["AAA"], [])


def test_the_official_clients_mocks_parse(samples: Any) -> None:
    mocks = samples / "polygon" / "mocks"
    tickers, _ = polygon_reference.tickers((mocks / "v3/reference/tickers.json").read_bytes(), bodies.TICKERS_PATH)
    assert tickers["ticker"].to_pylist() == ["A", "AA"]
    changes = (mocks / "vX/reference/tickers/META/events&types=ticker_change.json").read_bytes()
    events, _ = polygon_reference.ticker_events(changes, bodies.EVENTS_PATH)
    assert set(events["ticker"].to_pylist()) == {"META", "FB"}
    splits, rejects = polygon_reference.splits(
        (mocks / "v3/reference/splits.json").read_bytes(), bodies.OLD_SPLITS_PATH
    )
    assert splits.num_rows > 5 and rejects == []
    assert pc.all(pc.equal(splits.filter(pc.equal(splits["ticker"], "GOOGL"))["split_to"], 20)).as_py()
    dividends, rejects = polygon_reference.dividends(
        (mocks / "v3/reference/dividends.json").read_bytes(), bodies.DIVIDENDS_PATH
    )
    assert dividends.num_rows > 5 and rejects == []
    day = (mocks / "v2/aggs/grouped/locale/us/market/stocks/2005-04-04&adjusted=true.json").read_bytes()
    path = bodies.GROUPED_PATH.replace("2025-06-30", "2005-04-04")
    assert reasons(polygon.grouped_day(day, path)) == ["bad_print"]  # it was asked adjusted
    raw = day.replace(b'"adjusted": true', b'"adjusted": false')
    assert polygon.grouped_day(raw, path)[0]["ticker"].to_pylist() == ["GIK"]
