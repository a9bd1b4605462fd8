"""What the rules read: the training panel's decisions with more columns, each as that decision could know it."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.features.registry import DAILY, families, named
from models.signals.alpha import union
from models.signals.chosen import chosen, columns_of
from pipelines.home import Home
from pipelines.literals import one_file, text
from pipelines.settings import Settings
from pipelines.store.build import table_path
from pipelines.store.frame import decision_time
from pipelines.store.gather import Part, gather
from pipelines.store.research import MARKET_KEYS
from pipelines.store.versions import ENTITY_KEYS

Floats = NDArray[np.float64]


def views_of(refs: tuple[str, ...]) -> tuple[str, ...]:
    """The feature tables that these columns need beside the training panel."""
    return tuple(dict.fromkeys(ref.partition(":")[0] for ref in refs if ref not in DAILY))


def rule_panel(home: Home, panel: FeaturePanel, refs: tuple[str, ...], now: dt.datetime) -> FeaturePanel:
    """The same decisions with the columns `refs`, by full name. Those of the training panel are taken from it; the
    others are the newest row that was known at each decision and not stale, by the query that Feast's store runs."""
    columns = {ref: panel.column(ref.partition(":")[2]) for ref in refs if ref in DAILY}
    wanted = tuple(ref for ref in refs if ref not in DAILY)
    if wanted:
        columns.update(_gathered(home, panel, wanted, now))
    values = np.stack([columns[ref] for ref in refs], axis=-1)
    return replace(panel, features=refs, values=values)


def with_chosen(home: Home, settings: Settings, panel: FeaturePanel, now: dt.datetime) -> FeaturePanel:
    """The training panel with what the rules read that compete in it, and the one that holds the slot; as it was where
    there is none."""
    from pipelines.evidence.judged import SLOT, strategy_of
    from pipelines.evidence.records import Records

    champion = Records(home).champion(SLOT)
    held = strategy_of(champion) if champion is not None else None
    rules = [chosen(name) for name in settings.strategies.rules] + ([held.rule] if held and held.rule else [])
    return with_missing(home, panel, union(*(columns_of(rule) for rule in rules)), now)


def with_missing(home: Home, panel: FeaturePanel, wanted: tuple[str, ...], now: dt.datetime) -> FeaturePanel:
    """The panel with those of the wanted columns that it lacks and that are named in full."""
    missing = tuple(ref for ref in wanted if ref not in panel.features and ":" in ref)
    if not missing or not panel.names:
        return panel
    return with_columns(panel, _gathered(home, panel, missing, now))


def with_columns(panel: FeaturePanel, more: dict[str, Floats]) -> FeaturePanel:
    """The panel with further columns, each (sessions, names)."""
    values = np.concatenate([panel.values, *(column[:, :, None] for column in more.values())], axis=2)
    return replace(panel, features=(*panel.features, *more), values=values)


def _gathered(home: Home, panel: FeaturePanel, refs: tuple[str, ...], now: dt.datetime) -> dict[str, Floats]:
    import duckdb

    named(refs)  # a column that nobody declares is told by name, and not by a table that lacks it
    shape = len(panel.sessions), len(panel.names)
    moments = np.array([min(decision_time(day), now).replace(tzinfo=None) for day in panel.sessions.tolist()],
                       dtype="datetime64[us]")
    entities = pa.table({
        "__row": np.arange(shape[0] * shape[1]), "instrument_id": pa.array(list(panel.names) * shape[0], pa.string()),
        "__at": pa.array(np.repeat(moments, shape[1])).cast(pa.timestamp("us", tz="UTC")),
        **{name: pa.array([value] * (shape[0] * shape[1]), pa.string()) for name, value in MARKET_KEYS.items()},
    })
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute("set TimeZone = 'UTC'")
        con.register("e", entities)
        found = gather(con, entities.select(["__row"]), [_part(home, view, refs) for view in views_of(refs)])
    return {ref: found[ref].to_numpy().astype(np.float64).reshape(shape) for ref in refs}


def _part(home: Home, view: str, refs: tuple[str, ...]) -> Part:
    features = families()[view]
    names = tuple(ref.partition(":")[2] for ref in refs if ref.partition(":")[0] == view)
    key = ENTITY_KEYS[features[0].entity]
    table = text(one_file(table_path(home, view)))
    columns = ", ".join(f'"{name}"' for name in names)
    rows = (f"select {key} as __k0, {columns}, greatest(event_time, available_at) as __known, event_time as __event, "
            f"available_at as __version from read_parquet({table}) where available_at is not null")
    fresh = max(feature.staleness for feature in features).total_seconds()
    return Part(rows, (key,), names, tuple(f"{view}:{name}" for name in names),
                f"f.__event >= e.__at - interval '{fresh:.6f} seconds'")
