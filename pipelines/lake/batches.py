"""A batch of facts: written beside the others and made visible by one rename, or not at all."""

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import durable
from pipelines.home import Home
from pipelines.lake import basis, quarantine, raw, reuse
from pipelines.lake.landing import Landing
from pipelines.lake.schemas import DATASETS, RECEIPTS, Dataset
from pipelines.lake.versions import new_versions
from pipelines.literals import every_batch


@dataclass
class Staged:
    """What a batch would add."""

    rows: Counter[str] = field(default_factory=Counter)  # by dataset
    sessions: dict[str, set[dt.date]] = field(default_factory=dict)  # by vendor


def name_of(number: int) -> str:
    return f"batch-{number:06d}"


def begin(home: Home) -> None:
    """Batch 0 holds no rows, so that every dataset exists from the first day; leftovers of a killed run go."""
    first = name_of(0)
    if not (home.facts / first).exists():
        quarantine.write(home, first, [])
        staging = durable.fresh_staging(home.facts, first)
        for dataset in DATASETS.values():
            pq.write_table(dataset.schema.empty_table(), staging / f"{dataset.name}.parquet")
        pq.write_table(RECEIPTS.empty_table(), staging / raw.RECEIPTS_FILE)
        durable.publish_dir(staging, home.facts / first, failpoint="lake_begin")
    for dataset in DATASETS.values():  # one that came to be, or gained a column, after this home did
        path = home.facts / first / f"{dataset.name}.parquet"
        if not path.exists() or pq.read_schema(path).names != dataset.schema.names:
            sink = pa.BufferOutputStream()
            pq.write_table(dataset.schema.empty_table(), sink)
            durable.write_atomic(path, sink.getvalue().to_pybytes(), failpoint="lake_begin")
    quarantine.drop_uncommitted(home, {batch.name for batch in raw.batches(home)})
    _drop_half_made(home)


def _drop_half_made(home: Home) -> None:
    """What a killed run was writing, and the next one may have no more reason to write."""
    for staging in home.facts.glob(".batch-*.staging"):
        shutil.rmtree(staging)
    left, spooled = list(home.quarantine.glob(".batch-*.staged")), home.work / durable.STAGING.format("incoming")
    if spooled.exists():  # the sign of a kill: else the bodies of all years would be looked through each night
        left += (home.raw / "bodies").glob("*/.*.staged")
    for file in left:
        file.unlink()
    if spooled.exists():
        shutil.rmtree(spooled)


def commit(home: Home, landing: Landing, now: dt.datetime) -> tuple[int | None, Staged]:
    """Write the new versions, the receipts and the quarantine of this run; no batch where it brought nothing."""
    number = int(raw.batches(home)[-1].name.removeprefix("batch-")) + 1
    name, staged = name_of(number), Staged()
    if not landing.new_bodies:
        shutil.rmtree(landing.folder, ignore_errors=True)
        return None, staged
    basis.set_aside(home, landing)
    reuse.begin_after_the_dead(home, landing)
    staging = durable.fresh_staging(home.facts, name)
    for dataset in DATASETS.values():
        _write_versions(home, dataset, landing.incoming(dataset.name), staging, now, staged)
    receipts = sorted(landing.receipts, key=lambda row: (row["received_at"], row["path"]))
    pq.write_table(pa.Table.from_pylist(receipts, schema=RECEIPTS), staging / raw.RECEIPTS_FILE, compression="zstd")
    quarantine.write(home, name, landing.refused)
    durable.publish_dir(staging, home.facts / name, failpoint="lake")
    shutil.rmtree(landing.folder, ignore_errors=True)
    return number, staged


def _write_versions(
    home: Home, dataset: Dataset, incoming: Path | None, staging: Path, now: dt.datetime, staged: Staged
) -> None:
    target = staging / f"{dataset.name}.parquet"
    if incoming is None:
        pq.write_table(dataset.schema.empty_table(), target)
        return
    held = every_batch(home.facts, dataset.name)
    sessions = staged.sessions.setdefault(dataset.vendor, set())
    with pq.ParquetWriter(target, dataset.schema, compression="zstd") as writer:
        for batch in _read_ahead(new_versions(dataset.name, incoming, held, now.isoformat())):
            writer.write_batch(batch.cast(dataset.schema))
            staged.rows[dataset.name] += batch.num_rows
            if dataset.dated_by:
                sessions.update(batch.column(dataset.dated_by).unique().to_pylist())


def _read_ahead(versions: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One batch is asked for while the one before it is packed: neither holds Python's lock."""
    told = iter(versions)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, told, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, told, None)
            yield batch
