"""Values as bytes and back, never as code: tables, frames, arrays, bytes, text, and what JSON can hold."""

import io
import json
import zlib
from typing import Any

import numpy as np
import pyarrow as pa


class Unpackable(TypeError):
    """A value that would not come back as it was given."""


def pack(value: Any) -> bytes:
    """The first byte says what it is; tables are Arrow's own format by zstd, the rest zlib where that is shorter."""
    if isinstance(value, pa.Table):
        return b"a" + _arrow(value)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        sink = io.BytesIO()
        np.save(sink, value, allow_pickle=False)
        return b"n" + _shorter(sink.getvalue())
    if isinstance(value, bytes):
        return b"b" + _shorter(value)
    if type(value).__module__.startswith("pandas.") and type(value).__name__ == "DataFrame":
        return b"p" + _frame(value)
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        same = _alike(json.loads(text), value)
    except (TypeError, ValueError):
        same = False
    if not same:
        raise Unpackable(f"a cache keeps tables, frames, arrays, bytes, text and JSON, and no {type(value).__name__} "
                         "that would come back as another")
    return b"j" + _shorter(text.encode())


def unpack(packed: bytes) -> Any:
    """A value of its own each time: who changes it changes nobody else's."""
    kind, body = packed[:1], memoryview(packed)[1:]
    if kind in b"ap":
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            table = stream.read_all()
        return table if kind == b"a" else table.to_pandas()
    plain = zlib.decompress(body[1:]) if packed[1:2] == b"z" else bytes(body[1:])
    if kind == b"n":
        return np.load(io.BytesIO(plain), allow_pickle=False)
    return plain if kind == b"b" else json.loads(plain)


def _arrow(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _frame(frame: Any) -> bytes:
    try:
        packed = _arrow(pa.Table.from_pandas(frame))
        back = unpack(b"p" + packed)
    except (pa.ArrowException, TypeError, ValueError):
        back = None
    if back is None or not (back.equals(frame) and back.dtypes.equals(frame.dtypes) and back.index.equals(frame.index)):
        raise Unpackable("this frame would not come back from Arrow as it is: columns of mixed kinds, for one, do not")
    return packed


def _shorter(plain: bytes) -> bytes:
    small = zlib.compress(plain, 1)
    return b"z" + small if len(small) < len(plain) else b"=" + plain


def _alike(one: Any, other: Any) -> bool:
    """Equal and of one kind, at every depth: 1 is not True, and a tuple is no list."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_alike(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)
