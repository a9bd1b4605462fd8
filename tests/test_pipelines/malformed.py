"""Bodies for every parser from a generator that knows which of their rows are good, and why each other row is not."""

import copy
import dataclasses
import gzip
import json
import random
from collections.abc import Callable
from typing import Any

from tests.test_pipelines.malformed_kinds import KINDS, Kind

BAD_ROWS_A_BODY = 10  # from as many on, a body is refused whole
WHOLE = {"truncated", "not_data", "schema_drift", "missing_field"}


@dataclasses.dataclass
class Payload:
    """A body; the grains of its good rows; and for each row that must be refused, in their order, the reasons that
    fit."""

    kind: Kind
    path: str
    body: bytes
    good: set[Any]
    refused: list[set[str]]


def payload(chance: random.Random, number: int) -> Payload:
    kind = KINDS[number % len(KINDS)]
    path = kind.path(number)
    if chance.random() < 0.12:
        records = [kind.record(number, place) for place in range(2 * chance.randrange(1, 6))]
        body, reasons = _whole(chance, kind, number, records)
        return Payload(kind, path, body, set(), [reasons])
    wanted = 1 if kind.single else chance.choice([1, 2, 5, 12, 30])
    share = 0.7 if chance.random() < 0.05 else 0.2
    records, rows = [], []  # rows: a grain where it is good, else the reasons
    for place in range(wanted + wanted % 2 if kind.paired else wanted):
        record = kind.record(number, place)
        if chance.random() < share and not (kind.anchored and place == 0):
            record, reasons = _spoilt(chance, kind, record)
            records.append(record)
            rows.append(reasons)
            continue
        records.append(record)
        rows.append((kind.grain(record, number),))
        if kind.repeats and chance.random() < 0.05:
            records.append(copy.deepcopy(record))
            rows.append({"duplicate"})
    bad = sum(isinstance(row, set) for row in rows)
    if bad >= BAD_ROWS_A_BODY and bad > 0.05 * len(rows):
        rows = [row if isinstance(row, set) else {"batch_refused"} for row in rows]
    body = kind.wrap(records, number, chance)
    return Payload(
        kind, path, body, {row[0] for row in rows if isinstance(row, tuple)}, [r for r in rows if isinstance(r, set)]
    )


def _spoilt(chance: random.Random, kind: Kind, record: Any) -> tuple[Any, set[str]]:
    spoil: Callable[[Any], Any]
    if kind.junk and chance.random() < 0.1:
        return chance.choice(kind.junk), {"bad_type"}
    spoil, reasons = chance.choice(kind.spoils)
    return spoil(copy.deepcopy(record)), reasons


def _whole(chance: random.Random, kind: Kind, number: int, records: list[Any]) -> tuple[bytes, set[str]]:
    """A body of which nothing can be read, or nothing be believed."""
    if kind.unbelievable and chance.random() < 0.4:
        make, reasons = chance.choice(kind.unbelievable)
        return make(records, number), reasons
    body = kind.wrap(records, number, chance)
    if kind.form == "json":
        return chance.choice(_JSON)(chance, body), WHOLE
    if kind.form in ("gz", "dbn"):
        return chance.choice(_PACKED)(chance, body), WHOLE
    return chance.choice(_TEXT)(chance, body), WHOLE


def _cut(chance: random.Random, body: bytes) -> bytes:
    return body[: chance.randrange(1, len(body) - 1)]


_ANY: list[Callable[[random.Random, bytes], bytes]] = [
    lambda chance, body: b"",
    lambda chance, body: b"<html><body>Service unavailable</body></html>",
    lambda chance, body: b"\x00\x01 nothing",
]
_JSON = [
    *_ANY, _cut, _cut,
    lambda chance, body: b'{"status": "OK", "results": "soon", "data": 5}',
    lambda chance, body: b'{"status": "ERROR", "error": "Unknown API Key"}',
    lambda chance, body: b"[" * 100_000,
    lambda chance, body: b'{"status":"OK","results":[{"t":' + b"9" * 5_000 + b"}]}",
    lambda chance, body: body.decode().encode("utf-16"),
    lambda chance, body: gzip.compress(body, mtime=0),
    lambda chance, body: body + body,
]  # fmt: skip
_PACKED = [
    *_ANY, _cut, _cut,
    lambda chance, body: gzip.compress(body, mtime=0),  # once more than it should be
    lambda chance, body: body[:4] + bytes(reversed(body[4:])),
]  # fmt: skip
_TEXT = [*_ANY, lambda chance, body: body.decode().encode("utf-16"), lambda chance, body: json.dumps("no CSV").encode()]
