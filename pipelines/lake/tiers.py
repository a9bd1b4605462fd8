"""`StorageRouter`: rows go to the tier of their age. The cold tier is Parquet here; hot and warm are ports."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import durable

if TYPE_CHECKING:
    import pandas as pd

INSTANT = pa.timestamp("us", tz="UTC")
TIERS = ("hot", "warm", "cold")
HOT = dt.timedelta(days=1)
WARM = dt.timedelta(days=30)


class Tier(Protocol):
    """Where rows of an asset are kept. Every table has a column `timestamp`, an instant."""

    def write(self, asset_class: str, asset: str, rows: pa.Table) -> None: ...

    def read(self, asset_class: str, asset: str, start: dt.datetime, end: dt.datetime) -> pa.Table: ...

    def drop_before(self, asset_class: str, asset: str, moment: dt.datetime) -> None: ...


class ParquetTier:
    """`asset_class/asset/year/month/`: a file a write. What a month has already is not written again, so that a move
    may be repeated, also where more has come to be moved since it broke off."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, asset_class: str, asset: str, rows: pa.Table) -> None:
        months = pc.strftime(rows["timestamp"].cast(INSTANT), format="%Y/%m")
        for month in sorted(pc.unique(months).to_pylist()):
            folder, part = self._of(asset_class, asset) / month, rows.filter(pc.equal(months, month))
            new = _beyond([pq.read_table(file) for file in sorted(folder.glob("*.parquet"))], part)
            if not new.num_rows:
                continue
            sink = pa.BufferOutputStream()
            pq.write_table(new.sort_by("timestamp"), sink, compression="zstd")
            body = sink.getvalue().to_pybytes()
            durable.write_atomic(folder / f"{hashlib.sha256(body).hexdigest()[:16]}.parquet", body, failpoint="tier")

    def read(self, asset_class: str, asset: str, start: dt.datetime, end: dt.datetime) -> pa.Table:
        """Rows from `start` up to `end`, not included; only months in between are opened."""
        first, last = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
        files = [file for file in sorted(self._of(asset_class, asset).glob("*/*/*.parquet"))
                 if f"{first:%Y/%m}" <= "/".join(file.parts[-3:-1]) <= f"{last:%Y/%m}"]  # fmt: skip
        tables = [_between(pq.read_table(file), start, end) for file in files]
        none = pa.table({"timestamp": pa.array([], INSTANT)})
        return pa.concat_tables(tables).sort_by("timestamp") if tables else none

    def drop_before(self, asset_class: str, asset: str, moment: dt.datetime) -> None:
        raise ValueError("the cold tier keeps everything")

    def _of(self, asset_class: str, asset: str) -> Path:
        for part in (asset_class, asset):
            if not part or part.startswith(".") or "/" in part or "\\" in part:
                raise ValueError(f"{part!r} cannot be the name of a folder")
        return self.folder / asset_class / asset


class ParquetWriter:
    """The cold tier for who holds a DataFrame, or has years of rows in another store. Repeated, nothing is doubled."""

    def __init__(self, folder: Path) -> None:
        self.tier = ParquetTier(folder)

    def write(self, frame: "pd.DataFrame", asset_class: str, asset: str) -> int:
        """`frame` has a column `timestamp`, of instants with a zone; how many rows were written."""
        rows = pa.Table.from_pandas(frame, preserve_index=False)
        if "timestamp" not in rows.column_names or getattr(rows.schema.field("timestamp").type, "tz", None) is None:
            raise ValueError("a column `timestamp` is needed, of instants that have a time zone")
        at = rows.schema.get_field_index("timestamp")
        self.tier.write(asset_class, asset, rows.set_column(at, "timestamp", rows["timestamp"].cast(INSTANT)))
        return rows.num_rows

    def backfill(self, source: Tier, asset_class: str, asset: str, start: dt.datetime, end: dt.datetime) -> int:
        """All that another store holds from `start` up to `end`, a month at a time: years need no more memory."""
        written, first = 0, start.astimezone(dt.UTC)
        while first < end:
            after = min(end, (first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
                              + dt.timedelta(days=32)).replace(day=1))  # fmt: skip
            rows = source.read(asset_class, asset, first, after)
            if rows.num_rows:
                self.tier.write(asset_class, asset, rows)
            written, first = written + rows.num_rows, after
        return written


def _beyond(held: list[pa.Table], rows: pa.Table) -> pa.Table:
    """Those of `rows` that are not held, as often as they are not: two equal prints of one moment are two."""
    known = [table.select(rows.column_names) for table in held if set(rows.column_names) <= set(table.column_names)]
    if not known:
        return rows
    import duckdb

    names = ['"' + name.replace('"', '""') + '"' for name in rows.column_names]
    grain = ", ".join(names)
    same = " AND ".join(f"r.{name} IS NOT DISTINCT FROM h.{name}" for name in names)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("held", pa.concat_tables(known, promote_options="permissive"))
        connection.register("rows", rows.append_column("place_", pa.array(range(rows.num_rows))))
        places = connection.execute(f"""
            WITH r AS (SELECT *, row_number() OVER (PARTITION BY {grain} ORDER BY place_) AS nth_ FROM rows),
                h AS (SELECT *, row_number() OVER (PARTITION BY {grain}) AS nth_ FROM held)
            SELECT place_ FROM r ANTI JOIN h
            ON {same} AND r.nth_ = h.nth_ ORDER BY place_
        """).fetchnumpy()["place_"]
    return rows.take(pa.array(places))


def _between(rows: pa.Table, start: dt.datetime, end: dt.datetime) -> pa.Table:
    at = rows["timestamp"]
    low, high = (pa.scalar(moment.astimezone(dt.UTC), at.type) for moment in (start, end))
    return rows.filter(pc.and_(pc.greater_equal(at, low), pc.less(at, high)))


class StorageRouter:
    """Writes go where their age belongs; a tier that is not there hands on to the next colder one."""

    def __init__(self, cold: Tier, *, warm: Tier | None = None, hot: Tier | None = None) -> None:
        self.tiers: Mapping[str, Tier] = {
            name: tier for name, tier in zip(TIERS, (hot, warm, cold), strict=True) if tier is not None
        }

    def tier_of(self, timestamp: dt.datetime, now: dt.datetime) -> str:
        age = now - timestamp
        wanted = "hot" if age < HOT else "warm" if age < WARM else "cold"
        return next(name for name in TIERS[TIERS.index(wanted) :] if name in self.tiers)

    def write(self, asset_class: str, asset: str, rows: pa.Table, now: dt.datetime) -> dict[str, int]:
        """How many rows went to which tier."""
        ages = [self.tier_of(moment, now) for moment in rows["timestamp"].cast(INSTANT).to_pylist()]
        told: dict[str, int] = {}
        for name in (name for name in self.tiers if name in ages):
            part = rows.filter(pa.array([age == name for age in ages]))
            self.tiers[name].write(asset_class, asset, part)
            told[name] = part.num_rows
        return told

    def read(self, asset_class: str, asset: str, start: dt.datetime, end: dt.datetime) -> pa.Table:
        parts = [tier.read(asset_class, asset, start, end) for tier in self.tiers.values()]
        filled = [part for part in parts if part.num_rows]
        return pa.concat_tables(filled).sort_by("timestamp") if filled else parts[-1]

    def archive(self, asset_class: str, asset: str, now: dt.datetime) -> int:
        """Move what outgrew the hot and warm tiers to the next colder one: written there first, then let go here."""
        moved = 0
        for name, limit in (("hot", HOT), ("warm", WARM)):
            if name not in self.tiers:
                continue
            old = self.tiers[name].read(asset_class, asset, dt.datetime.min.replace(tzinfo=dt.UTC), now - limit)
            if old.num_rows:
                self.write(asset_class, asset, old, now)
                self.tiers[name].drop_before(asset_class, asset, now - limit)
                moved += old.num_rows
        return moved
