"""Features at the command line: a point-in-time frame for a table of labels."""

import difflib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.features.feature import Feature
from models.features.registry import FEATURES, named
from pipelines import moments
from pipelines.home import Home

# A label frame of instruments asks the market-wide views with these.
MARKET_KEYS = {"underlying": "SPX", "root": "ES"}


def _entities(path: Path) -> pa.Table:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}: --entities is a Parquet or CSV file with instrument_id and "
                                "event_timestamp")
    if path.suffix == ".csv":
        from pyarrow import csv

        table = csv.read_csv(path)
    else:
        table = pq.read_table(path)
    missing = {"instrument_id", "event_timestamp"} - set(table.column_names)
    if missing:
        raise ValueError(f"{path} has no column {' or '.join(sorted(missing))}; it has {', '.join(table.column_names)}")
    return table


def _instants(column: pa.ChunkedArray, path: Path) -> pa.ChunkedArray:
    """UTC microseconds; text with a zone is understood, a time without one is refused."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.chunked_array([pa.array([moments.parse(text) for text in column.to_pylist()],
                                          pa.timestamp("us", tz="UTC"))])  # fmt: skip
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise ValueError(f"event_timestamp of {path} is {kind}: give instants with a time zone")
    return column.cast(pa.timestamp("us", tz="UTC"), safe=False)


def column_names(features: tuple[Feature, ...]) -> list[str]:
    """Bare names, or `view__name` as Feast writes it where two versions of one feature stand side by side."""
    names = [feature.name for feature in features]
    return [name if names.count(name) == 1 else f"{feature.view}__{name}"
            for name, feature in zip(names, features, strict=True)]


class UnknownFeature(KeyError):
    """A name that no feature has, with the nearest that one has."""

    def __str__(self) -> str:
        return str(self.args[0])


def _declared(names: list[str]) -> tuple[Feature, ...]:
    known = {name for feature in FEATURES for name in (feature.name, feature.ref)}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "`nightdesk features list` has them all"
            raise UnknownFeature(f"no such feature: {name}; {hint}")
    return named(tuple(names))


def features_get(home: Home, features: list[str], entities_file: Path, as_of: str | None, out: Path) -> int:
    """Write the entities with these features, each row read as of the earlier of its timestamp and `as_of`."""
    wanted = _declared([name.strip() for name in features])
    table = _entities(entities_file)
    asked = _instants(table["event_timestamp"], entities_file).cast(pa.int64()).to_numpy()
    limit = np.int64(moments.parse(as_of).timestamp() * 1_000_000) if as_of else np.iinfo(np.int64).max
    frame = pa.table({"instrument_id": table["instrument_id"].cast(pa.string())}).to_pandas()
    frame["event_timestamp"] = pa.array(np.minimum(asked, limit)).cast(pa.timestamp("us", tz="UTC")).to_pandas()
    for name, value in MARKET_KEYS.items():
        frame[name] = table[name].to_pandas() if name in table.column_names else value
    from pipelines.store.feast_home import feast_store

    job = feast_store(home).get_historical_features(frame, [feature.ref for feature in wanted],
                                                    full_feature_names=True)  # fmt: skip
    rows = job.to_arrow()
    for feature, name in zip(wanted, column_names(wanted), strict=True):
        table = table.append_column(name, rows[f"{feature.view}__{feature.name}"])
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, out)
    return int(table.num_rows)
