"""The lake as the warehouse sees it: views over all batches, cut at a moment of knowledge. Nothing else cuts."""

import datetime as dt
import glob
import hashlib
from pathlib import Path

from pipelines.lake.schemas import DATASETS
from pipelines.literals import every_batch, instant, text


def digest(facts: Path, quarantine: Path, truncate_at: dt.datetime | None) -> str:
    """Of every byte that the views will show, and of the cut."""
    found = hashlib.sha256(truncate_at.astimezone(dt.UTC).isoformat().encode() if truncate_at else b"all")
    names = {f"{name}.parquet" for name in DATASETS}
    for path in sorted([*facts.glob("batch-*/*.parquet"), *quarantine.glob("batch-*.parquet")]):
        if path.name in names or path.parent == quarantine:
            found.update(f"{path.parent.name}/{path.name}\n".encode())
            with open(path, "rb") as file:
                found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def create(database: Path, facts: Path, quarantine: Path, truncate_at: dt.datetime | None) -> None:
    """A DuckDB file whose schema `facts` holds one view per dataset."""
    import duckdb

    with duckdb.connect(str(database), config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create schema facts")
        told = {name for name in DATASETS if any(facts.glob(f"batch-*/{name}.parquet"))}
        for name in DATASETS.keys() - told:  # a lake of before this kind of fact
            connection.from_arrow(DATASETS[name].schema.empty_table()).create(f"facts.{name}")
        sources = {name: (every_batch(facts, name), "available_at") for name in DATASETS if name in told}
        sources["quarantine"] = (f"{glob.escape(str(quarantine))}/batch-*.parquet", "received_at")
        for name, (files, clock) in sources.items():
            known = f"where {clock} <= {instant(truncate_at)}" if truncate_at else ""
            connection.execute(
                f"create view facts.{name} as select * from read_parquet({text(files)}, union_by_name=true) {known}"
            )
