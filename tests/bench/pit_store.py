"""A Feast repository over the point-in-time workload, for our store and for Feast's own. Imports none of ours."""

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

VIEW = "fv"


def feast_store(features: str, columns: list[str], offline: str, online: dict[str, Any] | None = None) -> Any:
    """One view of all columns on both clocks, kept ten days."""
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
    from feast.types import Float64
    from feast.value_type import ValueType

    folder = Path(tempfile.mkdtemp(prefix="nightdesk-bench-feast-"))
    store = FeatureStore(config=RepoConfig(
        project="bench", provider="local", registry=str(folder / "registry.db"), repo_path=folder,
        offline_store={"type": offline}, entity_key_serialization_version=3,
        online_store=online or {"type": "sqlite", "path": str(folder / "online.db")},
    ))  # fmt: skip
    symbol = Entity(name="symbol", join_keys=["symbol"], value_type=ValueType.STRING)
    source = FileSource(name="table", path=features, timestamp_field="event_time",
                        created_timestamp_column="available_at")  # fmt: skip
    view = FeatureView(name=VIEW, entities=[symbol], ttl=dt.timedelta(days=10), source=source,
                       schema=[Field(name=column, dtype=Float64) for column in columns])  # fmt: skip
    store.apply([symbol, view])
    return store
