"""The point-in-time workload: twenty features of 500 names over 2,520 sessions, some restated, and a million labels."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.measure import inputs

NAMES, SESSIONS, FEATURES, LABELS, SEED = 500, 2_520, 20, 1_000_000, 5
COLUMNS = tuple(f"f{n:02d}" for n in range(FEATURES))
TTL_DAYS = 10
MINUTE, DAY = 60_000_000, 86_400_000_000
INSTANT = pa.timestamp("us", tz="UTC")


def _instants(micros: np.ndarray) -> pa.Array:
    return pa.array(micros.astype(np.int64)).cast(INSTANT)


def made() -> tuple[Path, Path]:
    """Features and labels as Parquet files, made once. Two rows in a hundred come again days later, restated."""
    folder = inputs()
    features, labels = folder / "pit-features.parquet", folder / "pit-labels.parquet"
    if features.exists() and labels.exists():
        return features, labels
    rng = np.random.default_rng(SEED)
    days = np.arange(SESSIONS) * 7 // 5  # five sessions a week
    event = np.int64(1_420_000_000_000_000) + days.astype(np.int64) * DAY
    name, session = np.repeat(np.arange(NAMES), SESSIONS), np.tile(np.arange(SESSIONS), NAMES)
    known = event[session] + 15 * MINUTE
    again = np.flatnonzero(rng.random(len(name)) < 0.02)
    late = known[again] + rng.integers(1, 9, len(again)) * DAY
    name, session = np.concatenate([name, name[again]]), np.concatenate([session, session[again]])
    known = np.concatenate([known, late])
    order = np.lexsort((known, session, name))
    symbols = np.array([f"S{n:04d}" for n in range(NAMES)], dtype=object)
    table = {"symbol": symbols[name[order]], "event_time": _instants(event[session[order]]),
             "available_at": _instants(known[order])}  # fmt: skip
    table |= {column: rng.normal(size=len(order)) for column in COLUMNS}
    pq.write_table(pa.table(table), features, compression="zstd")
    moments = event[0] + rng.integers(0, int(event[-1] - event[0]), LABELS)
    pq.write_table(pa.table({"row": np.arange(LABELS), "symbol": symbols[rng.integers(NAMES, size=LABELS)],
                             "event_timestamp": _instants(moments)}), labels, compression="zstd")  # fmt: skip
    return features, labels
