"""Questions to the marts from the command line: views as of a moment, rows as plain values."""

import sys
from typing import Any

from pipelines import moments
from pipelines.home import Home


def rows(home: Home, query: str, as_of: str | None) -> list[dict[str, Any]]:
    """Rows of a query over the marts' views; only what was known at `as_of` exists."""
    import duckdb

    from pipelines.lake import marts

    connection = marts.connect(home, as_of=moments.parse(as_of) if as_of else None)
    try:
        return connection.sql(query).to_arrow_table().to_pylist()
    except duckdb.Error as problem:
        raise ValueError(f"the marts cannot answer that: {problem}") from None
    finally:
        connection.close()


def print_table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for name in found[0] if found else []:
        table.add_column(name, no_wrap=True)
    for row in found:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    # Into a pipe or a file nothing is cut; on a screen the screen decides.
    width = None if sys.stdout.isatty() else max(80, sum(measure + 2 for measure in _widths(found)))
    Console(width=width).print(table if found else "no rows")


def _widths(found: list[dict[str, Any]]) -> list[int]:
    return [max(len(name), *(len(str(row[name])) for row in found)) for name in (found[0] if found else [])]
