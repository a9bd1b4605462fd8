"""SHA-256 of what a table says, whatever order its rows came in and whenever they were received."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def _column_bytes(column: pa.ChunkedArray) -> bytes:
    """Nulls and values, without the bytes that Arrow leaves undefined under a null."""
    nulls = column.is_null().combine_chunks().to_numpy(zero_copy_only=False).tobytes()
    kind = column.type
    if pa.types.is_nested(kind):
        return nulls + json.dumps(column.to_pylist(), default=str).encode()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        texts = column.cast(pa.large_string()).fill_null("").to_pylist()
        return nulls + "\x1f".join(texts).encode()
    if pa.types.is_temporal(kind):
        column = column.cast(pa.int64() if pa.types.is_timestamp(kind) else pa.int32())
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    if pa.types.is_decimal(kind):
        return nulls + "\x1f".join("" if v is None else str(v) for v in column.to_pylist()).encode()
    filled = pc.fill_null(column, 0).combine_chunks()
    return nulls + filled.to_numpy(zero_copy_only=False).tobytes()


def table_digest(table: pa.Table, keys: Sequence[str], *, ignore: Sequence[str] = ("ingested_at",)) -> str:
    """Digest of the rows in key order, without the columns that say when we got them."""
    kept = table.select([name for name in sorted(table.column_names) if name not in ignore])
    if kept.num_rows:
        kept = kept.sort_by([(key, "ascending") for key in keys])
    digest = hashlib.sha256()
    for name in kept.column_names:
        digest.update(f"{name}:{kept.schema.field(name).type}\n".encode())
        digest.update(_column_bytes(kept.column(name)))
    return digest.hexdigest()


def json_digest(value: Any) -> str:
    """Digest of a plain value: sorted keys, shortest form."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
