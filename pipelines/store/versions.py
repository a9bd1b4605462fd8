"""Replay knowledge time over a family's cells: a feature row gets a new version when a cell it saw is restated."""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.compute import compute_batch
from models.features.feature import Feature, FloatArray
from models.features.inputs import derive as usual
from models.features.panel import BarPanel
from pipelines.store.cells import Cells, bar_array

Derive = Callable[[str, dict[str, FloatArray]], dict[str, FloatArray]]

# A name whose bar is missing still gets a row, of nulls, for so many sessions: by then its last real row is older
# than the staleness limit, and no reader can take an old value for today's.
TOMBSTONES = 5
ENTITY_KEYS = {"instrument": "instrument_id", "underlying": "underlying", "root": "root"}


def reach(features: tuple[Feature, ...]) -> int:
    """How many sessions' rows one cell can touch, its own included."""
    return max(TOMBSTONES + 1, *(feature.look_back for feature in features))


def _steps(cells: Cells) -> Iterator[tuple[NDArray[np.intp], bool]]:
    """Groups of cells to learn together. True: only sessions newer than all before, so no earlier row can change."""
    order = np.lexsort((cells.name, cells.session, cells.known))
    moments = np.split(order, np.flatnonzero(np.diff(cells.known[order])) + 1) if len(order) else []
    newest = -1
    together: list[NDArray[np.intp]] = []
    for moment in moments:
        touched = cells.session[moment]
        if touched.min() > newest:
            together.append(moment)
        else:
            if together:
                yield np.concatenate(together), True
            together = []
            yield moment, False
        newest = max(newest, int(touched.max()))
    if together:
        yield np.concatenate(together), True


class _Known:
    """All that is known at one moment of the replay, and the newest version of every row."""

    def __init__(self, cells: Cells, features: tuple[Feature, ...], derive: Derive) -> None:
        shape = (len(cells.sessions), len(cells.names))
        self.cells, self.features, self.derive = cells, features, derive
        self.raw = {key: np.full(shape, np.nan) for key in cells.values}
        self.seen = np.zeros(shape, dtype=bool)
        self.event = np.zeros(shape, dtype=np.int64)
        self.ingested = np.zeros(shape, dtype=np.int64)
        self.known = np.zeros(shape[0], dtype=np.int64)
        self.published = np.zeros(shape, dtype=bool)
        self.rows = np.full((*shape, len(features)), np.nan)

    def learn(self, some: NDArray[np.intp]) -> NDArray[np.intp]:
        """Take these cells in; the sessions they belong to."""
        cells = self.cells
        at = (cells.session[some], cells.name[some])
        for key, column in cells.values.items():
            self.raw[key][at] = column[some]
        self.seen[at] = ~cells.withdrawn[some]
        self.event[at] = cells.event[some]
        self.ingested[at] = cells.ingested[some]
        self.known[at[0]] = cells.known[some]
        return np.unique(at[0])

    def compute(self, first: int, last: int) -> FloatArray:
        """Rows of the sessions first..last-1 as they follow from what is known, (sessions, names, features)."""
        begin = max(0, first - reach(self.features) + 1)
        columns = self.derive(self.cells.panel, {key: column[begin:last] for key, column in self.raw.items()})
        panel = BarPanel(self.cells.sessions[begin:last], self.cells.names, columns)
        values = compute_batch(panel, self.features, since=first - begin)
        return np.stack([values[feature.name] for feature in self.features], axis=-1)

    def present(self, first: int, last: int) -> NDArray[np.bool_]:
        """Which rows there are: a bar, or none but one lately, in a session of which anything is known.

        A row that was there stays, of nulls when its bar was withdrawn.
        """
        begin = max(0, first - TOMBSTONES)
        lately = np.cumsum(np.pad(self.seen[begin:last], ((TOMBSTONES + 1, 0), (0, 0))), axis=0, dtype=np.int64)
        held = (lately[TOMBSTONES + 1 :] - lately[: -TOMBSTONES - 1])[first - begin :] > 0
        return (held & self.seen[first:last].any(axis=1, keepdims=True)) | self.published[first:last]


def _bits(values: FloatArray) -> NDArray[np.int64]:
    return np.ascontiguousarray(values).view(np.int64)


def replay(
    cells: Cells, features: tuple[Feature, ...], targets: NDArray[np.bool_], derive: Derive = usual
) -> pa.Table:
    """Every version of the feature rows of the target sessions; `cells` must hold all that those look back on."""
    now = _Known(cells, features, derive)
    span = reach(features)
    found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64],
                      FloatArray]] = []
    for some, only_new in _steps(cells):
        touched = now.learn(some)
        moved = np.zeros(len(cells.sessions), dtype=bool)
        for session in touched:
            moved[session : session + (1 if only_new else span)] = True
        moved &= targets & (now.known > 0)
        if not moved.any():
            continue
        first, last = int(np.flatnonzero(moved)[0]), int(np.flatnonzero(moved)[-1]) + 1
        values = now.compute(first, last)
        differs = ~now.published[first:last] | (_bits(values) != _bits(now.rows[first:last])).any(axis=-1)
        session, name = np.nonzero(differs & now.present(first, last) & moved[first:last, None])
        chosen = values[session, name]
        session = session + first
        now.rows[session, name] = chosen
        now.published[session, name] = True
        moment = now.known[session] if only_new else np.full(len(session), cells.known[some[0]])
        # A row without a bar of its own takes its session's clock.
        own = now.seen[session, name]
        event = np.where(own, now.event[session, name], now.event.max(axis=1)[session])
        ingested = np.where(own, now.ingested[session, name], now.ingested.max(axis=1)[session])
        found.append((session, name, event, moment, ingested, chosen))
    return _table(cells, features, found)


def schema(features: tuple[Feature, ...], cells: Cells) -> pa.Schema:
    """Columns of a family's table."""
    instant = pa.timestamp("us", tz="UTC")
    return pa.schema(
        [
            pa.field(ENTITY_KEYS[features[0].entity], pa.string()),
            pa.field("session", bar_array(cells.sessions[:0]).type),
            pa.field("event_time", instant), pa.field("available_at", instant), pa.field("ingested_at", instant),
            *(pa.field(feature.name, pa.float64()) for feature in features),
        ]
    )


def _table(cells: Cells, features: tuple[Feature, ...], found: list[tuple[NDArray[np.generic], ...]]) -> pa.Table:
    wanted = schema(features, cells)
    if not found:
        return wanted.empty_table()
    session, name, event, moment, ingested, values = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((moment, session, name))
    columns = [
        pa.array(np.array(cells.names, dtype=object)[name[order]], pa.string()),
        bar_array(cells.sessions[session[order]]),
        *(pa.array(column[order]).cast(pa.timestamp("us", tz="UTC")) for column in (event, moment, ingested)),
        *(pa.array(values[order, n], from_pandas=True) for n in range(len(features))),  # NaN is null on disk
    ]
    return pa.Table.from_arrays(columns, schema=wanted)
