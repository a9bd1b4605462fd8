"""Clocks and presence, row by row: what no rebuilding is needed to see."""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines import calendars
from pipelines.home import Home
from pipelines.lake.schemas import DATASETS
from pipelines.literals import every_batch, text
from pipelines.store import inputs, read
from pipelines.store.cells import bars_of, from_table
from pipelines.store.leak.cells import micros
from pipelines.store.leak.compare import ROW, Finding
from pipelines.store.recipe import USUAL, Recipe, panels_of, views_of

# Per session: when the first of its facts could be known, and between what moments its events lie.
CLOCKS = """
select session, epoch_us(min(available_at)) as known, epoch_us(min(event_time)) as first,
    epoch_us(max(event_time)) as last
from ({facts}) group by 1 order by 1"""
CHICAGO = ZoneInfo("America/Chicago")
PRESENT = ("instrument",)  # entities that may stop trading, of which nothing may then be said


def audit(home: Home, now: dt.datetime, recipe: Recipe = USUAL) -> list[Finding]:
    """Findings of all three audits, each with the first offender."""
    return [*_calendar(home, now), *_clocks(home, now, recipe), *_presence(home, now, recipe)]


def _finding(feature: str, view: str, entity: str, session: object, now: dt.datetime, values: int, detector: str,
             blamed: str) -> Finding:
    return Finding(feature, view, entity, str(session), now.isoformat(), values, detector, blamed)


def _of_facts(home: Home, names: tuple[str, ...]) -> pa.Table:
    import duckdb

    told = " union all ".join(
        f"select {DATASETS[name].dated_by} as session, available_at, event_time "
        f"from read_parquet({text(every_batch(home.facts, name))})" for name in names
    )
    with duckdb.connect(config={"threads": 1}) as con:
        return con.sql(CLOCKS.format(facts=told)).to_arrow_table()


def _calendar(home: Home, now: dt.datetime) -> Iterator[Finding]:
    """A day's bar is an event of that day's close, half days and changes of the clock included."""
    facts = _of_facts(home, ("equity_bars",))
    if not facts.num_rows:
        return
    days = facts["session"].to_pylist()
    _, closes = calendars.opens_and_closes(days[0], days[-1])
    expected = np.array([micros(closes[day]) if day in closes else -1 for day in days])
    first, last = facts["first"].to_numpy(), facts["last"].to_numpy()
    bad = np.flatnonzero((first != expected) | (last != expected) | (facts["known"].to_numpy() < expected))
    if len(bad):
        yield _finding(ROW, "equity_v1", "every name", days[bad[0]], now, len(bad), "clock audit",
                       "equity_bars.event_time is not the close of its session")


def _trade_date_ends(sessions: NDArray[np.datetime64]) -> NDArray[np.int64]:
    ends = [dt.datetime.combine(day, dt.time(17), tzinfo=CHICAGO) for day in sessions.astype(object)]
    return np.array([micros(end) for end in ends], dtype=np.int64)


def _clocks(home: Home, now: dt.datetime, recipe: Recipe) -> Iterator[Finding]:
    """No cell happened at another time than its facts did, and none was known before the first of them."""
    for panel in panels_of(recipe):
        source, cells = recipe.sources[panel], inputs.of_home(home, panel, recipe).cells
        if not source.facts:
            continue
        facts = _of_facts(home, source.facts)
        days = facts["session"].to_numpy().astype("datetime64[D]")
        if not len(days):
            continue
        at = np.minimum(np.searchsorted(days, cells.sessions), len(days) - 1)
        told = days[at] == cells.sessions
        first, last = facts["first"].to_numpy()[at], facts["last"].to_numpy()[at]
        if source.clock == "trade_date":
            first = last = _trade_date_ends(cells.sessions)
        early = (cells.known < facts["known"].to_numpy()[at][cells.session])
        off = (cells.event < first[cells.session]) | (cells.event > last[cells.session])
        for wrong, what in ((early, "known before its facts were"), (off, "of another time than its facts")):
            rows = np.flatnonzero(wrong & told[cells.session])
            if len(rows):
                worst = rows[np.argmin(cells.session[rows])]
                blamed = f"a cell of {'/'.join(source.marts)} is {what} ({', '.join(source.facts)})"
                for view in views_of(recipe, panel):
                    yield _finding(ROW, view, cells.names[cells.name[worst]], cells.sessions[cells.session[worst]],
                                   now, len(rows), "clock audit", blamed)  # fmt: skip


def _presence(home: Home, now: dt.datetime, recipe: Recipe) -> Iterator[Finding]:
    """A name that did not trade has no feature that day: nothing is carried over a halt or a delisting."""
    for panel in panels_of(recipe):
        cells = None
        for view in views_of(recipe, panel):
            features = recipe.families()[view]
            if features[0].entity not in PRESENT:
                continue
            if cells is None:
                known = inputs.of_home(home, panel, recipe)
                cells = from_table(read.newest(known.table, now), panel)
                held = np.zeros((len(cells.sessions) + 1, len(cells.names) + 1), dtype=bool)
                held[cells.session, cells.name] = ~cells.withdrawn
            rows = read.rows_as_of(home, view, now)
            owner = rows.column(0).combine_chunks().dictionary_encode()
            place = {name: at for at, name in enumerate(cells.names)}
            name = np.array([place.get(one, -1) for one in owner.dictionary.to_pylist()], dtype=np.intp)
            days = bars_of(rows["session"])
            at = np.searchsorted(cells.sessions, days)
            at = np.where(np.isin(days, cells.sessions), at, len(cells.sessions))
            absent = ~held[at, name[owner.indices.to_numpy()]]
            for feature in features:
                bad = np.flatnonzero(absent & np.isfinite(rows[feature.name].to_numpy().astype(np.float64)))
                if len(bad):
                    first = bad[np.argmin(days[bad])]
                    yield _finding(feature.name, view, owner[int(first)].as_py(), days[first], now, len(bad),
                                   "presence audit",
                                   f"{'/'.join(recipe.sources[panel].marts)} has no bar of that session")
