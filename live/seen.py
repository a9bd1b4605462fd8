"""The journal as a watcher may see it: what is committed, and the rows that the running session has staged since."""

import datetime as dt
from collections.abc import Iterator, Sequence

from live.journal import Entry, Journal


class Seen:
    """Answers as a journal does. Staged rows count from where the committed ones end, so none counts twice."""

    def __init__(self, book: Journal, staged: Sequence[Entry] = ()) -> None:
        self._book = book
        head = book.head()
        self._staged = [entry for entry in staged if entry.seq > head[0]]
        self._head = (self._staged[-1].seq, self._staged[-1].hash) if self._staged else head

    def head(self) -> tuple[int, str]:
        return self._head

    def entries(self, kind: str | None = None, session: dt.date | None = None, *, since: int = 0) -> Iterator[Entry]:
        yield from self._book.entries(kind, session, since=since)
        day = session.isoformat() if session else None
        for entry in self._staged:
            if entry.seq >= since and kind in (None, entry.kind) and day in (None, entry.session):
                yield entry

    def last(self, kind: str) -> Entry | None:
        staged = next((entry for entry in reversed(self._staged) if entry.kind == kind), None)
        return staged or self._book.last(kind)

    def recent(self, kinds: Sequence[str], count: int) -> list[Entry]:
        """The newest rows of some kinds, newest first."""
        staged = [entry for entry in reversed(self._staged) if entry.kind in kinds][:count]
        return staged + self._book.recent(kinds, count - len(staged)) if len(staged) < count else staged
