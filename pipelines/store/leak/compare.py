"""What moved: rows of a table, and cells of a panel, as of one decision, bit for bit."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.feature import Feature
from pipelines.store import read

ROW = "(row)"  # a row that came, went or took another time


@dataclass(frozen=True)
class Finding:
    """A feature whose past moved: the first row that did, how many, how it was seen, and what moved it."""

    feature: str
    view: str
    entity: str
    first_bad_time: str
    decision_time: str
    values: int
    detector: str = "truncate"
    input: str = ""  # 'daily_bars.close', or 'splits (through daily_bars.split_factor)'


@dataclass(frozen=True)
class MovedCell:
    """A column of a panel that had other values in the past: the first of them, and how many."""

    column: str
    entity: str
    session: str
    values: int


def _index(rows: pa.Table) -> NDArray[np.str_]:
    entity = np.array(rows[rows.column_names[0]].to_pylist(), dtype=np.str_)
    return np.char.add(np.char.add(rows["session"].to_numpy().astype(np.str_), "|"), entity)


def bits(rows: pa.Table, column: str) -> NDArray[np.int64]:
    """A column as what it is made of, so that -0.0 differs from 0.0 and null equals null."""
    kind = rows.schema.field(column).type
    if pa.types.is_timestamp(kind):
        return rows[column].cast(pa.int64()).to_numpy()
    values = rows[column].cast(pa.float64()) if not pa.types.is_boolean(kind) else rows[column].cast(pa.int8())
    return np.ascontiguousarray(values.to_numpy().astype(np.float64)).view(np.int64)


def _moved(ours: pa.Table, theirs: pa.Table, columns: list[str]) -> list[MovedCell]:
    """Per column, where two tables of one row an (entity, session) differ; rows of one alone count as ROW."""
    left, right = _index(ours), _index(theirs)
    both, at_left, at_right = np.intersect1d(left, right, return_indices=True)
    lonely = np.setxor1d(left, right)
    found = []
    for column in columns:
        moved = both[bits(ours, column)[at_left] != bits(theirs, column)[at_right]]
        if column == "event_time":
            column, moved = ROW, np.concatenate([moved, lonely])
        if len(moved):
            session, entity = min(moved).split("|", 1)
            found.append(MovedCell(column, str(entity), str(session), len(moved)))
    return found


def compare(
    store: pa.Table, again: pa.Table, features: tuple[Feature, ...], at: dt.datetime, detector: str = "truncate"
) -> list[Finding]:
    """Findings where the store's rows as of a decision differ from those recomputed without the later knowledge."""
    return [
        Finding(moved.column, features[0].view, moved.entity, moved.session, at.isoformat(), moved.values, detector)
        for moved in _moved(store, again, ["event_time", *(feature.name for feature in features)])
    ]


def moved_cells(ours: pa.Table, theirs: pa.Table, at: dt.datetime) -> list[MovedCell]:
    """The same of two readings of a panel's cells, of what either says was known at the decision."""
    columns = [name for name in ours.column_names if name not in ("entity", "session", "ingested_at", "withdrawn")]
    return _moved(read.newest(ours, at), read.newest(theirs, at), columns)
