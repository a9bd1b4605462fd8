"""From a body as served to what it holds: unpacked within bounds, read as JSON or as lines of a CSV, or refused."""

import csv
import gzip
import io
import json
import re
import zlib
from typing import Any

TEXT_LIMIT = 400
MOST_BYTES = 1 << 30  # of an unpacked body: a whole market's minutes of a day are a fifth of it
MOST_JSON_BYTES = 1 << 26  # the widest chain there is has a fifth
# What is read of a byte of JSON may take thirty in memory, and a row that is refused a thousand: so these are counted.
MOST_OBJECTS, MOST_VALUES = 1 << 19, 1 << 22  # that chain: 30,000 and 700,000
MOST_LINES_BYTES = 1 << 26  # read line by line in Python; the widest chain as CSV has a sixth
_SLICE = 4096  # of a zstd stream: what it can swell to in one step is a bounded number of blocks
_PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,4})?", re.ASCII)
_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_LINES = re.compile(r"\r\n|\n|\r")


class Unusable(ValueError):
    """The body as a whole says nothing; `reason` is one of REASONS."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def _bounded(size: int, most: int) -> None:
    if size > most:
        raise Unusable("not_data", f"more than {most >> 20} MB: no body of this kind is")


def unzipped(body: bytes) -> bytes:
    """A .gz body's content; a body that is not compressed is taken as it is."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        stream = zlib.decompressobj(wbits=31)
        content = stream.decompress(body, MOST_BYTES + 1)
        if not stream.eof or stream.unused_data.strip(b"\0"):  # cut short, too long, or of several members
            with gzip.open(io.BytesIO(body)) as members:
                content = members.read(MOST_BYTES + 1)
    except EOFError:
        raise Unusable("truncated", "the gzip stream ends early") from None
    except (OSError, zlib.error) as error:
        raise Unusable("not_data", f"damaged gzip stream: {error}") from None
    _bounded(len(content), MOST_BYTES)
    return content


def unpacked(body: bytes) -> bytes:
    """A .zst body's content, frame by frame; each frame is asked whether it ended."""
    if not body.startswith(b"\x28\xb5\x2f\xfd"):
        return body
    import zstandard

    content, size, frame, opener = list[bytes](), 0, None, zstandard.ZstdDecompressor()
    try:
        for start in range(0, len(body), _SLICE):
            rest = body[start : start + _SLICE]
            while rest:
                frame = frame or opener.decompressobj()
                content.append(frame.decompress(rest))
                size += len(content[-1])
                _bounded(size, MOST_BYTES)
                if not frame.eof:
                    break
                rest, frame = frame.unused_data, None
    except zstandard.ZstdError as error:
        raise Unusable("not_data", f"damaged zstd stream: {error}") from None
    if frame is not None:
        raise Unusable("truncated", "the zstd stream ends early")
    return b"".join(content)


def load_json(body: bytes) -> Any:
    """The document, or why there is none: a page of HTML is not data, a document cut short is truncated."""
    _bounded(len(body), MOST_JSON_BYTES)
    if body.count(b"{") + body.count(b"[") > MOST_OBJECTS or body.count(b",") > MOST_VALUES:
        raise Unusable("not_data", f"more than {MOST_OBJECTS:,} rows or {MOST_VALUES:,} values: no body of JSON has")
    text = body.decode("utf-8", "replace").removeprefix("\ufeff").strip()
    if not text:
        raise Unusable("truncated", "empty body")
    if text[0] not in "{[":
        raise Unusable("not_data", text[:TEXT_LIMIT])
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text) - 1 or error.msg.startswith("Unterminated") or text[-1] not in "}]"
        raise Unusable("truncated" if cut else "not_data", f"{error.msg} at character {error.pos}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets without end
        raise Unusable("not_data", str(error)) from None


def csv_lines(body: bytes) -> list[list[str]]:
    """Cells of each line that holds any. No cell goes over a line's end, so that a stray quote costs its own line."""
    _bounded(len(body), MOST_LINES_BYTES)
    text = body.decode("utf-8-sig", "replace").lstrip()
    if text.startswith("<") or "\x00" in text[:200]:  # a page for people, or another encoding
        raise Unusable("not_data", text[:TEXT_LIMIT])
    lines = (_cells(line) for line in _LINES.split(text) if line and not line.isspace())
    return [line for line in lines if any(cell.strip() for cell in line)]


def _cells(line: str) -> list[str]:
    """Without empty ones at the end: some writers close each line with a comma."""
    try:
        cells = next(csv.reader([line]), [])
    except csv.Error:  # a cell of a hundred thousand characters is no cell
        return [line[:TEXT_LIMIT]]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def number_in(text: str) -> Any:
    """What a cell's text says, with or without commas between thousands; None for nothing, the text where it is no
    number."""
    text = text.strip()
    if text in ("", "-"):
        return None
    if _PLAIN.fullmatch(text):
        return float(text)
    return float(text.replace(",", "")) if _GROUPED.fullmatch(text) else text
