"""The chain of a journal's rows: each one's hash is of what it says and of the hash before it."""

import datetime as dt
import json
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from live import canonical

GENESIS = "0" * 64


class Entry(NamedTuple):
    seq: int
    prev_hash: str
    hash: str
    kind: str
    session: str | None
    at: str
    payload: dict[str, Any]


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
    stamp, day, dated_as, copy, quoted = "", None, "null", canonical.NOTHING.copy, canonical.quoted
    for kind, session, at, text in told:
        if at is not stamped:  # many rows share their moment and their session
            stamped, stamp = at, at if isinstance(at, str) else at.isoformat()
        if session is not dated:
            dated, day = session, session.isoformat() if session else None
            dated_as = f'"{day}"' if session else "null"
        seq += 1
        digest = copy()  # as `chained` has it, without a call for each
        digest.update(f'[{seq},"{prev_hash}",{_quoted(kind)},{dated_as},"{stamp}",{quoted(text)}]'.encode())
        own_hash = digest.hexdigest()
        made.append((seq, prev_hash, own_hash, kind, day, stamp, text))
        prev_hash = own_hash
    return made


def entry_of(row: tuple[Any, ...]) -> Entry:
    seq, prev_hash, digest, kind, session, at, payload = row
    return Entry(seq, prev_hash, digest, kind, session, at, json.loads(payload))
