"""The same on cells, without the warehouse: what features make of a future that is another one."""

import dataclasses
import datetime as dt
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.features.feature import Feature
from pipelines.store import read, versions
from pipelines.store.cells import Cells, bar_array
from pipelines.store.leak.facts import Variant
from pipelines.store.versions import Derive

EXTREME = 1e6
WINDOW_SESSIONS = 20  # before a decision: a peek ahead shows itself at the last session before it, if anywhere
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def micros(at: dt.datetime) -> int:
    return (at - EPOCH) // dt.timedelta(microseconds=1)


def altered_cells(
    cells: Cells, at: dt.datetime, variant: Variant, rng: np.random.Generator, columns: Collection[str] | None = None
) -> Cells:
    """The cells, with what was known after `at` gone, dealt out again, or blown up, in these columns (default: all)."""
    later = cells.known > micros(at)
    if variant == "truncate":
        return cells.only(~later)
    rows = np.flatnonzero(later)
    factors = np.where(rng.random(len(rows)) < 0.5, EXTREME, 1 / EXTREME)
    values = dict(cells.values)
    for name in columns or cells.values:
        column = values[name].copy()
        column[rows] = column[rng.permutation(rows)] if variant == "scramble" else column[rows] * factors
        values[name] = column
    return dataclasses.replace(cells, values=values)


def near(cells: Cells, at: dt.datetime, *, count: int = WINDOW_SESSIONS) -> NDArray[np.bool_]:
    """The last sessions of the axis before a decision."""
    day = np.datetime64(at.date())
    end = int(np.searchsorted(cells.sessions, day))
    mask = np.zeros(len(cells.sessions), dtype=bool)
    mask[max(0, end - count) : end] = True
    return mask


def rows_at(
    cells: Cells, features: tuple[Feature, ...], derive: Derive, at: dt.datetime, wanted: NDArray[np.bool_]
) -> pa.Table:
    """Rows of the wanted sessions as known at a decision, computed with as much future as a build would see."""
    span = versions.reach(features)
    (chosen,) = np.flatnonzero(wanted)[None]
    if not len(chosen):
        return versions.schema(features, cells).empty_table()
    targets, needed = wanted.copy(), np.zeros(len(wanted), dtype=bool)
    targets[chosen[-1] : chosen[-1] + WINDOW_SESSIONS + 1] = True
    for session in np.flatnonzero(targets):
        needed[max(0, session - span + 1) : session + 1] = True
    rows = read.newest(versions.replay(cells.within(needed), features, targets, derive), at)
    return of_sessions(rows, cells.sessions[wanted])


def of_sessions(rows: pa.Table, sessions: NDArray[np.datetime64]) -> pa.Table:
    return rows.filter(pc.is_in(rows["session"], bar_array(sessions)))
