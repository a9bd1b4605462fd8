"""The safetensors format, read by ourselves: a header checked field by field, then plain buffers. No native parser."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

KINDS: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "I64": np.dtype("<i8"), "I32": np.dtype("<i4"), "U8": np.dtype("u1")
}
MOST_HEADER_BYTES = 1_000_000


def write(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The same arrays give the same bytes, whatever order they come in."""
    from safetensors.numpy import save

    return bytes(save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}))


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The header's JSON, and where the buffers begin."""
    if len(data) < 8:
        raise ValueError("shorter than a safetensors header")
    (header_bytes,) = struct.unpack("<Q", data[:8])
    if header_bytes > min(MOST_HEADER_BYTES, len(data) - 8):
        raise ValueError(f"a header of {header_bytes} bytes does not fit")
    header = json.loads(data[8 : 8 + header_bytes])
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    return header, 8 + header_bytes


def metadata(data: bytes) -> dict[str, str]:
    """The words that travel in the header."""
    words = _header(data)[0].get("__metadata__", {})
    if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
        raise ValueError("the header's metadata are no words")
    return words


def read(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """Arrays of a file that is exactly what its header says; otherwise ValueError with what is wrong."""
    header, begins = _header(data)
    header.pop("__metadata__", None)
    body = memoryview(data)[begins:]
    arrays: dict[str, npt.NDArray[Any]] = {}
    at = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        kind, shape, (begin, end) = KINDS.get(entry["dtype"]), entry["shape"], entry["data_offsets"]
        if kind is None:
            raise ValueError(f"{name}: dtype {entry['dtype']} is not taken")
        if not all(type(size) is int and 0 <= size < 2**31 for size in (*shape, begin, end)):
            raise ValueError(f"{name}: sizes must be whole numbers")
        count = 1
        for size in shape:
            count *= size
        if begin != at or end - begin != count * kind.itemsize or end > len(body):
            raise ValueError(f"{name}: offsets {begin}–{end} do not fit its shape {shape} or leave a gap")
        arrays[name] = np.frombuffer(body[begin:end], kind).reshape(shape)
        at = end
    if at != len(body):
        raise ValueError(f"{len(body) - at} bytes that no array claims")
    return arrays
