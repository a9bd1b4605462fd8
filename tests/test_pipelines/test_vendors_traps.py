"""Traps of the vendors' formats that cross datasets, and bodies made to hurt; docs/vendors.md has the table of them."""

import datetime as dt
import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pipelines.home import Home
from pipelines.lake.clocks import with_clocks
from pipelines.lake.facts import quarantined
from pipelines.vendors import cboe, cboe_csv, cboe_daily, cme, contents, polygon, polygon_options, polygon_reference
from pipelines.vendors.layout import route
from pipelines.vendors.parsing import UNFORESEEN
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at, land
from tests.test_pipelines.malformed_kinds import KINDS

SIDE = "1.5,0,1.25,2,30,0.2,0.5,0.01,40"


def reasons(parsed: Any) -> list[str]:
    return [reject.reason for reject in parsed[1]]


def test_one_instant_in_the_clocks_of_four_formats() -> None:
    """Milliseconds, nanoseconds, UTC without a zone, New York without a zone."""
    moment = dt.datetime(2025, 6, 30, 14, 31, tzinfo=dt.UTC)
    ns = int(moment.timestamp()) * 1_000_000_000
    minute, _ = polygon.minute_aggs(bodies.envelope([{**bodies.minute(10, 31), "t": ns // 1_000_000}]),
                                    bodies.MINUTES_PATH)  # fmt: skip
    filed, _ = polygon.flat_minutes(bodies.flat(f"AAA,1,10,10,11,9,{ns},1"), bodies.FLAT_MINUTES_PATH)
    printed, _ = cme.trades(bodies.dbn((ns, 6200.25, 1, "B")), bodies.TRADES_PATH)
    published, _ = cboe.chain(bodies.chain(bodies.option("SPXW250630C06000000"), timestamp="2025-06-30 14:31:00",
                                           last="2025-06-30T10:16:00"), bodies.CHAIN_PATH)  # fmt: skip
    saved, _ = cboe_csv.quotedata(bodies.quotedata(
        f"Mon Jun 30 2025,SPXW250630C06000000,{SIDE},6000,SPXW250630P06000000,{SIDE}",
        when="June 30, 2025 at 10:31 AM EDT"), bodies.QUOTEDATA_PATH)  # fmt: skip
    assert minute["bar_start"].to_pylist() == filed["bar_start"].to_pylist() == [moment]
    assert printed["ts_event"].to_pylist() == published["snapshot"].to_pylist() == [moment]
    assert set(saved["snapshot"].to_pylist()) == {moment}


@pytest.mark.parametrize(
    ("day", "opening_utc"),
    [("2025-03-07", 14), ("2025-03-10", 13), ("2025-10-31", 13), ("2025-11-03", 14)],
)
def test_the_open_is_half_past_nine_on_both_sides_of_a_change_of_clocks(day: str, opening_utc: int) -> None:
    opening = dt.datetime.fromisoformat(f"{day}T{opening_utc}:30:00+00:00")
    starts = [opening - dt.timedelta(minutes=1), opening, opening + dt.timedelta(minutes=389)]
    lines = [f"AAA,1,10,10,11,9,{int(start.timestamp())}000000000,1" for start in starts]
    path = bodies.FLAT_MINUTES_PATH.replace("2025/06/2025-06-30", f"{day[:4]}/{day[5:7]}/{day}")
    table, rejects = polygon.flat_minutes(bodies.flat(*lines), path)
    assert table["bar_start"].to_pylist() == starts[1:] and rejects == []


def test_volumes_may_be_fractions_text_or_with_commas() -> None:
    fraction, _ = polygon.flat_days(bodies.flat(f"AAA,182633.738021,10,10,11,9,{bodies.DAY_NS},1"),
                                    bodies.FLAT_DAYS_PATH)  # fmt: skip
    assert fraction["volume"].to_pylist() == [182633.738021]
    assert [contents.number_in(text) for text in ("1,234", "12,345,678.5", "-", "", "+109.2")] == [
        1234.0, 12345678.5, None, None, 109.2]  # fmt: skip
    assert [contents.number_in(text) for text in ("1,23,4", "1_000", "0x10", "nan", "\u0661", "1 2")] == [
        "1,23,4", "1_000", "0x10", "nan", "\u0661", "1 2"]  # fmt: skip


def test_no_results_is_no_data_and_an_answer_about_another_is_refused() -> None:
    for body in (bodies.dump({"status": "OK"}), bodies.envelope([]), bodies.dump({"status": "DELAYED", "count": 0})):
        for parser, path in ((polygon.minute_aggs, bodies.MINUTES_PATH), (polygon_reference.splits, bodies.SPLITS_PATH),
                             (polygon_options.snapshot, bodies.SNAPSHOT_PATH)):  # fmt: skip
            assert parser(body, path)[1] == []
    assert reasons(polygon.minute_aggs(bodies.dump({"data": []}), bodies.MINUTES_PATH)) == ["not_data"]
    other = bodies.envelope([bodies.minute(10, 0)], ticker="BBB")
    assert reasons(polygon.minute_aggs(other, bodies.MINUTES_PATH)) == ["bad_symbol"]


def test_factors_that_know_the_future_are_not_read() -> None:
    row = {"id": "E1", "ticker": "AAA", "execution_date": "2025-06-30", "split_from": 1, "split_to": 4,
           "historical_adjustment_factor": 0.0125}  # fmt: skip
    table, rejects = polygon_reference.splits(bodies.envelope([row]), bodies.SPLITS_PATH)
    assert rejects == [] and 0.0125 not in [value for one in table.to_pylist() for value in one.values()]


def test_a_future_may_trade_below_nothing_and_a_share_may_not() -> None:
    table, rejects = cme.trades(bodies.dbn((bodies.DAY_NS, -37.63, 1, "A")), bodies.TRADES_PATH)
    assert (table["price"].to_pylist(), rejects) == ([-37.63], [])
    assert reasons(polygon.grouped_day(bodies.grouped(bodies.bar("AAA", o=-1.0)), bodies.GROUPED_PATH)) == ["bad_price"]


@pytest.mark.parametrize("change", [{"bid": 3.0}, {"gamma": 1e308}, {"delta": float("nan")}, {"vega": float("inf")}])
def test_quotes_that_cross_and_greeks_beyond_sense_are_refused(change: dict[str, float]) -> None:
    body = bodies.chain(bodies.option("SPXW250703C06000000", **change), bodies.option("SPXW250703P06000000"))
    assert reasons(cboe.chain(body, bodies.CHAIN_PATH)) == ["bad_range"]


def test_a_contract_that_contradicts_its_own_line_is_refused() -> None:
    line = f"Mon Jul 14 2025,SPXW250630C06000000,{SIDE},6000,SPXW250714P06000000,{SIDE}"
    assert reasons(cboe_csv.quotedata(bodies.quotedata(line), bodies.QUOTEDATA_PATH)) == ["bad_symbol"]
    row = bodies.pictured("O:SPXW250630C06000000")
    row["details"] = {**row["details"], "strike_price": 600}
    assert reasons(polygon_options.snapshot(bodies.envelope([row]), bodies.SNAPSHOT_PATH)) == ["bad_symbol"]


def test_a_stray_quote_or_a_comma_too_many_costs_its_own_line_only() -> None:
    good = f"1,10,10,11,9,{bodies.DAY_NS},1"
    body = bodies.flat(f'"AAA,{good}', f"BBB,{good}", f"CCC,1,{good}", "DDD,1", f"EEE,{good}")
    table, rejects = polygon.flat_days(body, bodies.FLAT_DAYS_PATH)
    assert table["ticker"].to_pylist() == ["BBB", "EEE"]
    assert [(one.row_index, one.reason) for one in rejects] == [
        (0, "bad_symbol"), (2, "bad_type"), (3, "missing_field")]  # fmt: skip
    levels = b'DATE,OPEN,HIGH,LOW,CLOSE\n"06/27/2025,1,2,1,2\n06/30/2025,1,2,1,2,\n07/01/2025,1,200.5,1,2,3\n'
    table, rejects = cboe_daily.history(levels, bodies.INDEX_PATH)
    assert table["session"].to_pylist() == [dt.date(2025, 6, 30)]
    assert [one.reason for one in rejects] == ["bad_time", "bad_type"]


def test_another_indexs_history_is_not_taken_for_this_ones() -> None:
    assert reasons(cboe_daily.history(b"DATE,SKEW\n06/30/2025,144.5\n", bodies.INDEX_PATH)) == ["schema_drift"]


def test_bombs_are_defused_before_they_swell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MOST_BYTES", 1 << 20)
    zeros = bytes(4 << 20)
    for body in (gzip.compress(zeros), gzip.compress(b"") + gzip.compress(zeros)):
        assert reasons(polygon.flat_days(body, bodies.FLAT_DAYS_PATH)) == ["not_data"]
    assert reasons(cme.trades(zstandard.ZstdCompressor().compress(zeros), bodies.TRADES_PATH)) == ["not_data"]
    monkeypatch.setattr(contents, "MOST_JSON_BYTES", 1 << 10)
    assert reasons(cboe.chain(bodies.chain(*[bodies.option("A")] * 100), bodies.CHAIN_PATH)) == ["not_data"]
    monkeypatch.setattr(contents, "MOST_LINES_BYTES", 1 << 10)
    assert reasons(cboe_daily.history(b"DATE,OPEN,HIGH,LOW,CLOSE" + b"\n" * 2000, bodies.INDEX_PATH)) == ["not_data"]


@pytest.mark.parametrize("part", [b'{"a":1},', b"{},", b"[],", b"1,", b'"",'])
def test_a_body_of_little_things_takes_no_more_memory_than_a_chain(part: bytes) -> None:
    body = b'{"results":[' + (part * ((10 << 20) // len(part)))[:-1] + b"]}"
    tracemalloc.start()
    table, rejects = polygon.grouped_day(body, bodies.GROUPED_PATH)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table.num_rows == 0 and reasons((table, rejects)) == ["not_data"] and peak < 5 * len(body)


@pytest.mark.parametrize("depth", range(940, 1000, 3))
def test_a_row_just_shallow_enough_to_be_read_is_refused_and_shown_somehow(depth: int) -> None:
    body = bodies.envelope([]).replace(b"[]", b"[" * depth + b"]" * depth)
    table, rejects = polygon.grouped_day(body, bodies.GROUPED_PATH)
    assert table.num_rows == 0 and [one.reason for one in rejects] in (["bad_type"], ["not_data"])


def test_what_had_not_happened_when_it_was_received_is_refused(tmp_path: Path) -> None:
    days = ("06/30/2025", "07/01/2025", "07/09/2025", "01/02/2099")
    levels = "\n".join(["DATE,OPEN,HIGH,LOW,CLOSE", *(f"{day},1,2,1,2" for day in days)]).encode()
    told = land(tmp_path, (bodies.INDEX_PATH, at(1), levels), now=at(1))
    assert (told.rows, told.quarantined) == ({"index_levels": 2}, {"bad_time": 2})
    # A body that nobody timed may be read as of before its own day; a year ahead is too much.
    told = land(tmp_path, (bodies.INDEX_PATH.replace("VIX", "SPX"), None, levels), now=at(2))
    assert (told.rows, told.quarantined) == ({"index_levels": 3}, {"bad_time": 1})
    assert quarantined(Home(tmp_path)) == {"bad_time": 3}


def test_a_chain_is_not_published_before_its_session() -> None:
    body = bodies.chain(bodies.option("SPXW250703C06000000"), timestamp="2025-06-27 20:32:00")
    assert reasons(cboe.chain(body, bodies.CHAIN_PATH)) == ["bad_time"]


@pytest.mark.slow
def test_every_real_file_passes_through_every_parser(samples: Path) -> None:
    """Whatever lies in whichever folder: rows with both clocks, or reasons, and nothing that broke a parser."""
    for file in sorted(samples.rglob("*")):
        body = file.read_bytes() if file.is_file() and file.stat().st_size < 3_000_000 else None
        for kind in KINDS if body is not None else ():
            found = route(kind.path(0))
            assert found is not None and body is not None
            for dataset, (table, rejects) in found.read(body, kind.path(0)):
                assert with_clocks(dataset, table)["event_time"].null_count == 0
                assert not [one for one in rejects if UNFORESEEN in one.row_text], (file, dataset)
