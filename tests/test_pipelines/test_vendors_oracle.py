"""Malformed payloads in quantity, from a generator that knows which rows are good: none is lost, no bad one comes in,
each refused row stands in quarantine with its reason and its body. `NIGHTDESK_PAYLOADS=10000` is the whole proof."""

import datetime as dt
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.facts import read_dataset
from pipelines.vendors.parsing import REASONS
from tests.test_pipelines import bodies
from tests.test_pipelines.lake_told import at, land

PAYLOADS = int(os.environ.get("NIGHTDESK_PAYLOADS", "300"))
AT_ONCE = 500  # payloads a batch
Row = dict[str, Any]
# What goes wrong with one field of a row: what a number, a price or a name is spoiled with, and why it is then refused.
SPOILT: tuple[tuple[str, Any, set[str]], ...] = (
    ("price", None, {"missing_field"}), ("price", "12.5", {"bad_type"}), ("price", float("nan"), {"bad_price"}),
    ("price", float("inf"), {"bad_price"}), ("price", -1.0, {"bad_price"}), ("price", 0, {"bad_price"}),
    ("price", True, {"bad_type"}), ("price", [], {"bad_type"}), ("price", 10**400, {"bad_price", "bad_range"}),
    ("high", 1.0, {"bad_range"}), ("volume", -5, {"bad_volume"}), ("volume", "many", {"bad_type"}),
    ("volume", float("inf"), {"bad_volume"}), ("name", "", {"missing_field"}), ("name", 7, {"bad_type"}),
    ("name", "no ticker!", {"bad_symbol"}), ("name", "\ud800", {"bad_type", "missing_field", "bad_symbol"}),
    ("row", None, {"bad_type"}), ("row", "AAPL", {"bad_type"}), ("row", [1, 2], {"bad_type"}),
)  # fmt: skip


class Kind:
    """One sort of body: where it goes, what a good row is, which fields are price, high, volume and name."""

    def __init__(
        self, dataset: str, path: Callable[[int], str], row: Callable[[int], Row], wrap: Callable[[list[Any]], bytes],
        fields: dict[str, str], grain: Callable[[Row, int], Any], column: Callable[[Row], Any],
    ) -> None:  # fmt: skip
        self.dataset, self.path, self.row, self.wrap = dataset, path, row, wrap
        self.fields, self.grain, self.column = fields, grain, column


def _day(number: int) -> dt.date:
    return DAYS[number % len(DAYS)]


def _days() -> list[dt.date]:
    from pipelines import calendars

    return calendars.sessions(dt.date(1995, 1, 3), dt.date(2025, 6, 27))


def _midnight_ms(day: dt.date) -> int:
    from pipelines.vendors.times import midnight_at

    return midnight_at(day) // 1000


DAYS = _days()
KINDS = (
    Kind("equity_bars", lambda n: bodies.GROUPED_PATH.replace("2025-06-30", str(_day(n))),
         lambda i: bodies.bar(f"A{i}"), lambda rows: bodies.envelope(rows, adjusted=False),
         {"price": "o", "high": "h", "volume": "v", "name": "T"},
         lambda row, n: (row["T"], _day(n)), lambda row: (row["ticker"], row["session"])),
    Kind("splits", lambda n: f"polygon/rest/stocks/v1/splits/p{n}-0001.json",
         lambda i: {"id": f"E{i}", "ticker": f"A{i}", "execution_date": "2025-06-30", "split_from": 1, "split_to": 2},
         bodies.envelope, {"name": "ticker"},
         lambda row, n: row["id"], lambda row: row["vendor_id"]),
    Kind("option_chain", lambda n: f"cboe/options/_SPX/{n}.json",
         lambda i: bodies.option(f"SPXW250630C{i + 1:08d}"),
         lambda rows: bodies.chain(*rows), {"volume": "volume", "name": "option"},
         lambda row, n: row["option"], lambda row: row["contract"]),
    Kind("equity_minutes", lambda n: bodies.MINUTES_PATH.replace("AAA", f"A{n}"),
         lambda i: bodies.minute(9 + (30 + i % 40) // 60, (30 + i % 40) % 60), bodies.envelope,
         {"price": "o", "high": "h", "volume": "v"}, lambda row, n: (f"A{n}", row["t"]),
         lambda row: (row["ticker"], int(row["bar_start"].timestamp() * 1000))),
    Kind("index_bars", lambda n: bodies.INDEX_AGGS_PATH.replace("VIX", f"X{n}"),
         lambda i: {"t": _midnight_ms(_day(i)), "o": 16.9, "h": 17.2, "l": 16.6, "c": 16.7}, bodies.envelope,
         {"price": "c", "high": "h"}, lambda row, n: (f"X{n}", row["t"]),
         lambda row: (row["index"], _midnight_ms(row["session"]))),
    Kind("dividends", lambda n: f"polygon/rest/stocks/v1/dividends/p{n}-0001.json",
         lambda i: {"id": f"E{i}", "ticker": f"A{i}", "ex_dividend_date": "2025-06-30", "cash_amount": 0.5},
         bodies.envelope, {"name": "ticker"}, lambda row, n: row["id"], lambda row: row["vendor_id"]),
    Kind("tickers", lambda n: f"polygon/rest/v3/reference/tickers/p{n}-0001.json",
         lambda i: {"ticker": f"A{i}", "market": "stocks", "active": True, "composite_figi": f"F{i}", "cik": "1"},
         bodies.envelope, {"name": "ticker"}, lambda row, n: row["ticker"], lambda row: row["ticker"]),
)  # fmt: skip
WHOLE = ("cut", "html", "empty", "no json", "drift")


def spoil_body(chance: random.Random, body: bytes) -> bytes:
    """A body of which nothing can be read."""
    kind = chance.choice(WHOLE)
    if kind == "cut":
        return body[: chance.randrange(1, len(body) - 1)]
    return {"html": b"<html>Service unavailable</html>", "empty": b"", "no json": b"\x00\x01 nothing",
            "drift": b'{"status": "OK", "results": "soon", "data": 5}'}[kind]  # fmt: skip


def payload(chance: random.Random, kind: Kind, number: int) -> tuple[bytes, set[Any], list[set[str]]]:
    """A body, the grains of its good rows, and the reasons that each bad row may be refused for."""
    first, good, expected, rows = number * 40, set[Any](), list[set[str]](), list[Any]()
    for place in range(chance.randrange(1, 30)):
        row = kind.row(first + place)
        spoilt = [one for one in SPOILT if one[0] == "row" or one[0] in kind.fields]
        if chance.random() < 0.2 and len(expected) < 9:  # ten bad rows would cost the whole body
            what, value, reasons = chance.choice(spoilt)
            rows.append(value if what == "row" else {**row, kind.fields[what]: value})
            expected.append(reasons)
        else:
            rows.append(row)
            good.add(kind.grain(row, number))
            if chance.random() < 0.05 and len(expected) < 9:
                rows.append(row)
                expected.append({"duplicate"})
    if chance.random() < 0.15:
        return spoil_body(chance, kind.wrap(rows)), set(), [{"truncated", "not_data", "schema_drift"}]
    return kind.wrap(rows), good, expected


def test_no_good_row_is_lost_and_no_bad_one_comes_in(tmp_path: Path) -> None:
    chance, home = random.Random(11), Home(tmp_path)
    good: dict[str, set[Any]] = {kind.dataset: set() for kind in KINDS}
    refused: dict[str, list[set[str]]] = {}
    for begun in range(0, PAYLOADS, AT_ONCE):
        told = []
        for number in range(begun, min(begun + AT_ONCE, PAYLOADS)):
            kind = KINDS[number % len(KINDS)]
            body, rows, reasons = payload(chance, kind, number)
            path = kind.path(number)
            told.append((path, at(1), body))
            good[kind.dataset] |= rows
            if reasons:
                refused[path] = reasons
        land(tmp_path, *told, now=at(1))
    for kind in KINDS:
        found = [kind.column(row) for row in read_dataset(home, kind.dataset).to_pylist()]
        assert set(found) == good[kind.dataset], kind.dataset
        assert len(found) == len(set(found))
    _quarantine_is_told(home, refused)


def _quarantine_is_told(home: Home, refused: dict[str, list[set[str]]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [pq.read_table(file) for file in sorted(home.quarantine.glob("batch-*.parquet"))]
    rows = pa.concat_tables(tables).to_pylist()
    by_path: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["path"], row["row_index"])):
        by_path.setdefault(row["path"], []).append(row)
        assert row["reason"] in REASONS and raw.body_path(home, row["body_sha256"]).exists()
    assert set(by_path) == set(refused)
    for path, reasons in refused.items():
        assert len(by_path[path]) == len(reasons), path
        for row, allowed in zip(by_path[path], reasons, strict=True):
            assert row["reason"] in allowed, (path, row["reason"], allowed, row["row_text"])
    seen = Counter(row["reason"] for row in rows)
    assert len(seen) >= 9, json.dumps(seen)
