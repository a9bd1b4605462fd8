"""Reading the facts: digests that say what the lake knows, and the row counts beside them."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.digest import columns_digest, json_digest, table_digest
from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.schemas import DATASETS, Dataset
from pipelines.literals import every_batch

_HELD_AT_ONCE = 500_000  # rows of a dataset


def read_dataset(home: Home, name: str) -> pa.Table:
    """Every version of every fact of a dataset."""
    files = [batch / f"{name}.parquet" for batch in raw.batches(home)]
    tables = [pq.read_table(path) for path in files if path.exists()]
    schema = DATASETS[name].schema  # of which an older batch may lack a column
    return pa.concat_tables([schema.empty_table(), *tables], promote_options="default")


def facts_digest(home: Home, names: Sequence[str] = tuple(DATASETS)) -> dict[str, str]:
    """What the lake knows, dataset by dataset, whatever order and however many batches it came in."""
    return {name: _digest(home, DATASETS[name]) for name in names}


def _digest(home: Home, dataset: Dataset) -> str:
    """Of ten years of a whole market's bars only the key and one more column are in memory at a time."""
    keys = [*dataset.grain, "available_at"]
    files = [path for batch in raw.batches(home) if (path := batch / f"{dataset.name}.parquet").exists()]
    if sum(pq.read_metadata(path).num_rows for path in files) <= _HELD_AT_ONCE:
        return table_digest(read_dataset(home, dataset.name), keys)

    def column(name: str) -> pa.ChunkedArray:
        kind = dataset.schema.field(name).type
        words = [name] if pa.types.is_string(kind) and name not in keys else []  # few, and each many times
        target = pa.dictionary(pa.int32(), pa.string()) if words else kind
        chunks: list[pa.Array] = []
        for path in files:
            if name not in pq.read_schema(path).names:  # an older batch may lack it
                chunks.append(pa.nulls(pq.read_metadata(path).num_rows, target))
                continue
            with pq.ParquetFile(path, read_dictionary=words) as file:
                chunks += file.read([name]).column(0).cast(target).chunks
        return pa.chunked_array(chunks, target).unify_dictionaries()

    return columns_digest(dataset.schema, column, keys)


def vendor_digest(home: Home, vendor: str) -> str:
    """One digest for all of a vendor's facts."""
    return vendor_digest_of(facts_digest(home, _names_of(vendor)), vendor)


def vendor_digest_of(digests: Mapping[str, str], vendor: str) -> str:
    """The same, of digests that are there already."""
    return json_digest({name: digests[name] for name in _names_of(vendor) if name in digests})


def _names_of(vendor: str) -> list[str]:
    return [name for name, dataset in DATASETS.items() if dataset.vendor == vendor]


def row_counts(home: Home) -> dict[str, int]:
    """Versions held, by dataset; from the files' own footers."""
    return {
        name: sum(
            pq.read_metadata(batch / f"{name}.parquet").num_rows
            for batch in raw.batches(home)
            if (batch / f"{name}.parquet").exists()
        )
        for name in DATASETS
    }


def quarantined(home: Home) -> dict[str, int]:
    """Rows in quarantine, by reason."""
    counts: dict[str, int] = {}
    for path in sorted(home.quarantine.glob("batch-*.parquet")):
        for reason in pq.read_table(path, columns=["reason"])["reason"].to_pylist():
            counts[reason] = counts.get(reason, 0) + 1
    return counts


def names_per_session(home: Home, *, last: int) -> list[tuple[dt.date, int]]:
    """How many tickers have a bar, in the newest sessions, oldest first."""
    import duckdb

    files = every_batch(home.facts, "equity_bars")
    with duckdb.connect(config={"threads": 1}) as connection:
        found = connection.execute(
            "SELECT session, count(DISTINCT ticker) FROM read_parquet($files) GROUP BY 1 ORDER BY 1 DESC LIMIT $last",
            {"files": files, "last": last},
        ).fetchall()
    return found[::-1]
