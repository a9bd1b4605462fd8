"""Bodies exactly as served, kept under their hash, and the receipts that say when which path had which body."""

import datetime as dt
import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import durable
from pipelines.home import Home
from pipelines.lake import quarantine
from pipelines.lake.schemas import RECEIPTS
from pipelines.vendors import layout

RECEIPTS_FILE = "receipts.parquet"


def body_path(home: Home, sha256: str) -> Path:
    return home.raw / "bodies" / sha256[:2] / sha256


def read_body(home: Home, sha256: str) -> bytes:
    return body_path(home, sha256).read_bytes()


def keep_bodies(home: Home, bodies: Mapping[str, bytes]) -> None:
    """Make these bodies last. Each is synced to disk, several at a time, because syncing is waiting."""
    missing = {sha: body for sha, body in bodies.items() if not body_path(home, sha).exists()}

    def keep(item: tuple[str, bytes]) -> None:
        durable.write_atomic(body_path(home, item[0]), item[1], failpoint="raw")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, missing.items()))


def sha256_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def batches(home: Home) -> list[Path]:
    """Committed batches, oldest first."""
    return sorted(home.facts.glob("batch-*")) if home.facts.exists() else []


def receipts(home: Home) -> pa.Table:
    """Every receipt of every batch, in the order in which they were written."""
    tables = [pq.read_table(batch / RECEIPTS_FILE) for batch in batches(home)]
    return pa.concat_tables(tables) if tables else RECEIPTS.empty_table()


@dataclass
class Held:
    """What the lake has of each path, as the receipts tell it."""

    newest: dict[str, dict[str, Any]] = field(default_factory=dict)  # path -> its newest receipt
    known: set[tuple[str, str, dt.datetime]] = field(default_factory=set)  # (path, sha256, received_at)
    pulled_at: dict[str, list[dt.datetime]] = field(default_factory=dict)  # slot -> when it was pulled, ascending
    bodies: set[tuple[str, str]] = field(default_factory=set)  # (path, sha256)
    received: Counter[tuple[str, str]] = field(default_factory=Counter)  # (path, sha256) -> how often
    refused_whole: set[str] = field(default_factory=set)  # sha256 of bodies that gave nothing
    refused_rows: set[str] = field(default_factory=set)  # … and of those that gave some rows and not others

    @classmethod
    def read(cls, home: Home) -> "Held":
        held = cls()
        held.add(receipts(home).to_pylist())
        held.refused_whole, held.refused_rows = quarantine.refused_bodies(home)
        return held

    def sound(self, path: str) -> bool:
        """Whether what is held of this path can stand. A body that was refused is asked for until a good one comes;
        one with some bad rows once more, because a vendor who repeats them means them."""
        if path not in self.newest:
            return False
        sha256 = self.newest[path]["sha256"]
        insisted = self.received[path, sha256] > 1
        return sha256 not in self.refused_whole and (sha256 not in self.refused_rows or insisted)

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            path, moment = row["path"], row["received_at"]
            self.newest[path] = row
            self.known.add((path, row["sha256"], moment))
            self.bodies.add((path, row["sha256"]))
            self.received[path, row["sha256"]] += 1
            found = layout.route(path)
            if found is not None:
                # A body that only repeats the last one is noted before the ones that are still being parsed.
                moments = self.pulled_at.setdefault(layout.slot(path, found), [])
                place = bisect_left(moments, moment)
                if place == len(moments) or moments[place] != moment:
                    moments.insert(place, moment)
