"""What each feature family reads from the marts: one cell an entity and session, every version of it on two clocks."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.inputs import RAW
from pipelines import calendars

# A bar that turns out to be another instrument's is withdrawn from the one that had it.
EQUITY = """
select instrument_id as entity, session, withdrawn, event_time, available_at, ingested_at, {columns}
from daily_bars_versions
qualify row_number() over (partition by instrument_id, session, available_at order by withdrawn) = 1"""

OPTIONS = """
select underlying as entity, session, false as withdrawn, event_time, available_at, ingested_at, {columns}
from option_metrics_versions"""

# A session's cell exists once its profile does; each later version of any of its minutes makes a version of the cell.
FUTURES = """
with profile as (select * from volume_profile_versions),
minute as (
    select symbol, root, session, bar_start, available_at, cast(delta as bigint) as delta, null::double as close
    from order_flow_versions
    union all
    select symbol, root, session, bar_start, available_at, null, cast(close as double) from futures_bars_versions
),
complete as (select root, session, min(available_at) as since from profile group by all),
moment as (
    select distinct root, session, greatest(available_at, since) as known
    from (select root, session, available_at from profile union all select root, session, available_at from minute)
    join complete using (root, session)
),
profile_then as (
    select m.root, m.session, m.known, p.symbol, arg_max(p.poc, p.available_at) as poc,
        arg_max(p.total_volume, p.available_at) as total_volume, max(p.event_time) as event_time,
        max(p.ingested_at) as ingested_at
    from moment m join profile p on p.root = m.root and p.session = m.session and p.available_at <= m.known
    group by all
),
front as (
    select * from profile_then
    qualify row_number() over (partition by root, session, known order by total_volume desc, symbol) = 1
),
minute_then as (
    select f.root, f.session, f.known, n.bar_start,
        arg_max(n.delta, n.available_at) filter (n.delta is not null) as delta,
        arg_max(n.close, n.available_at) filter (n.close is not null) as close
    from front f join minute n on n.symbol = f.symbol and n.session = f.session and n.available_at <= f.known
    group by all
),
day as (
    select root, session, known, sum(delta) as delta,
        arg_max(close, bar_start) filter (close is not null) as last_price
    from minute_then group by all
)
select f.root as entity, f.session, false as withdrawn, f.event_time, f.known as available_at, f.ingested_at,
    cast(d.last_price as double) as last_price, cast(f.poc as double) as poc, cast(d.delta as double) as delta,
    cast(f.total_volume as double) as total_volume
from front f left join day d using (root, session, known)"""

SQL = {"equity": EQUITY, "options": OPTIONS, "futures": FUTURES}


def read(con: Any, family: str) -> pa.Table:
    """Every version of every cell of a family, from a connection that has the marts' `<mart>_versions` views."""
    columns = ", ".join(f"cast({name} as double) as {name}" for name in RAW[family])
    return con.sql(SQL[family].format(columns=columns) + " order by entity, session, available_at").to_arrow_table()


@dataclass(frozen=True)
class Cells:
    """The same as arrays; `name` and `session` index the axes, instants are microseconds since 1970 UTC."""

    family: str
    names: tuple[str, ...]
    sessions: NDArray[np.datetime64]
    name: NDArray[np.intp]
    session: NDArray[np.intp]
    event: NDArray[np.int64]
    known: NDArray[np.int64]
    ingested: NDArray[np.int64]
    withdrawn: NDArray[np.bool_]
    values: dict[str, NDArray[np.float64]]

    def within(self, wanted: NDArray[np.bool_]) -> "Cells":
        """Only the cells of these sessions; the axes stay."""
        keep = wanted[self.session]
        return Cells(
            self.family, self.names, self.sessions, self.name[keep], self.session[keep], self.event[keep],
            self.known[keep], self.ingested[keep], self.withdrawn[keep],
            {key: column[keep] for key, column in self.values.items()},
        )


def session_axis(days: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Every exchange session from the first to the last of these days: a look-back counts a missed session too."""
    if not len(days):
        return days
    first, last = (np.datetime64(day).astype(dt.date) for day in (days.min(), days.max()))
    return np.union1d(np.array(calendars.sessions(first, last), dtype="datetime64[D]"), days)


def _micros(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()


def from_table(table: pa.Table, family: str) -> Cells:
    """Arrays of the rows of `read`."""
    days = table["session"].to_numpy().astype("datetime64[D]")
    sessions = session_axis(np.unique(days))
    names, name = np.unique(np.array(table["entity"].to_pylist(), dtype=np.str_), return_inverse=True)
    withdrawn = table["withdrawn"].combine_chunks().to_numpy(zero_copy_only=False).astype(bool)
    return Cells(
        family, tuple(str(item) for item in names), sessions, name.astype(np.intp), np.searchsorted(sessions, days),
        _micros(table["event_time"]), _micros(table["available_at"]), _micros(table["ingested_at"]),
        withdrawn, {key: np.where(withdrawn, np.nan, table[key].to_numpy()) for key in RAW[family]},
    )
