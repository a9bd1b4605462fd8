"""The lake as it would be had the future been another one: facts known later deleted, dealt out again or blown up."""

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import durable
from pipelines.home import Home
from pipelines.lake.facts import read_dataset
from pipelines.lake.schemas import DATASETS, INSTANT, Dataset
from pipelines.store.leak.sample import chance_of

Rebuild = Callable[..., AbstractContextManager[Any]]  # `rebuilt`, or one that keeps what it built
Variant = Literal["truncate", "scramble", "extreme"]
VARIANTS: tuple[Variant, ...] = ("truncate", "scramble", "extreme")
# Enough to move any level, rank or bound, and not so much that a profile of prices by ticks fills the memory.
EXTREME = 10.0
END_OF_TIME = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
COUNTS = ("size", "trades")  # whole numbers that are quantities; other whole numbers name things


def altered(table: pa.Table, dataset: Dataset, at: dt.datetime, variant: Variant, rng: np.random.Generator) -> pa.Table:
    """The facts, those known after `at` changed: which facts there are, and their clocks, change only by truncation."""
    later = pc.greater(table["available_at"], pa.scalar(at, INSTANT)).to_numpy(zero_copy_only=False)
    if variant == "truncate":
        return table.filter(pa.array(~later))
    rows = np.flatnonzero(later)
    dealt = rng.permutation(rows)
    factors = np.where(rng.random(len(rows)) < 0.5, EXTREME, 1 / EXTREME)
    for name in dataset.values:
        kind = table.schema.field(name).type
        if not pa.types.is_floating(kind) and name not in COUNTS:
            continue
        values = table[name].to_numpy().astype(np.float64)
        values[rows] = values[dealt] if variant == "scramble" else values[rows] * factors
        column = pa.array(values, from_pandas=True)
        if name in COUNTS:
            column = pc.max_element_wise(pc.round(column), 1.0, skip_nulls=False)
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), column.cast(kind))
    return table


def upstream(marts: tuple[str, ...]) -> set[str]:
    """The datasets that these marts are made of, by the warehouse's own lineage."""
    from pipelines.lake import dbt_project

    parents: dict[str, list[str]] = json.loads(dbt_project.prepare().read_text())["parent_map"]
    waiting = [node for node in parents if node.startswith("model.") and node.rsplit(".", 1)[-1] in marts]
    seen = set(waiting)
    while waiting:
        new = set(parents.get(waiting.pop(), ())) - seen
        seen |= new
        waiting += new
    return {node.rsplit(".", 1)[-1] for node in seen if node.startswith("source.")}


def later_datasets(home: Home, at: dt.datetime, marts: tuple[str, ...]) -> list[str]:
    """Datasets under these marts of which something was learnt after a moment: all that can have moved the past."""
    return [
        name for name in sorted(upstream(marts) & set(DATASETS))
        if pc.any(pc.greater(read_dataset(home, name)["available_at"], pa.scalar(at, INSTANT))).as_py()
    ]


def write_altered(
    home: Home, folder: Path, at: dt.datetime, variant: Variant, *, seed: int = 0,
    datasets: Collection[str] | None = None,
) -> Path:
    """The lake's facts as one batch under `folder`, with these datasets (default: all) altered; the facts' folder."""
    facts = folder / "raw" / "facts"
    batch = facts / "batch-000000"
    batch.mkdir(parents=True)
    for name, dataset in DATASETS.items():
        table = read_dataset(home, name)
        if datasets is None or name in datasets:
            table = altered(table, dataset, at, variant, chance_of("facts", seed, at, variant, name))
        pq.write_table(table, batch / f"{name}.parquet")
    os.symlink(home.quarantine.resolve(), folder / "quarantine", target_is_directory=True)
    return facts


@contextmanager
def rebuilt(
    home: Home, at: dt.datetime, variant: Variant, *, now: dt.datetime, seed: int = 0,
    datasets: Collection[str] | None = None, only: tuple[str, ...] = (),
) -> Iterator[Any]:
    """A connection to marts (default: all) built from facts altered after `at`, thrown away after use."""
    from pipelines.lake import marts

    parts = "-".join(datasets) if datasets is not None else "all"
    folder = durable.fresh_staging(home.work, f"leak-{variant}-{at:%Y%m%dT%H%M}-{parts}")
    try:
        if variant == "truncate" and datasets is None:
            built = marts.build(home, out=folder / "marts", truncate_at=at, only=only, now=now)
        else:
            facts = write_altered(home, folder, at, variant, seed=seed, datasets=datasets)
            # A cut at the end of time cuts nothing, and leaves out the tests, which such facts need not pass.
            built = marts.build(
                home, facts=facts, out=folder / "marts", truncate_at=END_OF_TIME, only=only, now=now
            )
        with marts.connect(home, marts_dir=built.path) as con:
            yield con
    finally:
        shutil.rmtree(folder, ignore_errors=True)
