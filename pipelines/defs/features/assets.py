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


# What a family is about, before its features are listed.
ABOUT = {
    "equity": "Returns, momentum, volatility and volume of single names, and the market they move in",
    "options": "Where the index's option market stands",
    "futures": "Where the index future closed against its volume, and who pushed",
    "positioning": "What option chains say of dealers, pins, walls and the price of insurance",
    "sentiment": "Indices of fear, and what was traded at Cboe",
    "auction": "How a future's session was auctioned: against its mean price and its volume levels, by whom and when",
    "technical": "Technical indicators of single names",
    "statistical": "Statistics of a name's returns: memory, tails, variance to come",
    "relative": "A name against the others of its session",
    "exposure": "What moves a name besides itself: market, size, momentum, volatility, reversal",
    "calendar": "What the exchange's calendar says of the coming session",
    "garch": "The variance to come, by a GARCH(1,1) fitted each month on earlier returns",
    "graph": "Who moves with whom, and who leads",
    "tape": "A contract's tape minute by minute: where price stands, who presses, whether the horizons agree",
    "alpha158": "Qlib's Alpha158: bar shapes, price levels and statistics over windows of 5 to 60 sessions",
}
# Columns that every family's table begins with.
KEYS = {
    "instrument_id": "Permanent id, never a ticker.", "underlying": "Whose options, by its plain symbol.",
    "root": "Of the future, such as ES.", "session": "The exchange's trade date, or the minute that begins.",
    "event_time": "When it happened.", "available_at": "From when on it could be known. With the entity and the "
    "session, the key.", "ingested_at": "When this lake received what it was made of.",
}  # fmt: skip


def _describe(features: tuple[Feature, ...]) -> str:
    listed = "\n".join(f"- `{feature.name}` {feature.description}" for feature in features)
    return f"{ABOUT.get(features[0].family, features[0].family.capitalize())}. One row for each session and " \
           f"{features[0].entity}, and for each time that it was restated.\n\n{listed}"


def columns(path: Path, features: tuple[Feature, ...]) -> dg.TableSchema:
    """The columns of a family's table, as the page of its asset shows them."""
    import pyarrow.parquet as pq

    said = {**KEYS, **{feature.name: feature.description for feature in features}}
    return dg.TableSchema([dg.TableColumn(field.name, str(field.type), description=said.get(field.name))
                           for field in pq.read_schema(path)])


def _some(names: tuple[str, ...]) -> str:
    """Whose inputs have changed; of a whole market the first few."""
    rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + rest or "nothing"


def _family_asset(view: str, features: tuple[Feature, ...]) -> dg.AssetsDefinition:
    @dg.asset(
        key=["features", view],
        group_name="features",
        deps=[dg.AssetKey(["marts", mart]) for mart in SOURCES[features[0].cells].marts],
        description=_describe(features),
        kinds={"python", "parquet"},
        owners=OWNERS,
    )
    def build_view(home: HomeResource) -> dg.MaterializeResult[Any]:
        from pipelines import kept
        from pipelines.digest import json_digest
        from pipelines.progress import step
        from pipelines.store import build, recipe, story

        made_by = recipe.of_settings(planted_leak=home.settings().leak.planted)
        declared = made_by.families()[view]
        with step(f"features {view}"):
            built = build.build_family(home.home(), view, declared, recipe=made_by)
            told = story.tell(home.home(), built, declared, home.now())
        metadata: dict[str, Any] = {
            "dagster/row_count": built.rows, "dagster/column_schema": columns(built.path, declared),
            "features": len(declared),
            "dagster/uri": str(built.path), "rebuilt": built.rebuilt, "rebuilt_sessions": built.sessions_rebuilt,
            "rebuilt_instruments": built.entities_rebuilt, "because_of": _some(built.changed),
            "first_rebuilt": built.first_rebuilt or "none", "last_rebuilt": built.last_rebuilt or "none",
        }  # fmt: skip
        # Drawn once for each state of the table, and on every night's page.
        asked = json_digest([built.digest, kept.code()])
        if (drawn := kept.answer(home.home(), f"picture-{view}", asked)) is None:
            drawn = story.picture(told["features"])
            kept.keep(home.home(), f"picture-{view}", asked, drawn)
        metadata["distributions"] = dg.MetadataValue.md(drawn)
        return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(built.digest))

    return build_view


family_assets = [_family_asset(view, features) for view, features in families().items()]


@dg.asset(
    key=["features", "online"],
    group_name="features",
    deps=[dg.AssetKey(["features", view]) for view in families()],
    description="Feast's online store (SQLite, or Redis): the newest known row of every entity, restatements included. "
                "The same values as in the tables, in milliseconds: what whoever decides by day reads.",
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
        metadata={"dagster/row_count": online.held(home.home()),
                  "written": ", ".join(done["views"]) or "nothing changed"},
        data_version=dg.DataVersion(digest.json_digest(digests)),
    )


