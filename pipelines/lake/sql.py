"""Questions to the marts from the command line: views as of a moment, rows as plain values."""

import csv
import datetime as dt
import io
import json
import math
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import durable, moments
from pipelines.home import Home
from pipelines.progress import say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMATS = ("table", "csv", "json", "parquet")
ON_A_SCREEN = 1000  # rows that are fitted into a screen's width; more are scrolled or piped, and none is cut


def check(form: str, out: Path | None) -> None:
    """Refuse what cannot be put anywhere before the marts are asked."""
    if form not in FORMATS:
        raise ValueError(f"--format {form} is not known: {', '.join(FORMATS)}")
    if form == "parquet" and out is None:
        raise ValueError("--format parquet needs --out FILE: a screen cannot show it")


def ask(home: Home, query: str, as_of: str | None) -> pa.Table:
    """Answer of a query over the marts' views; only what was known at `as_of` exists."""
    import duckdb

    from pipelines.lake import marts

    moment = moments.parse(as_of) if as_of else None
    try:
        connection = marts.connect(home, as_of=moment)
    except duckdb.Error as problem:  # a mart that a newer Nightdesk knows and this generation has not
        raise ValueError(f"the marts cannot be opened; `nightdesk nightly` builds them anew: {problem}") from None
    try:
        refuse_other_than_questions(connection, query)
        return connection.sql(query).to_arrow_table()
    except duckdb.Error as problem:
        raise ValueError(f"the marts cannot answer that: {problem}") from None
    finally:
        connection.close()


def refuse_other_than_questions(connection: "DuckDBPyConnection", query: str) -> None:
    """Marts are written by the night alone, and `copy`, `attach` or `export` would write anywhere."""
    from duckdb import StatementType

    asked = connection.extract_statements(query)
    if len(asked) != 1:
        raise ValueError(f"{len(asked)} statements in the query: ask one question, such as \"show tables\"")
    if (kind := asked[0].type) not in (StatementType.SELECT, StatementType.MULTI):  # the latter is a pivot
        raise ValueError(f"this only reads, and {kind.name.lower()} does not: begin with select, from, with, show or "
                         "describe; --out FILE keeps an answer")


def put(table: pa.Table, form: str, out: Path | None) -> None:
    """To a file, whole or not at all, or to standard output."""
    if form == "table" and out is None:
        print_table(table.to_pylist())
        return
    content = _encoded(table, form)
    if out is None:
        sys.stdout.write(content.decode())
    else:
        durable.write_atomic(out.expanduser(), content)
        say(f"{table.num_rows} rows -> {out}")


def _encoded(table: pa.Table, form: str) -> bytes:
    if form == "json":
        return (json.dumps(_plain(table.to_pylist()), indent=1, default=str, allow_nan=False) + "\n").encode()
    if form == "parquet":
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        return sink.getvalue().to_pybytes()
    text = io.StringIO(newline="")
    if form == "csv":
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(table.column_names)
        lines.writerows([_cell(value) for value in row.values()] for row in table.to_pylist())
    else:
        print_table(table.to_pylist(), text)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """Lists and structures as JSON, instants in ISO 8601, nothing for null."""
    if isinstance(value, list | dict):
        return json.dumps(value, default=str)
    return value.isoformat() if isinstance(value, dt.date) else value


def _plain(value: Any) -> Any:
    """What JSON can say: a number that is none is null, an exact one a number."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(found: list[dict[str, Any]], file: TextIO | None = None) -> None:
    """On a screen the screen decides what is cut; into a pipe or a file nothing is."""
    lines = [[_text(value) for value in row.values()] for row in found]
    names = list(found[0]) if found else []
    if names and file is None and sys.stdout.isatty() and len(found) <= ON_A_SCREEN:
        _fit(names, lines)
        return
    out = file or sys.stdout
    if not names:
        out.write("no rows\n")
        return
    widths = [max(map(len, column)) for column in zip(names, *lines, strict=True)]
    for line in (names, *lines):
        out.write("".join(f" {cell:<{width}} " for cell, width in zip(line, widths, strict=True)) + "\n")


def _fit(names: list[str], lines: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for name in names:
        table.add_column(Text(name), no_wrap=True)
    for line in lines:
        table.add_row(*map(Text, line))  # no markup and no pictures: a vendor's text is shown as it is
    Console().print(table)


def _text(value: Any) -> str:
    """Bytes beyond a screen's alphabet, and line ends, are shown and not obeyed."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
