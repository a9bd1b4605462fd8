"""One asset a family and version, from marts to a two-clock table, and the online store behind them."""

from pathlib import Path
from typing import Any

import dagster as dg

from models.features.feature import Feature
from models.features.registry import families
from pipelines.resources import HomeResource
from pipelines.store.sources import SOURCES

OWNERS = ["team:nightdesk"]
MOST_NAMED = 8


def _describe(view: str, features: tuple[Feature, ...]) -> str:
    listed = "\n".join(f"- `{feature.name}` {feature.description}" for feature in features)
    return f"Versions of the {features[0].family} features on two clocks, one row a session and entity.\n\n{listed}"


def columns(path: Path) -> dg.TableSchema:
    """The columns of a Parquet file, as the page of an asset shows them."""
    import pyarrow.parquet as pq

    return dg.TableSchema([dg.TableColumn(field.name, str(field.type)) for field in pq.read_schema(path)])


def _some(names: tuple[str, ...]) -> str:
    """Whose inputs have changed; of a whole market the first few."""
    rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + rest or "nothing"


def _family_asset(view: str, features: tuple[Feature, ...]) -> dg.AssetsDefinition:
    @dg.asset(
        key=["features", view],
        group_name="features",
        deps=[dg.AssetKey(["marts", mart]) for mart in SOURCES[features[0].cells].marts],
        description=_describe(view, features),
        kinds={"python", "parquet"},
        owners=OWNERS,
    )
    def build_view(home: HomeResource) -> dg.MaterializeResult[Any]:
        from pipelines.progress import step
        from pipelines.store import build, recipe, story

        made_by = recipe.of_settings(planted_leak=home.settings().leak.planted)
        declared = made_by.families()[view]
        with step(f"features {view}"):
            built = build.build_family(home.home(), view, declared, recipe=made_by)
            told = story.tell(home.home(), built, declared, home.now())
        metadata: dict[str, Any] = {
            "dagster/row_count": built.rows, "dagster/column_schema": columns(built.path), "features": len(declared),
            "dagster/uri": str(built.path), "rebuilt": built.rebuilt, "rebuilt_sessions": built.sessions_rebuilt,
            "rebuilt_instruments": built.entities_rebuilt, "because_of": _some(built.changed),
            "first_rebuilt": built.first_rebuilt or "none", "last_rebuilt": built.last_rebuilt or "none",
        }  # fmt: skip
        if not built.unchanged:
            metadata["distributions"] = dg.MetadataValue.md(story.picture(told["features"]))
        return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(built.digest))

    return build_view


family_assets = [_family_asset(view, features) for view, features in families().items()]


@dg.asset(
    key=["features", "online"],
    group_name="features",
    deps=[dg.AssetKey(["features", view]) for view in families()],
    description="Feast's online store (SQLite, or Redis): the newest known row of every entity, restatements included.",
    kinds={"feast", "sqlite"},
    owners=OWNERS,
)
def online_store(home: HomeResource) -> dg.MaterializeResult[Any]:
    from pipelines import digest
    from pipelines.progress import step
    from pipelines.store import build, online

    digests = build.published_digests(home.home())
    with step("features online"):
        done = online.materialize(home.home(), digests, home.now(), home.settings().features.online)
    return dg.MaterializeResult(
        metadata={"written": ", ".join(done["views"]) or "nothing changed"},
        data_version=dg.DataVersion(digest.json_digest(digests)),
    )


