"""Records coming sandbox sessions as a tape for live: the vendor's minute aggregates, through the vendor's parser."""

import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import calendars, durable
from pipelines.home import Home
from pipelines.progress import say
from pipelines.settings import Settings

if TYPE_CHECKING:
    from live.replay import Action
    from pipelines.sandbox import Market
    from pipelines.vendors.http import HttpTransport
    from pipelines.vendors.parsing import Parser

DECIDED_BEFORE_OPEN = dt.timedelta(minutes=30)
LATE_ACTION_DAYS = 30  # how far back an action may turn up late and still be told to the runner


class NoComingSession(ValueError):
    """There is no session to record."""


def record_tape(settings: Settings, home: Home, now: dt.datetime, sessions: int = 1) -> Path:
    """Record the next `sessions` sessions after `now`; the same night records the same bytes."""
    from pipelines import sandbox
    from pipelines.lake import marts

    if settings.source != "sandbox":
        raise NoComingSession(f"source {settings.source} has no coming session: give live --feed replay:TAPE.parquet")
    market = sandbox.generate(settings)
    first = market.latest(now) + 1
    coming = market.sessions[first : first + sessions]
    if len(coming) < sessions:
        raise NoComingSession(f"the sandbox ends with session {market.sessions[-1]}: of the {sessions} asked for "
                              f"{len(coming)} are left")
    with marts.connect(home) as connection:
        rows = connection.execute("select symbol, instrument_id, valid_from, valid_to from symbols").fetchall()
    span = [day.isoformat() for day in (coming[0], coming[-1])]
    path = home.journal / "tapes" / f"{'_'.join(sorted(set(span)))}.parquet"
    durable.write_atomic(path, record(market, coming, rows), failpoint="tape")
    return path


SymbolRow = tuple[str, str, dt.date, dt.date | None]  # symbol, instrument_id, valid_from, valid_to (exclusive)


def record(market: "Market", coming: Sequence[dt.date], symbols: Sequence[SymbolRow]) -> bytes:
    """A tape's Parquet bytes: bars of every symbol in force, and what was known of actions when each was decided."""
    from live.replay import tape_schema
    from pipelines import sandbox
    from pipelines.vendors.http import Hosts, HttpTransport

    bars, actions = [], {}
    decided = [calendars.open_at(session) - DECIDED_BEFORE_OPEN for session in coming]
    with sandbox.serve(market, decided[0], feed=True) as served:
        hosts = Hosts(served.polygon, served.cboe, served.databento, served.key, served.key)
        with HttpTransport(hosts) as transport:
            for session, moment in zip(coming, decided, strict=True):
                served.now = moment
                ids = _in_force(symbols, session)
                bars.append(_bars(transport, session, ids))
                actions[session] = _actions(transport, session, symbols)
    tape = pa.concat_tables(bars).sort_by([("bar_start", "ascending"), ("instrument_id", "ascending")])
    kind = tape_schema(actions)
    sink = io.BytesIO()
    pq.write_table(tape.select(kind.names).cast(kind), sink, compression="zstd")
    return sink.getvalue()


def _in_force(symbols: Sequence[SymbolRow], day: dt.date) -> dict[str, str]:
    """Which instrument each equity symbol means on a day."""
    return {symbol: instrument for symbol, instrument, begins, ends in symbols
            if begins <= day and (ends is None or day < ends) and not instrument.startswith("CME:")}


def _bars(transport: "HttpTransport", session: dt.date, ids: Mapping[str, str]) -> pa.Table:
    from pipelines.vendors.http import Ask
    from pipelines.vendors.polygon import minute_aggs

    asks = []
    for symbol in sorted(ids):
        inner = f"v2/aggs/ticker/{quote(symbol, safe='')}/range/1/minute/{session}/{session}"
        asks.append(Ask("polygon", f"polygon/rest/{inner}.json", f"/{inner}?adjusted=false&sort=asc&limit=50000"))
    tables, refused = [], 0
    for answer in transport.ask_all(asks):
        if answer.body is not None:
            table, rejects = minute_aggs(answer.body, answer.ask.path)
            refused += len(rejects)
            named = pa.array([ids[symbol] for symbol in table["ticker"].to_pylist()], pa.string())
            tables.append(table.append_column("instrument_id", named).rename_columns({"ticker": "symbol"}))
    if refused:
        say(f"    {refused} rows of the feed were refused by the parser and are not on the tape")
    return pa.concat_tables(tables)


def _actions(transport: "HttpTransport", session: dt.date, symbols: Sequence[SymbolRow]) -> list["Action"]:
    """Splits and dividends that take effect by this session, as the vendor tells them before its open."""
    from live.replay import Action
    from pipelines.vendors import polygon_reference

    since = session - dt.timedelta(days=LATE_ACTION_DAYS)
    found = []
    for row in _listed(transport, "splits", "execution_date", since, session, polygon_reference.splits):
        instrument = _in_force(symbols, row["ex_date"]).get(row["ticker"])
        if instrument is not None:
            found.append(Action(instrument, row["ex_date"], "split", row["split_to"] / row["split_from"]))
    for row in _listed(transport, "dividends", "ex_dividend_date", since, session, polygon_reference.dividends):
        instrument = _in_force(symbols, row["ex_date"]).get(row["ticker"])
        if instrument is not None and row["cash_amount"] > 0:
            found.append(Action(instrument, row["ex_date"], "dividend", row["cash_amount"]))
    return sorted(found)


def _listed(
    transport: "HttpTransport", what: str, date: str, first: dt.date, last: dt.date, parse: "Parser"
) -> Iterator[dict[str, Any]]:
    """All rows of a paged list whose date lies in first … last."""
    from pipelines.vendors.http import Ask
    from pipelines.vendors.paging import Followed, next_url

    first_page = f"/stocks/v1/{what}?{date}.gte={first}&{date}.lte={last}&limit=1000"
    target: str | None = first_page
    followed = Followed(f"stocks/v1/{what}", first_page)
    while target is not None:
        answer = transport.ask(Ask("polygon", f"polygon/rest/stocks/v1/{what}/live.json", target))
        if answer.body is None:
            return
        table, _ = parse(answer.body, answer.ask.path)
        yield from table.to_pylist()
        target = followed.on(transport.next_target(next_url(answer.body)))
