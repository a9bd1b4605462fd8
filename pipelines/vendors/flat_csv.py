"""Polygon's flat files as rows: at the CSV reader's speed, and at nearly that where some cells are no numbers."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from pipelines.vendors.contents import TEXT_LIMIT, Unusable
from pipelines.vendors.parsing import Rows

_COLUMNS = ("ticker", "volume", "open", "close", "high", "low", "window_start", "transactions")
_NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,4})?$"
_READ = pyarrow.csv.ReadOptions(use_threads=False)
_SHORT = 4096  # a file of one line is the header alone
_LONG_LINES = pyarrow.csv.ReadOptions(use_threads=False, block_size=64 << 20)


def flat_rows(content: bytes, wanted: Sequence[str] = _COLUMNS) -> Rows:
    """No cell of these files is quoted, so that a stray quote is a bad cell of its line and of no other."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    header = content.split(b"\n", 1)[0].decode("utf-8", "replace").strip().split(",")
    if header[0].lstrip().startswith("<"):
        raise Unusable("not_data", header[0][:TEXT_LIMIT])
    if missing := [name for name in wanted if name not in header]:
        raise Unusable("schema_drift", f"the header lacks {', '.join(missing)}")
    if len(set(header)) != len(header):
        raise Unusable("schema_drift", f"the header names a column twice: {','.join(header)}"[:TEXT_LIMIT])
    if len(content) < _SHORT and b"\n" not in content.rstrip():
        return Rows({}, 0, str)
    kinds = {name: pa.string() if name == "ticker" else pa.float64() for name in wanted}
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(content), read_options=_READ, parse_options=pyarrow.csv.ParseOptions(quote_char=False),
            convert_options=pyarrow.csv.ConvertOptions(column_types=kinds, include_columns=list(wanted)),
        )  # fmt: skip
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        return _careful_rows(content, wanted)
    columns: dict[str, Any] = {
        name: table[name] if name == "ticker" else table[name].to_numpy().astype(np.float64) for name in wanted
    }
    return Rows(columns, table.num_rows, lambda index: ",".join(str(columns[name][index]) for name in wanted))


def _careful_rows(content: bytes, wanted: Sequence[str]) -> Rows:
    """Every cell as text first; a cell that is no number, or a line of more or fewer cells, costs its own row."""
    content = content.decode("utf-8", "replace").encode()
    misfits: dict[int, Any] = {}

    def set_aside(row: Any) -> str:
        misfits[row.number] = row
        return "skip"

    parsing = pyarrow.csv.ParseOptions(quote_char=False, invalid_row_handler=set_aside)
    kinds = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(wanted, pa.string()), include_columns=list(wanted))
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(content), read_options=_LONG_LINES, parse_options=parsing, convert_options=kinds
        )
    except pa.ArrowInvalid as error:
        raise Unusable("not_data", str(error)[:TEXT_LIMIT]) from None
    count = table.num_rows + len(misfits)
    # Lines count from 1, and the header is one.
    apart = np.array([number - 2 for number in sorted(misfits)], dtype=np.int64)
    fitting = np.setdiff1d(np.arange(count), apart)
    texts = dict(zip(apart.tolist(), (misfits[number] for number in sorted(misfits)), strict=True))

    columns: dict[str, Any] = {}
    wrong: dict[str, Any] = {}
    for name in wanted:
        words = table[name].combine_chunks()
        if name == "ticker":
            place = np.full(count, -1, dtype=np.int64)
            place[fitting] = np.arange(len(fitting))
            columns[name] = pa.chunked_array([words.take(pa.array(place, mask=place < 0))], pa.string())
            continue
        words = pc.utf8_trim_whitespace(words)
        empty, fine = pc.equal(words, ""), pc.match_substring_regex(words, _NUMBER)
        told = pc.if_else(fine, pc.utf8_ltrim(words, "+"), None).cast(pa.float64())
        columns[name], wrong[name] = np.full(count, np.nan), np.zeros(count, dtype=bool)
        columns[name][fitting] = told.to_numpy(zero_copy_only=False)
        wrong[name][fitting] = pc.invert(pc.or_(empty, fine)).to_numpy(zero_copy_only=False)

    def text_of(index: int) -> str:
        if index in texts:
            return str(texts[index].text)[:TEXT_LIMIT]
        at = int(np.searchsorted(fitting, index))
        return ",".join(str(table[name][at]) for name in wanted)[:TEXT_LIMIT]

    rows = Rows(columns, count, text_of, wrong)
    few = [index for index, row in texts.items() if row.actual_columns < row.expected_columns]
    rows.mark(np.isin(np.arange(count), few), "missing_field")
    rows.mark(np.isin(np.arange(count), apart), "bad_type")
    return rows
