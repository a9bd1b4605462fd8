"""Each panel of cells as the store reads it: the marts it is made of, and one row a version of an entity's session."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from models.features.inputs import FITTED
from pipelines.store.derivative_sources import AUCTION, POSITIONING, SENTIMENT, TAPE

# A bar that turns out to be another instrument's is withdrawn from the one that had it.
EQUITY = """
select instrument_id as entity, session, withdrawn, event_time, available_at, ingested_at, {columns}
from daily_bars_versions
qualify row_number() over (partition by instrument_id, session, available_at order by withdrawn) = 1"""

# The week is that of the session, counted from Mondays.
GRAPH = """
select instrument_id as entity, session, withdrawn, event_time, available_at, ingested_at,
    cast(close as double) * cast(total_return_factor as double) as close_tr,
    cast(date_diff('week', date '1970-01-05', session) as double) as week
from daily_bars_versions
qualify row_number() over (partition by instrument_id, session, available_at order by withdrawn) = 1"""

# A name's row of the calendar stands and falls with its bar; what a later version of the bar says does not matter here.
CALENDAR = """
select instrument_id as entity, session, withdrawn, event_time, available_at, ingested_at,
    cast(session - date '1970-01-01' as double) as session_day
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


@dataclass(frozen=True)
class Source:
    """`sql` gives entity, session, withdrawn, event_time, available_at, ingested_at and the raw columns of
    models/features/inputs.py, where `{columns}` stands for these, cast to doubles. `facts` are the datasets that a
    session's cell is made of: the leak gate audits that it is not known before them, and that it happened when they
    did, or at the end of a trade date (17:00 in Chicago) where `clock` says so."""

    marts: tuple[str, ...]
    sql: str
    facts: tuple[str, ...] = ()
    clock: Literal["facts", "trade_date"] = "facts"
    fitted: tuple[str, ...] = ()  # columns that `fit` adds to the rows of `sql`, from what each could know
    fit: Callable[[pa.Table], pa.Table] | None = None


def _garch(cells: pa.Table) -> pa.Table:
    from pipelines.store.fits import with_garch

    return with_garch(cells)


SOURCES = {
    "equity": Source(("daily_bars",), EQUITY, ("equity_bars",)),
    "calendar": Source(("daily_bars",), CALENDAR, ("equity_bars",)),
    "garch": Source(("daily_bars",), EQUITY, ("equity_bars",), fitted=FITTED, fit=_garch),
    "graph": Source(("daily_bars",), GRAPH, ("equity_bars",)),
    "options": Source(("option_metrics",), OPTIONS, ("option_chain", "option_snapshots")),
    "futures": Source(("volume_profile", "order_flow", "futures_bars"), FUTURES, ("futures_trades",), "trade_date"),
    "positioning": Source(("option_metrics",), POSITIONING, ("option_chain", "option_snapshots")),
    "sentiment": Source(("index_levels", "market_statistics"), SENTIMENT, ("index_levels", "market_statistics")),
    "auction": Source(("volume_profile", "session_tape"), AUCTION, ("futures_trades",), "trade_date"),
    "tape": Source(("order_flow", "futures_bars"), TAPE),
}
