"""A SQLite file of a home, opened to be read: it is neither made nor changed, and closed again."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """SQLite's `with` ends a transaction and leaves the file open; and its addresses end at a `?` or `#` of a name."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as book:
        yield book
