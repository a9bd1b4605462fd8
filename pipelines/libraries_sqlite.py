"""The SQLite files that libraries keep in a home: their commits wait for the disk together, not one by one."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.durable import fsync_path


@contextmanager
def eased(folder: Path) -> Iterator[None]:
    """While open, SQLAlchemy's SQLite files under `folder` are written ahead (WAL) and synced when this ends.

    Dagster commits some two thousand times a night and opens a connection for each, and every commit and every last
    close waited for the disk: half the time of a night with nothing to do. What is lost by a kill is the same: nothing.
    A power cut may now take a run's last events, which are for reading; our own files are synced one by one as ever."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    root = folder.resolve()
    held: dict[str, sqlite3.Connection] = {}

    def connected(connection: Any, _record: Any) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        if not path or not Path(path).resolve().is_relative_to(root):
            return
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if path not in held:  # while one reader stays, no other's close is the last, which would empty the log and sync
            held[path] = sqlite3.connect(path, check_same_thread=False)
            held[path].execute("SELECT count(*) FROM sqlite_master").fetchone()

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)
        for reader in held.values():
            reader.execute("PRAGMA wal_checkpoint(PASSIVE)")
            reader.close()


def settled(database: Path) -> None:
    """What was committed to a file stands after a power cut too: for what is written down elsewhere as done."""
    for file in (database, database.with_name(database.name + "-wal")):
        if file.exists():
            fsync_path(file)
    fsync_path(database.parent)
