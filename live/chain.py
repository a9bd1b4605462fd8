"""The chain of a journal's rows: each one's hash is of what it says and of the hash before it."""

import datetime as dt
from collections.abc import Iterable
from functools import cache
from typing import Any

from live import canonical

GENESIS = "0" * 64
Told = tuple[str, dt.date | None, dt.datetime | str, str]  # kind, session, moment or its text, text of the payload
_quoted = cache(canonical.quoted)  # of kinds, which are few


def chained(seq: int, prev_hash: str, kind: str, session: str | None, at: str, payload: str) -> str:
    """The hash of a row."""
    day = "null" if session is None else f'"{session}"'  # the canonical text of the list of the six
    digest = canonical.NOTHING.copy()
    digest.update(f'[{seq},"{prev_hash}",{_quoted(kind)},{day},"{at}",{canonical.quoted(payload)}]'.encode())
    return digest.hexdigest()


def linked(head: tuple[int, str], told: Iterable[Told]) -> list[tuple[Any, ...]]:
    """What was told as the chain's next rows."""
    seq, prev_hash = head
    made: list[tuple[Any, ...]] = []
    stamped: dt.datetime | str | None = None
    dated: dt.date | None = None
    stamp, day = "", None
    for kind, session, at, text in told:
        if at is not stamped:  # many rows share their moment and their session
            stamped, stamp = at, at if isinstance(at, str) else at.isoformat()
        if session is not dated:
            dated, day = session, session.isoformat() if session else None
        seq += 1
        digest = chained(seq, prev_hash, kind, day, stamp, text)
        made.append((seq, prev_hash, digest, kind, day, stamp, text))
        prev_hash = digest
    return made
