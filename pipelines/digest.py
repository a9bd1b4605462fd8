"""SHA-256 of what a table says, whatever order its rows came in and whenever they were received."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_AT_ONCE = 1 << 17  # rows: of a column of millions only so many are ever unpacked
_BETWEEN = "\x1f"


def table_digest(table: pa.Table, keys: Sequence[str], *, ignore: Sequence[str] = ("ingested_at",)) -> str:
    """Digest of the rows in key order, without the columns that say when we got them."""
    return columns_digest(table.schema, table.column, keys, ignore=ignore)


def columns_digest(
    schema: pa.Schema, read: Callable[[str], pa.ChunkedArray], keys: Sequence[str],
    *, ignore: Sequence[str] = ("ingested_at",),
) -> str:  # fmt: skip
    """The same of a table that need not be held: each column is read when its turn comes."""
    digest, order = hashlib.sha256(), _key_order({key: read(key) for key in keys})
    for name in sorted(name for name in schema.names if name not in ignore):
        kind, column = schema.field(name).type, read(name)
        digest.update(f"{name}:{kind}\n".encode())
        for part in _column_bytes(column if order is None else column.take(order), kind):
            digest.update(part)
    return digest.hexdigest()


def _key_order(columns: dict[str, pa.ChunkedArray]) -> pa.Array | None:
    """Where each row stands by these keys; None where they stand so already, as most are written."""
    same, risen = None, None  # up to this key: equal to the row before, or after it
    for column in columns.values():
        before, after = column.slice(0, max(0, len(column) - 1)), column.slice(1)
        more, equal = pc.greater(after, before), pc.equal(after, before)
        risen = more if risen is None else pc.or_(risen, pc.and_(same, more))
        same = equal if same is None else pc.and_(same, equal)
    if same is None or pc.all(pc.or_(risen, same), skip_nulls=False, min_count=0).as_py():
        return None
    return pc.sort_indices(pa.table(columns), sort_keys=[(key, "ascending") for key in columns])


def _pieces(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in column.chunks:
        for start in range(0, len(chunk), _AT_ONCE):
            yield chunk.slice(start, _AT_ONCE)


def _column_bytes(column: pa.ChunkedArray, kind: pa.DataType) -> Iterator[Any]:
    """Nulls and then values, without the bytes that Arrow leaves undefined under a null."""
    for piece in _pieces(column):
        yield piece.is_null().to_numpy(zero_copy_only=False).tobytes()
    if pa.types.is_nested(kind):
        yield json.dumps(column.to_pylist(), default=str).encode()
        return
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)
    for number, piece in enumerate(_pieces(column)):
        if is_text or pa.types.is_decimal(kind):
            yield _BETWEEN.encode() if number else b""
            yield _joined(piece) if is_text else _BETWEEN.join(
                "" if value is None else str(value) for value in piece.to_pylist()
            ).encode()
        else:
            yield _plain(piece, kind).tobytes()


def _joined(texts: pa.Array) -> Any:
    filled = texts.cast(pa.large_string()).fill_null("")
    one = pa.LargeListArray.from_arrays(pa.array([0, len(filled)], pa.int64()), filled)
    return pc.binary_join(one, pa.scalar(_BETWEEN, pa.large_string()))[0].as_buffer()


def _plain(values: pa.Array, kind: pa.DataType) -> np.ndarray[Any, Any]:
    if pa.types.is_temporal(kind):
        values = values.cast(pa.int64() if pa.types.is_timestamp(kind) else pa.int32())
    if pa.types.is_boolean(kind):
        values = values.cast(pa.int8())
    return np.asarray(pc.fill_null(values, 0).to_numpy(zero_copy_only=False))


def json_digest(value: Any) -> str:
    """Digest of a plain value: sorted keys, shortest form."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
