"""What all parsers share: a body's rows as columns, checks that mark bad rows, and a closed list of reasons.

A parser is pure and never raises on bytes: `(body, path) -> (table, rejects)`. The table has the dataset's own columns
and `row_index`, the row's place in the body; the first check a row fails names its reason.
"""

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.lake.schemas import DATASETS
from pipelines.vendors.contents import MOST_OBJECTS, TEXT_LIMIT, Unusable

REASONS = (
    "bad_type", "missing_field", "bad_price", "bad_range", "bad_volume", "bad_time", "bad_symbol", "unknown_instrument",
    "duplicate", "bad_print", "schema_drift", "not_data", "truncated", "batch_refused",
)  # fmt: skip
WHOLE_BODY = -1  # row_index of a complaint about the body itself
UNFORESEEN = "this body broke its parser"
HIGHEST_PRICE, HIGHEST_VOLUME = 1e9, 1e15  # beyond them a number is a slip of the pen, or of a type
_NO_DAY = np.datetime64("1970-01-01")  # a zero that became a date
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_BEYOND = 1e300  # stands for an integer that no double holds
_SKIPPED = -1


@dataclass(frozen=True)
class Reject:
    reason: str
    row_index: int
    row_text: str


Parsed = tuple[pa.Table, list[Reject]]
Parser = Callable[[bytes, str], Parsed]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


def parsed_schema(dataset: str) -> pa.Schema:
    return DATASETS[dataset].own.append(pa.field("row_index", pa.int64()))


def parser(dataset: str) -> Callable[[Parser], Parser]:
    """Turn an unusable body into one reject and no rows; nothing a body holds is the caller's trouble."""

    def wrap(function: Parser) -> Parser:
        @functools.wraps(function)
        def safe(body: bytes, path: str) -> Parsed:
            try:
                return function(body, path)
            except Unusable as refusal:
                reason, text = refusal.reason, str(refusal)
            except Exception as problem:  # one strange body must not end the night for all others
                reason, text = "not_data", f"{UNFORESEEN}: {type(problem).__name__}: {problem}"[:TEXT_LIMIT]
            return parsed_schema(dataset).empty_table(), [Reject(reason, WHOLE_BODY, text)]

        return safe

    return wrap


class Rows:
    """Columns of one body and the reason, if any, for which each row is refused."""

    def __init__(
        self, columns: Mapping[str, Sequence[Any]], count: int, describe: Callable[[int], str],
        wrong: Mapping[str, Mask] | None = None,
    ) -> None:  # fmt: skip
        """`wrong` marks cells of a typed column that were no number."""
        self.columns = columns
        self.count = count
        self._describe = describe
        self._wrong = wrong or {}
        self._reason = np.zeros(count, dtype=np.int8)

    @classmethod
    def of_records(cls, records: Sequence[Any], names: Sequence[str]) -> "Rows":
        """Rows of a JSON list. What is no object is bad_type; an absent key and null are the same."""
        if len(records) > MOST_OBJECTS:
            raise Unusable("not_data", f"more than {MOST_OBJECTS:,} rows: no body of JSON has")
        shaped = [record if type(record) is dict else {} for record in records]
        rows = cls(
            {name: [record.get(name) for record in shaped] for name in names},
            len(records),
            lambda index: _as_text(records[index]),
        )
        if len(shaped) and not all(type(record) is dict for record in records):
            rows.mark(np.array([type(record) is not dict for record in records]), "bad_type")
        return rows

    @property
    def good(self) -> Mask:
        return self._reason == 0

    def mark(self, bad: Any, reason: str) -> None:
        """Refuse these rows, unless an earlier check already did."""
        self._reason[np.asarray(bad, dtype=bool) & (self._reason == 0)] = REASONS.index(reason) + 1

    def skip(self, other: Any) -> None:
        """Rows of something else, which are neither facts here nor faults."""
        self._reason[np.asarray(other, dtype=bool) & (self._reason == 0)] = _SKIPPED

    def number(self, name: str, *, required: bool = True) -> Numbers:
        """Finite or infinite numbers, NaN where there is none. Text is no number, and neither is true."""
        values = self.columns.get(name, ())
        if isinstance(values, np.ndarray):  # a CSV reader's typed column
            numbers = values.astype(np.float64)
            absent = np.isnan(numbers)
            self.mark(self._wrong.get(name, False), "bad_type")
        else:
            values = list(values) or [None] * self.count
            if set(map(type, values)) <= {float, int}:
                absent = np.zeros(self.count, dtype=bool)
                wrong = absent
            else:
                absent = np.array([value is None for value in values], dtype=bool)
                numeric = np.array([type(value) in (float, int) for value in values], dtype=bool)
                wrong = ~absent & ~numeric
                values = [value if fine else np.nan for value, fine in zip(values, numeric, strict=True)]
            try:
                numbers = np.array(values, dtype=np.float64)
            except OverflowError:  # an integer beyond what a double holds
                numbers = np.array([min(max(value, -_BEYOND), _BEYOND) for value in values], dtype=np.float64)
            self.mark(wrong, "bad_type")
        if required:
            self.mark(absent, "missing_field")
        return numbers

    def text(self, name: str, *, required: bool = True) -> list[str | None]:
        values = list(self.columns.get(name, ())) or [None] * self.count
        if not set(map(type, values)) <= {str}:
            self.mark([value is not None and type(value) is not str for value in values], "bad_type")
            if required:
                self.mark([value is None for value in values], "missing_field")
            values = [value if type(value) is str else None for value in values]
        try:
            "".join(value for value in values if value is not None).encode()
        except UnicodeEncodeError:  # half a surrogate pair, which JSON can spell and UTF-8 cannot
            readable = [value is None or value.isascii() or "\ud800" > max(value) or max(value) > "\udfff"
                        for value in values]  # fmt: skip
            self.mark([not fine for fine in readable], "bad_type")
            values = [value if fine else None for value, fine in zip(values, readable, strict=True)]
        if required:
            self.mark([value == "" for value in values], "missing_field")
        return [value or None for value in values]

    def matching(self, name: str, pattern: re.Pattern[str], reason: str) -> "list[str | None] | pa.ChunkedArray":
        column = self.columns.get(name)
        if isinstance(column, pa.ChunkedArray):  # a CSV reader's: a million rows of a few thousand words
            encoded = column.combine_chunks().dictionary_encode()
            words = [*encoded.dictionary.to_pylist(), None]
            place = encoded.indices.fill_null(len(words) - 1).to_numpy()
            self.mark(np.array([not word for word in words])[place], "missing_field")
            self.mark(np.array([word is None or pattern.fullmatch(word) is None for word in words])[place], reason)
            return column
        values = self.text(name)
        known: dict[str | None, bool] = {value: value is not None and pattern.fullmatch(value) is not None
                                         for value in set(values)}  # fmt: skip
        self.mark([not known[value] for value in values], reason)
        return values

    def date(self, name: str, *, required: bool = True) -> npt.NDArray[np.datetime64]:
        """Days written YYYY-MM-DD, with or without a time behind; NaT where there is none."""
        values = self.text(name, required=required)
        days: dict[str | None, Any] = {None: None, "": None}
        for value in set(values) - {None, ""}:
            days[value] = as_day(value)
        self.mark([bool(value) and days[value] is None for value in values], "bad_time")
        return np.array([days[value] for value in values], dtype="datetime64[D]")

    def prices(self, open_: Numbers, high: Numbers, low: Numbers, close: Numbers) -> None:
        """Every price above zero and of a price's size, and none outside low … high."""
        four = np.stack([open_, high, low, close])
        with np.errstate(invalid="ignore"):
            self.mark((~np.isfinite(four) | (four <= 0) | (four >= HIGHEST_PRICE)).any(axis=0), "bad_price")
            self.mark((high < four.max(axis=0)) | (low > four.min(axis=0)), "bad_range")

    def volume(self, volume: Numbers) -> None:
        with np.errstate(invalid="ignore"):
            self.mark(~((volume >= 0) & (volume < HIGHEST_VOLUME)), "bad_volume")

    def within(self, name: str, values: Numbers, least: float, most: float, reason: str) -> None:
        """What is told at all lies between these; a NaN that was spelled out is told."""
        column = self.columns.get(name, ())
        told = ~np.isnan(values) if isinstance(column, np.ndarray) else [one is not None for one in column]
        with np.errstate(invalid="ignore"):
            outside = ~((values >= least) & (values <= most))
        self.mark(outside & (told if len(column) else False), reason)

    def finish(self, dataset: str, columns: Mapping[str, Any]) -> Parsed:
        """The good rows as a table, duplicates of a grain refused but for the first, and a reject for every other."""
        schema = parsed_schema(dataset)
        table = pa.table(
            [as_array(columns[name], schema.field(name).type, self.count) for name in schema.names[:-1]]
            + [pa.array(np.arange(self.count), pa.int64())],
            schema=schema,
        )
        # Only good rows compete: a bad row must not push out the good one of its grain.
        grain = list(DATASETS[dataset].grain)
        kept = table.filter(pa.array(self.good))
        first = _first_places(kept, grain)
        if len(first) != kept.num_rows:
            repeated = self.good
            repeated[kept.column("row_index").to_numpy()[first]] = False
            self.mark(repeated, "duplicate")
            kept = table.filter(pa.array(self.good))
        rejects = [
            Reject(REASONS[self._reason[index] - 1], int(index), self._describe(int(index)))
            for index in np.flatnonzero(self._reason > 0)
        ]
        return kept, rejects


def _as_text(record: Any) -> str:
    try:
        return json.dumps(record, default=str)[:TEXT_LIMIT]
    except RecursionError:  # it was just shallow enough to be read
        return "nested too deeply to be shown"


def _first_places(table: pa.Table, grain: Sequence[str]) -> npt.NDArray[np.int64]:
    """Where each combination of the grain comes first."""
    code, bound = np.zeros(table.num_rows, dtype=np.int64), 1
    for name in grain:
        encoded = table.column(name).combine_chunks().dictionary_encode()
        size = len(encoded.dictionary) + 1
        if bound * size > 2**62:
            distinct, code = np.unique(code, return_inverse=True)
            bound = len(distinct)
        code, bound = code * size + encoded.indices.fill_null(size - 1).to_numpy(), bound * size
    return np.unique(code, return_index=True)[1]


def as_day(text: str) -> np.datetime64 | None:
    if not _DATE.match(text):
        return None
    try:
        day = np.datetime64(text[:10], "D")
    except ValueError:
        return None
    known = np.datetime64("1900-01-01") <= day < np.datetime64("2200-01-01")
    return day if known and day != _NO_DAY else None


def as_array(values: Any, kind: pa.DataType, count: int) -> pa.Array:
    """A column of Arrow from NumPy or a list; NaN and NaT are null, one value stands for all rows."""
    if values is None or isinstance(values, str | np.datetime64 | float | int):
        return pa.repeat(pa.scalar(None if values is None else _plain(values), kind), count)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values.cast(kind)
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        nulls = ~np.isfinite(values)
        if pa.types.is_integer(kind):
            return pa.array(np.where(nulls, 0, values).clip(-(2.0**62), 2.0**62).astype(np.int64), kind, mask=nulls)
        return pa.array(values, kind, mask=nulls)
    return pa.array(values, kind)


def _plain(value: Any) -> Any:
    return value.astype(object) if isinstance(value, np.datetime64) else value
