"""Bring Feast's online store up to the tables: what was known by now, restatements of old sessions included."""

import contextlib
import datetime as dt
import io
from typing import Any

import pyarrow.parquet as pq

from models.features.registry import families
from pipelines.home import Home
from pipelines.store import build, feast_home

BEGINNING = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def materialize(home: Home, digests: dict[str, str], now: dt.datetime) -> dict[str, Any]:
    """Write the views whose table changed; `digests` are those of the tables. Nothing changed: Feast stays asleep."""
    held = feast_home.state(home).get("online", {})
    behind = [view for view in families() if held.get(view, {}).get("digest") != digests[view]]
    if not behind:
        return {"views": [], "unchanged": True}
    store = feast_home.feast_store(home)
    before = feast_home.state(home)
    feast_home.begin_write(home)
    for view in behind:
        if not pq.read_metadata(build.table_path(home, view)).num_rows:
            continue
        # From the start, always: a table can learn today of something that counts from last week.
        with contextlib.redirect_stdout(io.StringIO()):  # Feast prints there; the step has its own line
            store.materialize(start_date=BEGINNING, end_date=now, feature_views=[view], disable_event_timestamp=False)
    online = {view: {"digest": digests[view], "until": now.isoformat()} for view in families()}
    feast_home.write_state(home, {**before, "online": online})
    return {"views": behind, "unchanged": False}
