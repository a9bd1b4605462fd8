"""A training frame of a million labels by twenty features through Feast's own call, on our offline store.

Beside it Feast's own DuckDB store with its created-time flag, and as a floor a bare join on one clock, without ttl.
Targets: a fifth of the peer's time, four floors.
"""

import warnings

import numpy as np

from tests.bench.measure import Row, peak_mb, peer, timed
from tests.bench.pit_data import COLUMNS, FEATURES, LABELS, made
from tests.bench.pit_store import VIEW, feast_store

RUNS = 5
OURS = "pipelines.store.offline.TwoClockOfflineStore"


def rows() -> list[Row]:
    import duckdb
    import pandas as pd

    features, labels = made()
    warnings.simplefilter("ignore")
    store, asked = feast_store(str(features), list(COLUMNS), OURS), pd.read_parquet(labels)
    refs, got = [f"{VIEW}:{column}" for column in COLUMNS], []

    def ask() -> None:
        got[:] = [store.get_historical_features(asked, refs).to_arrow()]

    took = timed(ask, runs=RUNS)
    ours = got[0]
    in_order = bool((ours["row"].to_numpy() == np.arange(LABELS)).all())
    picked = ", ".join(f"f.{column}" for column in COLUMNS)
    with duckdb.connect(config={"threads": 2}) as con:
        con.register("labels", asked)
        bare = timed(lambda: con.sql(
            f"select l.*, {picked} from labels l asof left join read_parquet('{features}') f "
            "on l.symbol = f.symbol and l.event_timestamp >= f.available_at").to_arrow_table(), runs=RUNS)  # fmt: skip
    theirs = peer("feast", "peers.feast_pit", str(features), str(labels), ",".join(COLUMNS))
    order = "in the order asked" if in_order else "NOT in the order asked"
    note = f"labels in memory, Arrow out; {ours.num_rows:,} rows {order}; floor: one clock, no ttl"
    if theirs:
        sums = [float(np.nansum(ours[column].to_numpy().astype(float))) for column in COLUMNS]
        same = theirs["rows"] == ours.num_rows and bool(np.allclose(sums, theirs["sums"], rtol=1e-9, atol=1e-6))
        same = same and theirs["nulls"] == [ours[column].null_count for column in COLUMNS]
        note += (f"; rows, nulls and sums of the peer {'equal' if same else 'DIFFER'}, its order "
                 f"{'kept' if theirs['in_order'] else 'shuffled'}, its peak {theirs['peak_mb']:,.0f} MB")
    return [Row(f"pit_frame/{LABELS} labels x {FEATURES}", took.median_s, took.cold_s,
                "feast 0.67 duckdb store, created-time flag" if theirs else None,
                theirs["seconds"] if theirs else None, bare.median_s, peak_mb(), RUNS, note)]  # fmt: skip
