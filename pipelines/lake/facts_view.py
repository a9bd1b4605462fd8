"""The lake as the warehouse sees it: views over all batches, cut at a moment of knowledge. Nothing else cuts."""

import datetime as dt
import glob
import hashlib
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.lake.raw import RECEIPTS_FILE
from pipelines.lake.schemas import DATASETS, RECEIPTS
from pipelines.literals import every_batch, instant, text


def digest(facts: Path, quarantine: Path, truncate_at: dt.datetime | None) -> str:
    """Of every byte that the views will show, and of the cut."""
    found = hashlib.sha256(truncate_at.astimezone(dt.UTC).isoformat().encode() if truncate_at else b"all")
    names = {f"{name}.parquet" for name in DATASETS}
    if _refused_whole(quarantine):  # which stand until a good body comes
        names.add(RECEIPTS_FILE)
    for path in sorted([*facts.glob("batch-*/*.parquet"), *quarantine.glob("batch-*.parquet")]):
        if path.name in names or path.parent == quarantine:
            found.update(f"{path.parent.name}/{path.name}\n".encode())
            with open(path, "rb") as file:
                found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def _refused_whole(quarantine: Path) -> bool:
    return any(pc.any(pc.equal(pq.read_table(path, columns=["reason"])["reason"], "batch_refused")).as_py()
               for path in quarantine.glob("batch-*.parquet"))  # fmt: skip


def create(database: Path, facts: Path, quarantine: Path, truncate_at: dt.datetime | None) -> None:
    """A DuckDB file whose schema `facts` holds one view per dataset."""
    import duckdb

    with duckdb.connect(str(database), config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create schema facts")
        schemas = {name: dataset.schema for name, dataset in DATASETS.items()} | {"receipts": RECEIPTS}
        told = {name for name in schemas if any(facts.glob(f"batch-*/{name}.parquet"))}
        for name in schemas.keys() - told:  # a lake of before this kind of fact
            connection.from_arrow(schemas[name].empty_table()).create(f"facts.{name}")
        sources = {name: (every_batch(facts, name), "available_at") for name in DATASETS if name in told}
        if "receipts" in told:
            sources["receipts"] = (every_batch(facts, "receipts"), "received_at")
        sources["quarantine"] = (f"{glob.escape(str(quarantine))}/batch-*.parquet", "received_at")
        for name, (files, clock) in sources.items():
            known = f"where {clock} <= {instant(truncate_at)}" if truncate_at else ""
            connection.execute(
                f"create view facts.{name} as select * from read_parquet({text(files)}, union_by_name=true) {known}"
            )
