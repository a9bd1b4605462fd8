"""Leaks in how cells are read: values, names or clocks of later versions under earlier dates."""

from pipelines.store.sources import EQUITY, FUTURES, OPTIONS
from tests.truth.plants.plant import Plant, of_cells

AT_OPEN = "(session + time '09:30') at time zone 'America/New_York'"
FIRST_KNOWN = "min(available_at) over (partition by instrument_id, session)"


def _equity(change: str, *, where: str = "true") -> str:
    """The usual cells, some columns replaced."""
    return f"select * replace ({change}) from ({EQUITY}) as usual where {where}"


def _newest_under_first(column: str) -> str:
    """Every version says what the last one says."""
    return _equity(f"last_value({column}) over (partition by entity, session order by available_at "
                   f"rows between unbounded preceding and unbounded following) as {column}")  # fmt: skip


OVER_ALL = ("over (partition by entity order by session, available_at "
            "rows between unbounded preceding and unbounded following)")
SURVIVORS = ("select instrument_id from daily_bars_versions group by 1 "
             "having max(session) = (select max(session) from daily_bars_versions)")
LARGEST = ("select instrument_id from daily_bars_versions where session > (select max(session) - 20 from "
           "daily_bars_versions) group by 1 order by avg(close * volume) desc limit 3")
NEXT_DAY = "lead({0}) over (partition by entity order by session, available_at)"


def _stamped(panel_sql: str, **changes: str) -> str:
    told = ", ".join(f"{what} as {column}" for column, what in changes.items())
    return f"select * replace ({told}) from ({panel_sql}) as usual"


def _shifted(panel_sql: str, interval: str, *columns: str) -> str:
    return _stamped(panel_sql, **{column: f"{column} {interval}" for column in columns})


CELL_PLANTS: tuple[Plant, ...] = (
    of_cells("L2", "closes-by-last-factor", "equity", _equity(
        f"close * total_return_factor / last_value(total_return_factor) {OVER_ALL} as close"), "close",
        "splits (through daily_bars.close"),
    of_cells("L2", "split-known-all-along", "equity", _newest_under_first("split_factor"), "volume_split",
             "splits (through daily_bars.split_factor"),
    of_cells("L3", "survivors", "equity", _equity("close as close", where=f"entity in ({SURVIVORS})"), "close",
             "rows of daily_bars"),
    of_cells("L3", "todays-largest", "equity", _equity("close as close", where=f"entity in ({LARGEST})"), "close",
             "rows of daily_bars"),
    of_cells("L3", "never-halted", "equity", _equity("close as close", where="entity in (select instrument_id from "
             "daily_bars_versions group by 1 having count(distinct session) >= 60)"), "close", "rows of daily_bars"),
    of_cells("L3", "rank-by-final-size", "equity", _equity(
        f"volume / last_value(volume) {OVER_ALL} as volume"), "volume", "daily_bars.volume"),
    of_cells("L3", "final-return-dropped", "equity", _equity("close as close", where="session < (select max(session) "
             "from daily_bars_versions as later where later.instrument_id = entity)"), "close", "rows of daily_bars"),
    of_cells("L4", "restated-close", "equity", _newest_under_first("close"), "close",
             "equity_bars (through daily_bars.close"),
    of_cells("L4", "restated-price-level", "equity", _newest_under_first("close * total_return_factor").replace(
        "as close * total_return_factor", "as close"), "close", "equity_bars and splits"),
    of_cells("L4", "restated-factor", "equity", _newest_under_first("total_return_factor"), "close_tr",
             "splits (through daily_bars.total_return_factor"),
    of_cells("L4", "last-version-at-first-date", "equity", f"select * exclude (first) replace (first as available_at) "
             f"from (select *, min(available_at) over (partition by entity, session) as first from ({EQUITY}) as usual "
             "qualify row_number() over (partition by entity, session order by available_at desc) = 1)", "close",
             "through daily_bars"),
    of_cells("L4", "restated-sum-of-volume", "equity", _newest_under_first("close * volume").replace(
        "as close * volume", "as volume"), "volume", "equity_bars"),
    of_cells("L7", "both-clocks-at-the-open", "equity", _stamped(EQUITY, event_time=AT_OPEN, available_at=AT_OPEN),
             "close", "before its facts", "clock audit"),
    of_cells("L7", "event-at-the-open", "equity", _stamped(EQUITY, event_time=AT_OPEN), "close", "of another time"),
    of_cells("L7", "known-at-the-open", "equity", _stamped(EQUITY, available_at=AT_OPEN), "close", "before its facts"),
    of_cells("L7", "known-at-the-close", "equity", _stamped(EQUITY, available_at="event_time"), "close",
             "before its facts"),
    of_cells("L7", "bars-of-the-next-session", "equity", _equity(
        f"{NEXT_DAY.format('close')} as close, {NEXT_DAY.format('volume')} as volume"), "close",
        "equity_bars (through daily_bars.close"),
    of_cells("L8", "known-at-four", "options", _stamped(
        OPTIONS, available_at="(session + time '16:00') at time zone 'America/New_York'"), "iv30", "before its facts"),
    of_cells("L8", "known-at-midnight", "options", _stamped(
        OPTIONS, available_at="(session + time '00:00') at time zone 'America/New_York'"), "iv30", "before its facts"),
    of_cells("L8", "both-clocks-at-four", "options", _stamped(
        OPTIONS, available_at="(session + time '16:00') at time zone 'America/New_York'",
        event_time="(session + time '16:00') at time zone 'America/New_York'"), "iv30", "of another time"),
    of_cells("L8", "next-morning-same-day", "options", _stamped(OPTIONS, put_call_ratio=(
        "lead(put_call_ratio) over (partition by entity order by session)")), "put_call_ratio",
        "(through option_metrics.put_call_ratio"),
    of_cells("L8", "known-an-hour-early", "options", _shifted(OPTIONS, "- interval 1 hour", "available_at"), "iv30",
             "before its facts"),
    of_cells("L9", "local-as-utc", "equity", _shifted(EQUITY, "- interval 4 hours", "event_time", "available_at"),
             "close", "before its facts", "clock audit"),
    of_cells("L9", "an-hour-of-summer", "equity", _shifted(EQUITY, "+ interval 1 hour", "event_time"), "close",
             "of another time", "clock audit"),
    of_cells("L9", "options-an-hour-off", "options", _shifted(OPTIONS, "- interval 1 hour", "event_time"), "iv30",
             "of another time", "clock audit"),
    of_cells("L9", "new-york-for-chicago", "futures", _shifted(FUTURES, "- interval 1 hour", "event_time",
             "available_at"), "poc", "", "clock audit"),
    of_cells("L9", "day-of-utc", "equity", _shifted(EQUITY, "- interval 1 day", "session"), "close", "",),
)
