"""Rows that did not become facts: each with its reason, and whole bodies refused when too much of one is bad."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import durable
from pipelines.home import Home
from pipelines.lake.schemas import QUARANTINE
from pipelines.settings import Quarantine
from pipelines.vendors.contents import TEXT_LIMIT
from pipelines.vendors.parsing import WHOLE_BODY, Parsed, Reject


def refuse_bad_body(parts: Sequence[Parsed], limits: Quarantine) -> list[Parsed]:
    """A body of which too much is bad is refused whole: what looks good in it cannot be trusted either. `parts` are
    its rows by dataset."""
    bad = sum(len(rejects) for _, rejects in parts)
    good = sum(table.num_rows for table, _ in parts)
    if bad < limits.min_bad_rows or bad <= limits.max_bad_share * (bad + good):
        return list(parts)
    return [_refused(part) for part in parts]


def _refused(part: Parsed) -> Parsed:
    table, rejects = part
    refused = [
        Reject("batch_refused", row.pop("row_index"), json.dumps(row, default=str)[:TEXT_LIMIT])
        for row in table.to_pylist()
    ]
    return table.slice(0, 0), sorted([*rejects, *refused], key=lambda reject: reject.row_index)


def rows_of(
    rejects: Iterable[Reject], *, vendor: str, dataset: str, path: str, sha256: str, received_at: dt.datetime
) -> list[dict[str, Any]]:
    return [
        {
            "vendor": vendor, "dataset": dataset, "path": path, "row_index": reject.row_index,
            "row_text": reject.row_text, "reason": reject.reason, "body_sha256": sha256, "received_at": received_at,
        }
        for reject in rejects
    ]  # fmt: skip


def file_of(home: Home, batch: str) -> Path:
    return home.quarantine / f"{batch}.parquet"


def write(home: Home, batch: str, rows: list[dict[str, Any]]) -> None:
    """The batch's quarantine, written just before the batch itself is committed."""
    ordered = sorted(rows, key=lambda row: (row["path"], row["received_at"], row["row_index"], row["reason"]))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(ordered, schema=QUARANTINE), sink, compression="zstd")
    durable.write_atomic(file_of(home, batch), sink.getvalue().to_pybytes(), failpoint="quarantine")


def refused_by(home: Home, number: int | None, vendor: str) -> list[dict[str, Any]]:
    """A vendor's rows in the quarantine of one batch."""
    path = file_of(home, f"batch-{number:06d}") if number is not None else None
    if path is None or not path.exists():
        return []
    rows: list[dict[str, Any]] = pq.read_table(path, columns=["vendor", "path", "reason", "body_sha256"]).to_pylist()
    return [row for row in rows if row["vendor"] == vendor]


def refused_bodies(home: Home) -> tuple[set[str], set[str]]:
    """Hashes of the bodies that were refused whole, and of those of which single rows were."""
    whole: set[str] = set()
    some: set[str] = set()
    for path in sorted(home.quarantine.glob("batch-*.parquet")):
        columns = pq.read_table(path, columns=["row_index", "reason", "body_sha256"])
        for index, reason, sha256 in zip(*(column.to_pylist() for column in columns.columns), strict=True):
            (whole if index == WHOLE_BODY or reason == "batch_refused" else some).add(sha256)
    return whole, some - whole


def drop_uncommitted(home: Home, committed: set[str]) -> None:
    """A killed run may have left the quarantine of a batch that never came to be."""
    for path in home.quarantine.glob("batch-*.parquet"):
        if path.stem not in committed:
            path.unlink()
