"""The marts as a reader sees them: one row a grain, the newest version known at a moment."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from pipelines.literals import instant, one_file, text

if TYPE_CHECKING:
    import duckdb

# What one row of a mart is about. With `available_at` it is the key of a version.
GRAINS: dict[str, tuple[str, ...]] = {
    "instruments": ("instrument_id",),
    "symbols": ("instrument_id", "valid_from"),
    "corporate_actions": ("instrument_id", "ex_date", "kind"),
    "daily_bars": ("instrument_id", "session"),
    "universe": ("session", "instrument_id"),
    "borrow_list": ("name", "valid_from"),
    "minute_bars": ("instrument_id", "bar_start"),
    "index_levels": ("index", "session"),
    "option_quotes": ("snapshot", "contract"),
    "option_metrics": ("underlying", "session"),
    "market_statistics": ("session", "product"),
    "futures_trades": ("symbol", "ts_event", "sequence", "print_no"),
    "futures_bars": ("symbol", "bar_start"),
    "roll_calendar": ("root", "rule", "session"),
    "continuous_bars": ("root", "rule", "bar_start"),
    "volume_profile": ("symbol", "session"),
    "order_flow": ("symbol", "bar_start"),
    "session_tape": ("symbol", "session"),
    "quarantine": ("path", "body_sha256", "row_index", "reason"),
}

# Backward-adjusted bars for a stated moment. An action counts from midnight of its ex-date, whether or not the bar of
# that day is out; what adjusts is each bar's forward factor over the factor of that moment.
_ADJUSTED_BARS = """
create macro adjusted_bars(as_of) as table
with bars as (
    select * from daily_bars_versions
    where available_at <= as_of
    qualify row_number() over (partition by instrument_id, session order by available_at desc) = 1
),
held as (select * from bars where not withdrawn),
last_bars as (
    select instrument_id, max(session) as session, arg_max(split_factor, session) as split_factor,
        arg_max(total_return_factor, session) as total_return_factor
    from held group by instrument_id
),
actions as (
    select * from corporate_actions_versions
    where available_at <= as_of
    qualify row_number() over (partition by instrument_id, ex_date, kind order by available_at desc) = 1
),
pending as (
    select b.instrument_id,
        list_reduce(list(a.multiplier order by a.ex_date, a.kind), lambda f, x: f * x) as total_return_step,
        list_reduce(list(a.multiplier order by a.ex_date, a.kind) filter (a.kind = 'split'), lambda f, x: f * x)
            as split_step
    from last_bars as b join actions as a on a.instrument_id = b.instrument_id and a.ex_date > b.session
    where not a.withdrawn
    group by b.instrument_id
),
today as (
    select b.instrument_id,
        b.split_factor * coalesce(p.split_step, 1.0) as split_factor,
        b.total_return_factor * coalesce(p.total_return_step, 1.0) as total_return_factor
    from last_bars as b left join pending as p using (instrument_id)
)
select h.instrument_id, h.session, h.symbol,
    h.open * h.total_return_factor / t.total_return_factor as open,
    h.high * h.total_return_factor / t.total_return_factor as high,
    h.low * h.total_return_factor / t.total_return_factor as low,
    h.close * h.total_return_factor / t.total_return_factor as close,
    h.volume * t.split_factor / h.split_factor as volume,
    h.total_return_factor / t.total_return_factor as adjustment_factor,
    h.event_time, h.available_at
from held as h join today as t using (instrument_id)
"""


def attach(connection: "duckdb.DuckDBPyConnection", folder: Path, as_of: dt.datetime | None) -> None:
    """Views of every mart of one generation; without a moment the newest version of everything. A folder built for a
    part of them has views of that part."""
    there = {mart for mart in GRAINS if (folder / f"{mart}.parquet").exists()}
    for mart, grain in GRAINS.items():
        if mart not in there:
            continue
        file = text(one_file(folder / f"{mart}.parquet"))
        connection.execute(f"create view {mart}_versions as select * from read_parquet({file})")
        known = f"where available_at <= {instant(as_of)}" if as_of else ""
        newest = (
            f"select * from {mart}_versions {known} "
            f"qualify row_number() over (partition by {', '.join(grain)} order by available_at desc) = 1"
        )
        if "withdrawn" in pq.read_schema(folder / f"{mart}.parquet").names:  # by its newest version
            newest = f"select * exclude (withdrawn) from ({newest}) where not withdrawn"
        connection.execute(f"create view {mart} as {newest}")
    if {"daily_bars", "corporate_actions"} <= there:
        connection.execute(_ADJUSTED_BARS)


def open_folder(folder: Path, as_of: dt.datetime | None = None) -> "duckdb.DuckDBPyConnection":
    """An in-memory connection that reads one generation."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    attach(connection, folder, as_of)
    return connection
