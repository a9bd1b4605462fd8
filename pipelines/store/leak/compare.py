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


def _index(*tables: pa.Table) -> tuple[list[NDArray[np.int64]], NDArray[np.datetime64], NDArray[np.str_]]:
    """A number for each row of each table, in order of session, then entity; and the sessions and entities in order,
    which `divmod` of a number by how many entities there are points to."""
    named = [one[one.column_names[0]].combine_chunks().dictionary_encode() for one in tables]
    entities = np.unique(np.array([name for one in named for name in one.dictionary.to_pylist()], dtype=np.str_))
    days = [one["session"].to_numpy() for one in tables]
    sessions = np.unique(np.concatenate(days))
    numbers = []
    for one, day in zip(named, days, strict=True):
        place = np.searchsorted(entities, np.array(one.dictionary.to_pylist(), dtype=np.str_))
        entity = place[one.indices.to_numpy()] if len(place) else np.zeros(0, np.int64)
        numbers.append(np.searchsorted(sessions, day) * max(len(entities), 1) + entity)
    return numbers, sessions, entities


def bits(rows: pa.Table, column: str) -> NDArray[np.int64]:
    """A column as what it is made of, so that -0.0 differs from 0.0 and null equals null."""
    kind = rows.schema.field(column).type
    if pa.types.is_timestamp(kind):
        return rows[column].cast(pa.int64()).to_numpy()
    values = rows[column].cast(pa.float64()) if not pa.types.is_boolean(kind) else rows[column].cast(pa.int8())
    return np.ascontiguousarray(values.to_numpy().astype(np.float64)).view(np.int64)


def _moved(ours: pa.Table, theirs: pa.Table, columns: list[str]) -> list[MovedCell]:
    """Per column, where two tables of one row an (entity, session) differ; rows of one alone count as ROW."""
    (left, right), sessions, entities = _index(ours, theirs)
    if np.array_equal(left, right):  # as nearly always: the same rows, in the same order
        both, at_left, at_right, lonely = left, slice(None), slice(None), left[:0]
    else:
        both, at_left, at_right = np.intersect1d(left, right, return_indices=True)
        lonely = np.setxor1d(left, right)
    found = []
    for column in columns:
        moved = both[bits(ours, column)[at_left] != bits(theirs, column)[at_right]]
        if column == "event_time":
            column, moved = ROW, np.concatenate([moved, lonely])
        if len(moved):
            session, entity = divmod(int(moved.min()), len(entities))
            found.append(MovedCell(column, str(entities[entity]), str(sessions[session]), len(moved)))
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
