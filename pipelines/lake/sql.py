"""Questions to the marts from the command line: views as of a moment, rows as plain values."""

import csv
import datetime as dt
import io
import json
import sys
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import durable, moments
from pipelines.home import Home
from pipelines.progress import say

FORMATS = ("table", "csv", "json", "parquet")


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
        return connection.sql(query).to_arrow_table()
    except duckdb.Error as problem:
        raise ValueError(f"the marts cannot answer that: {problem}") from None
    finally:
        connection.close()


def rows(home: Home, query: str, as_of: str | None) -> list[dict[str, Any]]:
    """The same as plain values."""
    return ask(home, query, as_of).to_pylist()


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
        return (json.dumps(table.to_pylist(), indent=1, default=str) + "\n").encode()
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


def print_table(found: list[dict[str, Any]], file: TextIO | None = None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for name in found[0] if found else []:
        table.add_column(name, no_wrap=True)
    for row in found:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    # Into a pipe or a file nothing is cut; on a screen the screen decides.
    width = None if file is None and sys.stdout.isatty() else max(80, sum(measure + 2 for measure in _widths(found)))
    Console(width=width, file=file).print(table if found else "no rows")


def _widths(found: list[dict[str, Any]]) -> list[int]:
    return [max(len(name), *(len(str(row[name])) for row in found)) for name in (found[0] if found else [])]
