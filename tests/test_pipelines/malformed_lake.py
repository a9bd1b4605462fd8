"""Malformed payloads in a lake, and what the lake must then hold: every good row, and a reason for every other."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.facts import read_dataset
from pipelines.vendors.layout import route
from pipelines.vendors.parsing import REASONS, UNFORESEEN
from tests.test_pipelines.lake_told import at, land
from tests.test_pipelines.malformed import Payload, payload
from tests.test_pipelines.malformed_kinds import KINDS

AT_ONCE = 500  # payloads a batch


def landed(folder: Path, count: int, seed: int = 11) -> list[Payload]:
    """So many payloads of all kinds in turn, each body as served."""
    chance = random.Random(seed)
    payloads = [payload(chance, number) for number in range(count)]
    assert len({one.path for one in payloads}) == count
    for begun in range(0, count, AT_ONCE):
        told = [(one.path, at(1), one.body) for one in payloads[begun : begun + AT_ONCE]]
        land(folder, *told, now=at(1))
    return payloads


def good_rows(payloads: list[Payload]) -> dict[str, set[Any]]:
    good: dict[str, set[Any]] = {}
    for one in payloads:
        good.setdefault(one.kind.dataset, set()).update((KINDS.index(one.kind), grain) for grain in one.good)
    return good


def facts(home: Home, dataset: str) -> list[tuple[int, Any]]:
    """Each fact under the kind that its body was of."""
    paths = {row["sha256"]: row["path"] for row in raw.receipts(home).to_pylist()}
    found = []
    for row in read_dataset(home, dataset).to_pylist():
        kind = _kind_of(paths[row["body_sha256"]])
        found.append((kind, KINDS[kind].column(row)))
    return found


def _kind_of(path: str) -> int:
    return next(at for at, kind in enumerate(KINDS) if _sort_of(kind.path(0)) == _sort_of(path))


def _sort_of(path: str) -> Any:
    """The parser, and of lists the endpoint: the newer and the older one share a parser. Of streams that may hold
    anything, what the file calls itself."""
    found = route(path)
    named = path.partition("-")[0] if found and found.whole else ""
    return found, path.rpartition("/")[0] if found and found.is_list else named


def assert_facts_are_the_good_rows(home: Home, payloads: list[Payload]) -> None:
    for dataset, good in good_rows(payloads).items():
        found = facts(home, dataset)
        assert set(found) == good, (dataset, sorted(map(str, set(found) ^ good))[:5])
        assert dataset == "tickers" or len(found) == len(good)


def assert_quarantine_holds_the_others(home: Home, payloads: list[Payload]) -> None:
    refused = {one.path: one for one in payloads if one.refused}
    tables = [pq.read_table(file) for file in sorted(home.quarantine.glob("batch-*.parquet"))]
    rows = pa.concat_tables(tables).to_pylist()
    by_path: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["path"], row["row_index"])):
        by_path.setdefault(row["path"], []).append(row)
        assert UNFORESEEN not in row["row_text"], row
    assert set(by_path) == set(refused)
    for path, one in refused.items():
        sha256 = raw.sha256_of(one.body)
        assert raw.read_body(home, sha256) == one.body
        assert len(by_path[path]) == len(one.refused), (path, by_path[path], one.refused)
        for row, allowed in zip(by_path[path], one.refused, strict=True):
            assert row["body_sha256"] == sha256
            assert row["reason"] in allowed, (path, row["reason"], allowed, row["row_text"])
    assert set(Counter(row["reason"] for row in rows)) == set(REASONS)
