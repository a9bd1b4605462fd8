"""What was decided and done, written so that it cannot be rewritten: an append-only SQLite file with chained hashes."""

import datetime as dt
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self

from live import rows
from live.chain import GENESIS, Entry, Told, chained, entry_of, linked
from live.writer import JournalBusy, WriterLock

__all__ = ["GENESIS", "Entry", "Journal", "JournalBroken", "JournalBusy", "JournalUnwritable"]

_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT seq, prev_hash, hash, kind, session, at, payload FROM entries"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    seq INTEGER PRIMARY KEY, prev_hash TEXT NOT NULL, hash TEXT NOT NULL, kind TEXT NOT NULL,
    session TEXT, at TEXT NOT NULL, payload TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS entries_stand BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""
ROWS_WORTH_A_REST = 500  # a quarter of what SQLite would wait for, and then do within a decision
_INDEX = "CREATE INDEX IF NOT EXISTS entries_kind ON entries (kind, session)"


class JournalUnwritable(RuntimeError):
    """The disk does not take a row: what is not written down is not done."""


class JournalBroken(RuntimeError):
    """The chain does not hold: a row was changed, lost or put in."""


def _sync_folder(folder: Path) -> None:
    """A file is only as durable as its name."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Journal:
    """One writer, held by an exclusive lock for as long as it is open; readers need none.

    On a tape a session is one transaction. With `ahead`, for a venue that really acts, each row is on disk when
    `append` returns. Only a backtest, which can be run again, may do without `synced`; what its rows of some kinds say
    is `recalled`, with their sessions, so that at the end nobody has to read them again."""

    def __init__(self, path: Path, *, read_only: bool = False, ahead: bool = False, synced: bool = True,
                 recall: Sequence[str] = ()) -> None:
        self.path, self.ahead = path, ahead
        self._lock: WriterLock | None = None
        self._newest: tuple[int, str] | None = None  # number and hash of the head, while a transaction keeps others out
        self._head: tuple[int, str] | None = None  # the same from one transaction of a backtest to the next
        self._synced = synced
        self._told: list[Told] = []  # what was written in it and is no row yet
        self._staged: list[tuple[Any, ...]] = []  # its rows that the database does not have yet
        self._last: dict[str, Entry | None] = {}  # by kind, for the one who writes: nobody else can change it
        self._kinds: set[str] | None = None
        self._rested = 0  # rows that this writer had written when the log was last put away
        if read_only:
            if not path.exists():
                raise FileNotFoundError(f"no journal at {path}: nothing has been replayed or traded there yet")
            self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(path)
        with self._plainly():
            self._db = sqlite3.connect(path, isolation_level=None)
            if not synced:
                self._db.execute("PRAGMA page_size=16384")  # of a new file: fewer, larger writes
            # What a backtest writes nobody reads meanwhile: it goes straight to its place, not by way of a log, and the
            # file that undoes half a session is kept from one to the next.
            self._db.execute(f"PRAGMA journal_mode={'WAL' if synced else 'PERSIST'}")
            self._db.execute(f"PRAGMA synchronous={'FULL' if synced else 'OFF'}")
            self._db.executescript(_SCHEMA)
            begun = self._db.execute("SELECT 1 FROM entries LIMIT 1").fetchone() is not None
            # Of a backtest that begins here: what kinds of rows there are. Its index is made when somebody asks for
            # one of them, or at its end: at once, in half the time.
            self._kinds = None if synced or begun else set()
            if self._kinds is None:
                self._db.execute(_INDEX)
            # A row that the last writer saw on disk was; one that it did not see may still be in the cache only.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _sync_folder(path.parent)
        self.recalled = {kind: [(entry.session or "", entry.payload) for entry in self.entries(kind)]
                         for kind in recall}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._lock is not None and not self._synced:
            with suppress(sqlite3.Error):  # what is left to undo or to do is done by the next who opens it
                self._db.execute(_INDEX)
                self._db.execute("PRAGMA journal_mode=DELETE")
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        """A disk that is full, broken or read-only, and a file that is no journal, are told in a plain sentence."""
        try:
            yield
        except sqlite3.OperationalError as problem:
            raise JournalUnwritable(f"{self.path} cannot be written ({problem}): nothing more is sent") from problem
        except sqlite3.DatabaseError as problem:
            if type(problem) is not sqlite3.DatabaseError:  # its subclasses say more
                raise
            raise JournalBroken(f"{self.path} is damaged ({problem}): nothing is sent on its word") from problem

    def rest(self) -> None:
        """What the log holds goes to its place now, when nobody waits for a decision, not in the midst of the next."""
        written = self._db.total_changes
        if not self._synced or self._db.in_transaction or written - self._rested < ROWS_WORTH_A_REST:
            return
        with self._plainly():
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self._rested = written

    def session(self) -> AbstractContextManager[None]:
        """The rows of one session: on a tape all or nothing, `ahead` one by one."""
        return nullcontext() if self.ahead else self.transaction()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. A kill inside leaves the journal as it was before. One inside another is part of it."""
        if self._db.in_transaction:
            yield
            return
        with self._plainly():
            self._db.execute("BEGIN IMMEDIATE")
        self._newest = self._head or self.head()
        self._head = None
        try:
            yield
            self._write_staged()
            with self._plainly():
                self._db.execute("COMMIT")
            self._head = None if self._synced else self._newest
        except BaseException:
            self._last.clear()
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        finally:
            self._newest = None
            self._told.clear()
            self._staged.clear()

    def write(self, kind: str, session: dt.date | None, at: dt.datetime | str, payload: dict[str, Any]) -> None:
        """`append` for those who do not ask for the row: inside a transaction rows are chained together."""
        if self.ahead or self._newest is None:
            self.append(kind, session, at, payload)
        else:
            self._told.append((kind, session, at, rows.text(kind, payload)))
        if kind in self.recalled:
            self.recalled[kind].append((session.isoformat() if session else "", payload))

    def append(self, kind: str, session: dt.date | None, at: dt.datetime | str, payload: dict[str, Any]) -> Entry:
        """Write the next row of the chain, of a moment or its text; on disk when this returns, or when the transaction
        around it ends."""
        if self.ahead:
            self.check()
        self._link()
        [row] = linked(self._newest or self.head(), [(kind, session, at, rows.text(kind, payload))])
        entry = Entry._make((*row[:6], payload))
        if self._kinds is not None:
            self._kinds.add(kind)
        if self._newest is not None:  # they go in together when somebody asks, or when the transaction ends
            self._newest = entry.seq, entry.hash
            self._staged.append(row)
            self._last[kind] = entry
        else:
            with self._plainly():
                self._db.execute(_INSERT, row)
            self._last.pop(kind, None)
            self._head = None
        return entry

    def _link(self) -> None:
        """What was written is rows from here on."""
        if self._told and self._newest is not None:
            made = linked(self._newest, self._told)
            self._staged += made
            self._newest = made[-1][0], made[-1][2]
            self._told.clear()
            kinds = {row[3] for row in made}
            if self._kinds is not None:
                self._kinds |= kinds
            for kind in kinds:
                if kind in self.recalled:
                    newest = next(row for row in reversed(made) if row[3] == kind)
                    self._last[kind] = Entry._make((*newest[:6], self.recalled[kind][-1][1]))
                else:
                    self._last.pop(kind, None)

    def _write_staged(self) -> None:
        self._link()
        if self._staged:
            with self._plainly():
                self._db.executemany(_INSERT, self._staged)
            self._staged.clear()

    def _has(self, kind: str) -> bool:
        """Whether there may be rows of a kind; if so they are found by the index."""
        if self._kinds is not None and kind in self._kinds:
            with self._plainly():
                self._db.execute(_INDEX)
            self._kinds = None
        return self._kinds is None

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest row. Kept elsewhere too, it shows a tail that was cut off."""
        self._write_staged()
        row = self._db.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        return (int(row[0]), str(row[1])) if row else (0, GENESIS)

    def entries(self, kind: str | None = None, session: dt.date | None = None, *, since: int = 0) -> Iterator[Entry]:
        """Rows in order, of one kind or session if asked, from row `since` on."""
        self._link()
        if (self._newest is not None and since > self._newest[0]) or not (kind is None or self._has(kind)):
            return
        self._write_staged()
        values = {"since": since, "kind": kind, "session": session.isoformat() if session else None}
        asked = [f" AND {name} = :{name}" for name in ("kind", "session") if values[name] is not None]
        where = "seq >= :since" + "".join(asked)  # only what is asked stands there: the index answers
        for row in self._db.execute(f"{_SELECT} WHERE {where} ORDER BY seq", values):
            yield entry_of(row)

    def count(self, kind: str) -> int:
        self._write_staged()
        return int(self._db.execute("SELECT count(*) FROM entries WHERE kind = ?", (kind,)).fetchone()[0])

    def check(self) -> None:
        """JournalBusy where the lock was taken away: asked before each act outside."""
        if self._lock is not None and self.ahead:
            self._lock.check()

    def recent(self, kinds: Sequence[str], count: int) -> list[Entry]:
        """The newest rows of some kinds, newest first."""
        self._write_staged()
        marks = ", ".join("?" for _ in kinds)
        rows = self._db.execute(f"{_SELECT} WHERE kind IN ({marks}) ORDER BY seq DESC LIMIT ?", (*kinds, count))
        return [entry_of(row) for row in rows]

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside belongs together, whatever is written meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def last(self, kind: str, *, before: dt.date | None = None) -> Entry | None:
        """The newest row of a kind, or of those of sessions before one."""
        self._link()
        if before is None and kind in self._last:
            return self._last[kind]
        if not self._has(kind):
            return None
        day = before.isoformat() if before else None
        self._write_staged()
        newest = "SELECT max(seq) FROM entries WHERE kind = :kind" + (" AND session < :day" if day else "")
        query = f"{_SELECT} WHERE seq = ({newest})"  # by the index alone, however long ago it was
        row = self._db.execute(query, {"kind": kind, "day": day}).fetchone()
        found = entry_of(row) if row else None
        if before is None and self._newest is not None:
            self._last[kind] = found
        return found

    def verify(self) -> int:
        """Walk the whole chain; the number of rows, or JournalBroken naming the first bad one."""
        self._write_staged()
        with self._plainly():
            return self._walk()

    def _walk(self) -> int:
        expected_seq, expected_prev = 1, GENESIS
        for seq, prev_hash, digest, kind, session, at, payload in self._db.execute(f"{_SELECT} ORDER BY seq"):
            if seq != expected_seq or prev_hash != expected_prev:
                raise JournalBroken(f"{self.path}: row {seq} does not follow row {expected_seq - 1}; rows are missing")
            if digest != chained(seq, prev_hash, kind, session, at, payload):
                raise JournalBroken(f"{self.path}: row {seq} ({kind} of {session}) is not what was written")
            expected_seq, expected_prev = seq + 1, digest
        return expected_seq - 1
