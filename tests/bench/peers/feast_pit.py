"""Feast's own DuckDB offline store with its created-time flag: arguments are features, labels, columns."""

import json
import sys
import warnings

from tests.bench.measure import peak_mb, timed
from tests.bench.pit_store import VIEW, feast_store

RUNS = 3


def main() -> None:
    warnings.simplefilter("ignore")
    import pandas as pd

    features, labels, columns = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
    store, asked = feast_store(features, columns, "duckdb"), pd.read_parquet(labels)
    refs, got = [f"{VIEW}:{column}" for column in columns], []

    def ask() -> None:
        got[:] = [store.get_historical_features(asked, refs, filter_by_created_timestamp=True).to_arrow()]

    took = timed(ask, runs=RUNS)
    rows = got[0].sort_by("row")
    print(json.dumps({
        "seconds": took.median_s, "cold_s": took.cold_s, "peak_mb": peak_mb(), "rows": rows.num_rows,
        "in_order": got[0]["row"].to_pylist() == list(range(rows.num_rows)),
        "sums": [float(rows[column].to_numpy().astype(float)[~rows[column].is_null().to_numpy()].sum())
                 for column in columns],
        "nulls": [rows[column].null_count for column in columns],
    }))  # fmt: skip


if __name__ == "__main__":
    main()
