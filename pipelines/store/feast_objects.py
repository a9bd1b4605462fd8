"""Feast's entities, sources, views and services, drawn from the registry of features."""

from pathlib import Path
from typing import Any

from models.features.feature import Feature
from models.features.registry import DAILY, families
from pipelines.store.versions import ENTITY_KEYS

DAILY_SERVICE = "daily_equity_v1"
ENTITY_WORDS = {
    "instrument": "A permanent instrument: FIGI, CIK or ticker life, never a ticker alone.",
    "underlying": "The underlying of an option chain by its plain symbol, such as SPX.",
    "root": "The root of a futures contract, such as ES.",
}


def _view(view: str, features: tuple[Feature, ...], entity: Any, folder: Path) -> Any:
    from feast import FeatureView, Field, FileSource
    from feast.types import Float64

    source = FileSource(
        name=f"{view}_table", path=str(folder / f"{view}.parquet"), timestamp_field="event_time",
        created_timestamp_column="available_at", owner=features[0].owner,
        description=f"All versions of {view} on two clocks: event_time, and available_at for when it was known.",
    )
    return FeatureView(
        name=view, entities=[entity], ttl=max(feature.staleness for feature in features), source=source,
        schema=[
            Field(name=feature.name, dtype=Float64, description=feature.description,
                  tags={"look_back": str(feature.look_back), "inputs": " ".join(feature.inputs)})
            for feature in features
        ],
        owner=features[0].owner, description=f"{features[0].family.capitalize()} features, version "
        f"{features[0].version}, by session.", tags={"family": features[0].family},
    )  # fmt: skip


def _projections(views: dict[str, Any], refs: tuple[str, ...]) -> list[Any]:
    """The views that these `view:name` are of, each with its own only."""
    chosen: dict[str, list[str]] = {}
    for ref in refs:
        view, _, name = ref.partition(":")
        chosen.setdefault(view, []).append(name)
    return [views[view][names] for view, names in chosen.items()]


def feast_objects(features_folder: Path) -> dict[str, Any]:
    """Everything to apply, by a name fit for a module."""
    from feast import Entity, FeatureService
    from feast.value_type import ValueType

    entities = {
        name: Entity(name=name, join_keys=[key], value_type=ValueType.STRING, description=ENTITY_WORDS[name])
        for name, key in ENTITY_KEYS.items()
    }
    views = {
        view: _view(view, features, entities[features[0].entity], features_folder)
        for view, features in families().items()
    }
    service = FeatureService(
        name=DAILY_SERVICE, features=_projections(views, DAILY), owner="team:nightdesk",
        description="What the daily equity strategies decide on, 30 minutes before the open.",
    )
    return {**entities, **views, DAILY_SERVICE: service}
