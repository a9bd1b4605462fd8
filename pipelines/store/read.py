"""Feature tables as of a moment, and the bars that the kernels saw, without Feast."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.features.inputs import RAW, derive
from models.features.panel import BarPanel
from pipelines.home import Home
from pipelines.store import cells as cells_of
from pipelines.store.build import table_path
from pipelines.store.inputs import Inputs, of_home
from pipelines.store.versions import Derive

INSTANT = pa.timestamp("us", tz="UTC")


def newest(versions: pa.Table, as_of: dt.datetime) -> pa.Table:
    """One row an entity and session: the newest version that was known. `versions` is in key order, as published."""
    known = versions.filter(pc.less_equal(versions["available_at"], pa.scalar(as_of, INSTANT)))
    if not known.num_rows:
        return known
    entity = known[known.column_names[0]].combine_chunks().dictionary_encode().indices.to_numpy()
    session = known["session"].to_numpy()
    last = np.append((entity[1:] != entity[:-1]) | (session[1:] != session[:-1]), True)
    return known.filter(pa.array(last))


def rows_as_of(home: Home, view: str, as_of: dt.datetime, *, session: pa.Scalar | None = None) -> pa.Table:
    """The rows of a view as they were known at a moment, of every session or of one."""
    wanted = None if session is None else pc.field("session") == session
    return newest(pq.read_table(table_path(home, view), filters=wanted), as_of)


def panel_of(known: Inputs, as_of: dt.datetime, with_columns: Derive = derive) -> BarPanel:
    """The columns of a panel of cells as of a moment, as kernels read them."""
    cells = cells_of.from_table(newest(known.table, as_of), known.panel)
    shape = (len(cells.sessions), len(cells.names))
    raw = {name: np.full(shape, np.nan) for name in RAW[known.panel]}
    for name, column in raw.items():
        column[cells.session, cells.name] = cells.values[name]  # a withdrawn bar is NaN
    return BarPanel(cells.sessions, cells.names, with_columns(known.panel, raw))


def bar_panel(home: Home, as_of: dt.datetime) -> BarPanel:
    """Daily equity bars as of a moment, with the derived columns that kernels read."""
    return panel_of(of_home(home, "equity"), as_of)
