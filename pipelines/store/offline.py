"""Feast's offline store on two clocks, over plain DuckDB: no call of Feast's can see what was not known yet.

A row counts from the moment it is known, known = greatest(event, available), unless a newer event was known before.
Kept to that frontier, one plain ASOF join on `known` is the exact answer for both clocks.
"""

import datetime as dt
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureView, RepoConfig
from feast.data_source import DataSource
from feast.infra.offline_stores.file_source import FileSource
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalJob, RetrievalMetadata
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.infra.registry.base_registry import BaseRegistry
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.repo_config import FeastConfigBaseModel
from feast.saved_dataset import SavedDatasetStorage

from pipelines.literals import instant, one_file, text
from pipelines.store.gather import Part, gather


class TwoClockOfflineStoreConfig(FeastConfigBaseModel):  # type: ignore[misc]
    """Feast finds this by its name."""

    type: Literal["pipelines.store.offline.TwoClockOfflineStore"] = "pipelines.store.offline.TwoClockOfflineStore"
    threads: int = 2


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _connect(config: RepoConfig) -> Any:
    con = duckdb.connect(config={"threads": config.offline_store.threads})
    con.execute("set TimeZone = 'UTC'")
    return con


class TwoClockJob(RetrievalJob):  # type: ignore[misc]
    """A query that runs when its rows are asked for."""

    def __init__(
        self, con: Any, sql: str, *, on_demand: list[OnDemandFeatureView] | None = None, full_names: bool = False,
        metadata: RetrievalMetadata | None = None, parts: list[Part] | None = None, entities: pa.Table | None = None,
    ) -> None:
        self._con, self._sql, self._on_demand = con, sql, on_demand or []
        self._parts, self._entities = parts or [], entities
        self._full_names, self._metadata = full_names, metadata

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        if self._entities is not None:
            return gather(self._con, self._entities, self._parts)
        return self._con.sql(self._sql).to_arrow_table()

    def to_sql(self) -> str:
        """One statement with the answer that `to_arrow` gathers."""
        return self._sql

    @property
    def full_feature_names(self) -> bool:
        return self._full_names

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        return self._on_demand

    @property
    def metadata(self) -> RetrievalMetadata | None:
        return self._metadata

    def persist(self, storage: SavedDatasetStorage, allow_overwrite: bool = False, timeout: int | None = None) -> None:
        path = Path(storage.file_options.uri)
        if path.exists() and not allow_overwrite:
            raise FileExistsError(f"{path} exists; give allow_overwrite=True to replace it")
        pq.write_table(self._to_arrow_internal(), path)


class _Source:
    """SQL for one batch source: its table, its clocks, and the real names of its columns."""

    def __init__(self, config: RepoConfig, source: DataSource) -> None:
        if not isinstance(source, FileSource):
            raise ValueError(f"{type(source).__name__}: this store reads FileSource only")
        path = Path(FileSource.get_uri_for_file_path(config.repo_path, source.file_options.uri))
        files = one_file(path) if path.exists() else str(path)  # what is not there may be a pattern of several
        files += "/**/*.parquet" if path.is_dir() else ""
        self.table = f"read_parquet({text(files)})"
        self._real = {new: old for old, new in source.field_mapping.items()}
        self.event = f"{self.column(source.timestamp_field)}::TIMESTAMPTZ"
        second = source.created_timestamp_column
        self.version = f"{self.column(second)}::TIMESTAMPTZ" if second else self.event
        self.known = f"greatest({self.event}, {self.version})"  # an announcement counts from its event

    def column(self, name: str) -> str:
        return _quoted(self._real.get(name, name))


def _joined(
    config: RepoConfig, n: int, view: FeatureView, names: list[str], prefix: str
) -> tuple[str, str, list[str], Part]:
    """The frontier of a view as a common table, its join to the entities, what to pick from it; and its narrow form."""
    source = _Source(config, view.batch_source)
    keys = [] if view.entities in ([], ["__dummy"]) else [column.name for column in view.entity_columns]
    part = "partition by " + ", ".join(f"__k{i}" for i in range(len(keys))) if keys else ""
    select = [f"{source.column(key)} as __k{i}" for i, key in enumerate(keys)]
    select += [f"{source.column(name)} as {_quoted(name)}" for name in names]
    select += [f"{source.known} as __known", f"{source.event} as __event", f"{source.version} as __version"]
    rows = f"select {', '.join(select)} from {source.table} where {source.version} is not null"
    frontier = f"""s{n} as ({rows}),
        f{n} as (select * from s{n} window w as ({part} order by __known, __event, __version)
            qualify __event = max(__event) over w and lead(__known) over w is distinct from __known)"""
    owners = tuple(_quoted(view.projection.join_key_map.get(key, key)) for key in keys)
    on = [f"e.{owner} = f{n}.__k{i}" for i, owner in enumerate(owners)]
    join = f"asof left join f{n} on {' and '.join([*on, f'e.__at >= f{n}.__known'])}"
    limit = f"e.__at - interval '{view.ttl.total_seconds():.6f} seconds'" if view.ttl else None
    alive = f"f{n}.__event >= {limit}" if limit else "true"
    picks = [f"case when {alive} then f{n}.{_quoted(name)} end as {_quoted(prefix + name)}" for name in names]
    narrow = Part(rows, owners, tuple(names), tuple(prefix + name for name in names), alive.replace(f"f{n}.", "f."))
    return frontier, join, picks, narrow


class TwoClockOfflineStore(OfflineStore):  # type: ignore[misc]
    """Reads FileSource parquet whose `created_timestamp_column` says when a row became known."""

    supports_filter_by_created_timestamp = True  # always on: the flag changes nothing

    @staticmethod
    def get_historical_features(
        config: RepoConfig, feature_views: list[FeatureView], feature_refs: list[str],
        entity_df: pd.DataFrame | str | None, registry: BaseRegistry, project: str, full_feature_names: bool = False,
        **_: Any,
    ) -> RetrievalJob:
        """The newest row of each entity that was known at its time, in the order and number asked for."""
        if entity_df is None:
            raise NotImplementedError("give entity_df: a time range alone has no as-of")
        con = _connect(config)
        if isinstance(entity_df, pd.DataFrame):
            con.register("entities", pa.Table.from_pandas(entity_df, preserve_index=False))
            stamp = infer_event_timestamp_from_entity_df(dict(entity_df.dtypes))
        else:
            con.execute(f"create temp table entities as {entity_df}")
            stamp = "event_timestamp"
        kept = con.table("entities").columns
        con.execute(
            "create temp view e as select row_number() over () as __row, "
            f"{_quoted(stamp)}::TIMESTAMPTZ as __at, * from entities"
        )
        parts = []
        for n, view in enumerate(feature_views):
            prefix = f"{view.projection.name_to_use()}__" if full_feature_names else ""
            wanted = [ref.split(":")[1] for ref in feature_refs if ref.split(":")[0] == view.projection.name_to_use()]
            parts.append(_joined(config, n, view, wanted, prefix))
        picks = [*map(_quoted, kept), *(pick for part in parts for pick in part[2])]
        sql = (
            f"with {', '.join(part[0] for part in parts)} select {', '.join(picks)} from e "
            f"{' '.join(part[1] for part in parts)} order by e.__row"
        )
        ((first, last),) = con.sql("select min(__at), max(__at) from e").fetchall()
        metadata = RetrievalMetadata(
            features=feature_refs, keys=[name for name in kept if name != stamp], min_event_timestamp=first,
            max_event_timestamp=last,
        )
        on_demand = OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry)
        entities = con.sql(f"select {', '.join(map(_quoted, kept))} from e order by __row").to_arrow_table()
        return TwoClockJob(con, sql, on_demand=on_demand, full_names=full_feature_names, metadata=metadata,
                           parts=[part[3] for part in parts], entities=entities)

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig, data_source: DataSource, join_key_columns: list[str], feature_name_columns: list[str],
        timestamp_field: str, created_timestamp_column: str | None, start_date: dt.datetime, end_date: dt.datetime,
    ) -> RetrievalJob:
        """What was known at `end_date`, of the keys whose answer changed since `start_date`.

        Rows are stamped with the moment they became known: an online store may refuse a second value for one and the
        same event time, and a restatement is just that.
        """
        source = _Source(config, data_source)
        part = "partition by " + ", ".join(source.column(key) for key in join_key_columns) if join_key_columns else ""
        names = [*join_key_columns, *feature_name_columns]
        columns = [f"{source.column(name)} as {_quoted(name)}" for name in names]
        columns.append(f"__known as {_quoted(timestamp_field)}")
        if created_timestamp_column:
            columns.append(f"{source.column(created_timestamp_column)} as {_quoted(created_timestamp_column)}")
        if not join_key_columns:
            columns.append("'' as __dummy_id")
        sql = f"""select {", ".join(columns)} from (
            select *, {source.known} as __known from {source.table}
            where {source.known} <= {instant(end_date)} and {source.version} is not null
            qualify row_number() over ({part} order by {source.event} desc, {source.version} desc) = 1
        ) where __known >= {instant(start_date)}"""
        return TwoClockJob(_connect(config), sql)

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig, data_source: DataSource, join_key_columns: list[str], feature_name_columns: list[str],
        timestamp_field: str, created_timestamp_column: str | None = None, start_date: dt.datetime | None = None,
        end_date: dt.datetime | None = None,
    ) -> RetrievalJob:
        """Every version in a window of events."""
        source = _Source(config, data_source)
        extra = [created_timestamp_column] if created_timestamp_column else []
        names = [*join_key_columns, *feature_name_columns, timestamp_field, *extra]
        columns = ", ".join(f"{source.column(name)} as {_quoted(name)}" for name in names)
        bounds = [f"{source.event} {op} {instant(day)}" for op, day in ((">=", start_date), ("<=", end_date)) if day]
        sql = f"select {columns} from {source.table} where {' and '.join(bounds or ['true'])}"
        return TwoClockJob(_connect(config), sql)
