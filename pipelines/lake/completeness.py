"""What the calendar says should be in the marts and is not: sessions, names of a session, minutes of a session.

Holidays and the minutes after an early close are no gap, and neither is a halt: a name that did not trade for a while
where others did. Nothing is expected before the first or, of a source that does not go on, after the last session.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from pipelines import calendars
from pipelines.home import Home
from pipelines.literals import text
from pipelines.moments import NEW_YORK
from pipelines.progress import say

STEADY_SESSIONS = 20  # who traded in all of so many sessions is missed in the next
HALT_SESSIONS = 4  # and for so many at most it may be halted, if no other feed saw it trade
FEW_SHARE, FEW_NAMES = 0.02, 3  # more than these at once are no halts
FEWEST_A_MINUTE = 3.0  # with fewer names in a typical minute a silent one says nothing
MOST_NAMED, MOST_TOLD = 5, 20  # in one line, and lines
_DELAY = dt.timedelta(minutes=15)
_WITHIN = "2500MB"  # of memory; what does not fit waits on the home's disk

# Of minutes and trades people collect stretches: what is missing for longer than a week was not asked for.
_WINDOWED, WINDOW_SESSIONS = ("minute_bars", "futures_trades"), 5

# What has a row or more in each session, by what it is about.
_SESSIONS = {
    "daily_bars": "select 'equities' as subject, session from bar_days",
    "minute_bars": "select 'equities' as subject, session from minute_bars",
    "option_quotes": "select underlying as subject, session from option_metrics",
    "index_levels": "select index as subject, session from index_levels",
    "market_statistics": "select 'all products' as subject, session from market_statistics",
    "futures_trades": "select root as subject, session from futures_trades",
}
_MISSED = """
with firsts as (select subject, min(session) as first, max(session) as last from ({told}) group by all)
select f.subject, c.session, c.number
from firsts f join calendar c on c.session > f.first and c.session <= greatest(f.last, coalesce(?, f.last))
anti join (select distinct subject, session from ({told})) t on t.subject = f.subject and t.session = c.session
order by all"""

# Steps from one bar of a name to its next; what is left out between them, while its ticker was listed.
_SILENT = f"""
with bars as (
    select b.instrument_id, c.number, c.number - lag(c.number, {STEADY_SESSIONS - 1}) over w as span,
        coalesce(lead(c.number) over w, (select max(number) + 1 from calendar
            where session <= (select max(session) from bar_days))) as next
    from bar_days b join calendar c using (session)
    window w as (partition by b.instrument_id order by c.number)
), holes as (
    select instrument_id, next - number - 1 as size, unnest(range(number + 1, next)) as number
    from bars where span = {STEADY_SESSIONS - 1} and next > number + 1
), listed as (
    select h.*, c.session, s.symbol
    from holes h join calendar c using (number)
    join symbols s on s.instrument_id = h.instrument_id and s.valid_from <= c.session
        and (s.valid_to is null or c.session < s.valid_to)
    semi join bar_days d on d.session = c.session
), judged as (
    select l.*, m.instrument_id is not null as traded, count(*) over (partition by l.session) as beside,
        (select count(*) from bar_days d where d.session = l.session) as others
    from listed l left join (select distinct instrument_id, session from minute_bars) m
        on m.instrument_id = l.instrument_id and m.session = l.session
)
select session, count(*) as missing, any_value(others) + count(*) as expected,
    list(symbol order by symbol)[:{MOST_NAMED}] as named
from judged
where traded or size > {HALT_SESSIONS} or beside > greatest({FEW_NAMES}, {FEW_SHARE} * (others + beside))
group by session order by session"""

_MINUTES = """
select session, bar_start, count(*) as names from minute_bars group by all order by all"""


@dataclass(frozen=True)
class Gap:
    """One thing that is not there. `subject` is a root, an underlying, an index, or what a whole market is called."""

    mart: str
    subject: str
    session: dt.date
    kind: str  # session, names, minutes
    missing: int
    expected: int
    named: str


def gaps(con: Any, due: dt.date | None) -> list[Gap]:
    """All gaps of the marts behind a connection. `due` is the last session that the source must have told of by now;
    None where it does not go on."""
    # A whole market's newest versions are sought once, not by each question.
    con.execute("create or replace temp table bar_days as select instrument_id, session from daily_bars")
    everything = " union all ".join(_SESSIONS.values())
    ((first, last),) = con.execute(f"select min(session), max(session) from ({everything})").fetchall()
    if first is None:
        return []
    days = calendars.sessions(first, max(last, due or last))
    con.register("calendar", pa.table({"session": pa.array(days, pa.date32()), "number": range(len(days))}))
    try:
        return [*_sessions(con, due), *_names(con), *_minutes(con)]
    finally:
        con.unregister("calendar")


def _sessions(con: Any, due: dt.date | None) -> Iterable[Gap]:
    for mart, told in _SESSIONS.items():
        goes_on = due if mart == "daily_bars" else None
        missed = con.execute(_MISSED.format(told=told), [goes_on]).fetchall()
        for subject, session in _collected(missed) if mart in _WINDOWED else ((row[0], row[1]) for row in missed):
            yield Gap(mart, subject, session, "session", 1, 1, str(session))


def _collected(missed: list[tuple[str, dt.date, int]]) -> Iterable[tuple[str, dt.date]]:
    """Without what lies between two windows that were collected."""
    runs: list[list[tuple[str, dt.date, int]]] = []
    for row in missed:
        follows = runs and runs[-1][-1][0] == row[0] and runs[-1][-1][2] + 1 == row[2]
        runs[-1].append(row) if follows else runs.append([row])
    return [(subject, session) for run in runs for subject, session, _ in run if len(run) <= WINDOW_SESSIONS]


def _names(con: Any) -> Iterable[Gap]:
    for session, missing, expected, named in con.execute(_SILENT).fetchall():
        more = f" and {missing - len(named)} more" if missing > len(named) else ""
        yield Gap("daily_bars", "equities", session, "names", missing, expected, ", ".join(named) + more)


def _minutes(con: Any) -> Iterable[Gap]:
    """Minutes of a session in which nobody has a bar, where somebody has one in a typical minute."""
    told: dict[dt.date, dict[dt.datetime, int]] = {}
    for session, start, names in con.execute(_MINUTES).fetchall():
        told.setdefault(session, {})[start.astimezone(dt.UTC)] = names
    for session, counts in told.items():
        opened, closed = calendars.open_at(session), calendars.close_at(session)
        due = [opened + dt.timedelta(minutes=n) for n in range(int((closed - opened).total_seconds() // 60))]
        typical = sorted(counts.get(start, 0) for start in due)[len(due) // 2]
        usual = sorted(counts.values())[len(counts) // 2]
        silent = [start for start in due if start not in counts]
        if silent and max(typical, usual) >= FEWEST_A_MINUTE:
            yield Gap("minute_bars", "equities", session, "minutes", len(silent), len(due), _spans(silent))


def _spans(starts: list[dt.datetime]) -> str:
    """Runs of minutes, in New York's time: 09:45–10:10."""
    runs: list[list[dt.datetime]] = []
    for start in starts:
        if runs and start - runs[-1][1] == dt.timedelta(minutes=1):
            runs[-1][1] = start
        else:
            runs.append([start, start])
    zone = NEW_YORK
    shown = [f"{begin.astimezone(zone):%H:%M}–{end.astimezone(zone) + dt.timedelta(minutes=1):%H:%M}"
             for begin, end in runs[:MOST_NAMED]]
    return ", ".join(shown) + (f" and {len(runs) - MOST_NAMED} more" if len(runs) > MOST_NAMED else "")


def due_session(source: str, now: dt.datetime) -> dt.date | None:
    """The last session whose bars a source that goes on has told by now; a folder of files need not go on."""
    return None if source.startswith("files:") else calendars.last_closed_session(now - _DELAY)


def told(found: list[Gap]) -> dict[str, Any]:
    """As the report, the check and the doctor read it: how much is missing of each kind, and the newest of it."""
    counts: Counter[str] = Counter()
    for gap in found:
        counts[f"{gap.mart}: {gap.kind}"] += gap.missing
    newest = sorted(found, key=lambda gap: (gap.session, gap.mart, gap.subject), reverse=True)[:MOST_TOLD]
    return {"gaps": len(found), "missing": dict(sorted(counts.items())),
            "newest": [{**asdict(gap), "session": str(gap.session)} for gap in newest]}  # fmt: skip


def of_home(home: Home, source: str, now: dt.datetime) -> dict[str, Any]:
    """What tonight's marts lack."""
    from pipelines.lake import marts

    with marts.connect(home) as con:
        con.execute(f"set memory_limit = '{_WITHIN}'; set temp_directory = {text(home.work / 'spill')}")
        found = told(gaps(con, due_session(source, now)))
    if found["gaps"]:
        missing = ", ".join(f"{count} of {name}" for name, count in found["missing"].items())
        say(f"    missing by the calendar: {missing}")
    return found
