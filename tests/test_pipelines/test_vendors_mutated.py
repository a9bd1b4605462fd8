"""No bytes crash a parser: whatever a body became on its way, rows come out whole or are refused with a reason."""

import json
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.lake.clocks import with_clocks
from pipelines.vendors.contents import unpacked
from pipelines.vendors.layout import route
from pipelines.vendors.parsing import REASONS, UNFORESEEN, Reject, parsed_schema
from tests.test_pipelines import bodies, streams

TEN = 1751313600_000_000_000
JSON = {
    bodies.GROUPED_PATH: json.loads(bodies.grouped(bodies.bar("AAA"), bodies.bar("BBB", 12.5))),
    bodies.MINUTES_PATH: json.loads(bodies.envelope([bodies.minute(9, 30), bodies.minute(9, 31)])),
    bodies.DAYS_PATH: json.loads(bodies.envelope([bodies.bar("AAA", t=1751256000000)])),
    bodies.TICKERS_PATH: json.loads(bodies.envelope([
        {"ticker": "AAA", "name": "A", "market": "stocks", "type": "CS", "active": False, "composite_figi": "BBG1",
         "cik": "1", "delisted_utc": "2024-01-05T00:00:00Z"}])),
    bodies.EVENTS_PATH: json.loads(bodies.envelope(
        {"name": "Meta", "cik": "1", "events": [
            {"type": "ticker_change", "date": "2022-06-09", "ticker_change": {"ticker": "META"}}]})),
    bodies.SPLITS_PATH: json.loads(bodies.envelope([
        {"id": "E1", "ticker": "AAA", "execution_date": "2025-06-30", "split_from": 1, "split_to": 4,
         "adjustment_type": "forward_split"}])),
    bodies.DIVIDENDS_PATH: json.loads(bodies.envelope([
        {"id": "E2", "ticker": "AAA", "ex_dividend_date": "2025-06-30", "cash_amount": 0.5, "currency": "USD"}])),
    bodies.CHAIN_PATH: json.loads(
        bodies.chain(bodies.option("SPXW250630C06000000"), bodies.option("AMD1250718P00100000"))),
    bodies.SNAPSHOT_PATH: json.loads(bodies.envelope([
        bodies.pictured("O:SPXW250630C06000000"), bodies.pictured("O:AMD1250718P00100000")])),
    bodies.INDEX_AGGS_PATH: json.loads(bodies.envelope([
        {"t": 1751256000000, "o": 16.9, "h": 17.2, "l": 16.6, "c": 16.7}])),
    bodies.UPCOMING_PATH: json.loads(bodies.upcoming()),
    bodies.STATISTICS_PATH: json.loads(bodies.statistics()),
    bodies.DETAILS_PATH: json.loads(bodies.details()),
    "desk/borrow.json": [{"symbol": "AAA", "from": "2025-01-06", "borrowable": False}, "BBB"],
}  # fmt: skip
RAW = {
    bodies.FLAT_DAYS_PATH: bodies.flat("AAA,1000,10,10.5,11,9,1751256000000000000,10"),
    bodies.FLAT_MINUTES_PATH: bodies.flat("AAA,1000,10,10.5,11,9,1751290200000000000,10"),
    bodies.FLAT_INDEX_PATH: bodies.flat_index("I:VIX,16.9,16.7,17.2,16.6,1751256000000000000"),
    bodies.QUOTEDATA_PATH: bodies.quotedata(
        "Mon Jun 30 2025,SPXW250630C06000000,1,0,1,2,3,0.2,0.5,0.01,4,6000,SPXW250630P06000000,1,0,1,2,3,0.2,0.5,0.01,4"
    ),
    bodies.INDEX_PATH: b"DATE,OPEN,HIGH,LOW,CLOSE\n06/27/2025,16.5,17.1,16.2,16.3\n06/30/2025,16.9,17.2,16.6,16.7\n",
    "desk/borrow.csv": b"symbol,from,to,borrowable,available_at\nAAA,2025-01-06,2025-02-03,no,2025-01-06T12:00:00Z\n",
    bodies.TRADES_PATH: bodies.dbn((TEN, 6200.25, 2, "B"), (TEN + 1, 6200.5, 1, "N")),
    "cme/dbn/plain.dbn": unpacked(streams.mixture(TEN)),  # bytes that no checksum guards
    **{path: json.dumps(document).encode() for path, document in JSON.items()},
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2025-06-30")
    | st.sampled_from([10**400, -1, 0, 1e308, "\ud800", "AAA", "9999-99-99T00:00:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=40)


def check(path: str, body: bytes) -> tuple[Any, list[Reject]]:
    """The first dataset's rows, and what was refused of all."""
    found = route(path)
    assert found is not None
    held = found.read(body, path) or [(found.dataset, found.parser(body, path))]
    for dataset, (table, rejects) in held:
        assert table.schema == parsed_schema(dataset)
        table.validate(full=True)
        assert all(reject.reason in REASONS and isinstance(reject.row_text, str) for reject in rejects)
        assert not [one for one in rejects if UNFORESEEN in one.row_text and found.whole]
        timed = with_clocks(dataset, table)
        assert timed["event_time"].null_count == timed["modelled_at"].null_count == 0
        if "close" in table.schema.names and table.num_rows:
            assert dataset == "futures_ohlcv" or pc.all(pc.greater(table["low"], 0)).as_py()
            assert pc.all(pc.greater_equal(table["high"], table["close"])).as_py()
    return held[0][1][0], [one for _, (_, rejects) in held for one in rejects]


@pytest.mark.parametrize("path", RAW)
def test_the_unharmed_body_is_read_whole(path: str) -> None:
    table, rejects = check(path, RAW[path])
    assert table.num_rows > 0
    assert rejects == []


@pytest.mark.parametrize("path", RAW)
@STEADY
@given(data=st.data())
def test_changed_bytes_never_crash(path: str, data: st.DataObject) -> None:
    body = bytearray(RAW[path])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        what = data.draw(st.sampled_from(["flip", "cut", "insert", "drop"]))
        if what == "flip":
            body[at] = data.draw(st.integers(0, 255))
        elif what == "cut":
            body = body[: at + 1]
        elif what == "insert":
            body[at:at] = data.draw(st.binary(max_size=6))
        elif len(body) > 1:
            del body[at]
    check(path, bytes(body))


@pytest.mark.parametrize("path", JSON)
@STEADY
@given(data=st.data())
def test_changed_documents_never_crash(path: str, data: st.DataObject) -> None:
    document = json.loads(RAW[path])
    for _ in range(data.draw(st.integers(1, 3))):
        spots = list(_spots(document))
        if not spots:
            break
        holder, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        if data.draw(st.booleans()):
            holder[key] = data.draw(ANYTHING)
        elif isinstance(holder, dict):
            del holder[key]
        else:
            holder.append(holder[key])
    check(path, json.dumps(document).encode())


def _spots(node: Any) -> Any:
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from _spots(node[key])


@pytest.mark.parametrize("path", RAW)
@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (b"", {"truncated", "schema_drift", "not_data"}),
        (b"<html><body>Service unavailable</body></html>", {"not_data"}),
        (b"\x00\x01\x02", {"not_data", "schema_drift", "truncated"}),
    ],
    ids=["empty", "a page of HTML", "noise"],
)
def test_what_is_no_data_is_one_reject(path: str, body: bytes, reasons: set[str]) -> None:
    table, rejects = check(path, body)
    assert table.num_rows == 0
    assert len(rejects) == 1 and rejects[0].reason in reasons and rejects[0].row_index == -1


# A list in lines that ends early has lost its last lines and nothing else.
LINES = (bodies.QUOTEDATA_PATH, bodies.INDEX_PATH, "desk/borrow.csv")


@pytest.mark.parametrize("path", [path for path in RAW if path not in LINES])
def test_a_body_cut_short_is_truncated(path: str) -> None:
    body = RAW[path]
    table, rejects = check(path, body[: len(body) * 2 // 3])
    assert table.num_rows == 0
    assert [reject.reason for reject in rejects] == ["truncated"]
