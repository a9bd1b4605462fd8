"""Bring Feast's online store up to the tables: what was known by now, restatements of old sessions included."""

import contextlib
import datetime as dt
import io
import os
from typing import Any

import pyarrow.parquet as pq

from models.features.registry import families
from pipelines import digest
from pipelines.home import Home
from pipelines.store import build, feast_home

BEGINNING = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
MARK = "nightdesk:written"


class _Redis:
    """A server that may have been emptied, or written to by another home, since we last wrote: it holds our mark."""

    def __init__(self, address: str) -> None:
        import redis

        self._client = redis.Redis.from_url(address, password=os.environ.get(feast_home.REDIS_PASSWORD))
        self._problem = redis.RedisError
        self._address = address

    def holds(self, mark: str) -> bool:
        try:
            return bool(self._client.get(MARK) == mark.encode())
        except self._problem as problem:
            raise ValueError(f"features.online={self._address}: {problem}") from None

    def put(self, mark: str) -> None:
        self._client.set(MARK, mark)


def _mark(home: Home, online: dict[str, Any]) -> str:
    return digest.json_digest([str(home.root), online])


def materialize(
    home: Home, digests: dict[str, str], now: dt.datetime, address: str = feast_home.SQLITE
) -> dict[str, Any]:
    """Write the views whose table changed; `digests` are those of the tables. Nothing changed: Feast stays asleep."""
    before = feast_home.state(home)
    held = before.get("online", {}) if before.get("address", feast_home.SQLITE) == address else {}
    server = _Redis(address) if address != feast_home.SQLITE else None
    if server and not server.holds(_mark(home, held)):
        held = {}
    behind = [view for view in families() if held.get(view, {}).get("digest") != digests[view]]
    if not behind:
        return {"views": [], "unchanged": True}
    store = feast_home.feast_store(home, address)
    before = feast_home.state(home)
    feast_home.begin_write(home)
    for view in behind:
        if not pq.read_metadata(build.table_path(home, view)).num_rows:
            continue
        # From the start, always: a table can learn today of something that counts from last week.
        with contextlib.redirect_stdout(io.StringIO()):  # Feast prints there; the step has its own line
            store.materialize(start_date=BEGINNING, end_date=now, feature_views=[view], disable_event_timestamp=False)
    online = {view: {"digest": digests[view], "until": now.isoformat()} for view in families()}
    if server:
        server.put(_mark(home, online))
    feast_home.write_state(home, {**before, "online": online, "address": address})
    return {"views": behind, "unchanged": False}


def held(home: Home) -> int:
    """The rows that it answers from: one for each entity of each view."""
    paths = [build.table_path(home, view) for view in families()]
    return sum(len(pq.read_table(path, columns=pq.read_schema(path).names[:1]).column(0).unique()) for path in paths)
