"""What features read from the marts: one cell an entity and session, every version of it on two clocks."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.inputs import RAW
from pipelines import calendars
from pipelines.store import minutes
from pipelines.store.sources import SOURCES, Source


def read(con: Any, panel: str, sources: Mapping[str, Source] = SOURCES) -> pa.Table:
    """Every version of every cell of a panel, from a connection that has the marts' `<mart>_versions` views."""
    source = sources[panel]
    columns = ", ".join(f"cast({name} as double) as {name}" for name in RAW[panel] if name not in source.fitted)
    rows = source.sql.format(columns=columns)
    cells = con.sql(
        f"select entity, session, withdrawn, event_time, available_at, ingested_at, {columns} from ({rows}) "
        "order by entity, session, available_at"
    ).to_arrow_table()
    return source.fit(cells) if source.fit else cells


@dataclass(frozen=True)
class Cells:
    """The same as arrays; `name` and `session` index the axes, instants are microseconds since 1970 UTC."""

    panel: str
    names: tuple[str, ...]
    sessions: NDArray[np.datetime64]
    name: NDArray[np.intp]
    session: NDArray[np.intp]
    event: NDArray[np.int64]
    known: NDArray[np.int64]
    ingested: NDArray[np.int64]
    withdrawn: NDArray[np.bool_]
    values: dict[str, NDArray[np.float64]]

    def only(self, keep: NDArray[np.bool_]) -> "Cells":
        """These cells; the axes stay."""
        return Cells(
            self.panel, self.names, self.sessions, self.name[keep], self.session[keep], self.event[keep],
            self.known[keep], self.ingested[keep], self.withdrawn[keep],
            {key: column[keep] for key, column in self.values.items()},
        )

    def within(self, wanted: NDArray[np.bool_]) -> "Cells":
        """The cells of these sessions."""
        return self.only(wanted[self.session])


def bars_of(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    """What a column `session` names its rows by: days, or the beginnings of minutes."""
    return column.to_numpy().astype(f"datetime64[{'D' if pa.types.is_date(column.type) else 'm'}]")


def bar_array(bars: NDArray[np.datetime64]) -> pa.Array:
    """The same as a table holds it."""
    if bars.dtype == np.dtype("datetime64[D]"):
        return pa.array(bars, pa.date32())
    return pa.array(bars.astype("datetime64[us]")).cast(pa.timestamp("us", tz="UTC"))


def session_axis(days: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Every session, or every minute of futures' sessions, from the first to the last of these: a look-back counts a
    missed one too."""
    if not len(days):
        return days
    if days.dtype != np.dtype("datetime64[D]"):
        return minutes.axis(days)
    first, last = (np.datetime64(day).astype(dt.date) for day in (days.min(), days.max()))
    return np.union1d(np.array(calendars.sessions(first, last), dtype="datetime64[D]"), days)


def _micros(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()


def from_table(table: pa.Table, panel: str) -> Cells:
    """Arrays of the rows of `read`."""
    days = bars_of(table["session"])
    sessions = session_axis(np.unique(days))
    coded = table["entity"].combine_chunks().dictionary_encode()
    met = np.array(coded.dictionary.to_pylist(), dtype=np.str_)
    order = np.argsort(met)
    name = np.argsort(order)[coded.indices.to_numpy()]
    withdrawn = table["withdrawn"].combine_chunks().to_numpy(zero_copy_only=False).astype(bool)
    return Cells(
        panel, tuple(str(item) for item in met[order]), sessions, name.astype(np.intp), np.searchsorted(sessions, days),
        _micros(table["event_time"]), _micros(table["available_at"]), _micros(table["ingested_at"]),
        withdrawn, {key: np.where(withdrawn, np.nan, table[key].to_numpy()) for key in RAW[panel]},
    )
