"""What was believed of tickers and when: each interval told as knowledge grew, for a whole market."""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from models.market.symbols import LIFE_GAP_DAYS, NEW_YORK, BarDay, Event, Family, Listing, Span, intervals

_INSTANT = pa.timestamp("us", tz="UTC")

SCHEMA = pa.schema([
    ("instrument_id", pa.string()), ("symbol", pa.string()), ("valid_from", pa.date32()), ("valid_to", pa.date32()),
    ("withdrawn", pa.bool_()), ("event_time", _INSTANT), ("available_at", _INSTANT), ("ingested_at", _INSTANT),
])  # fmt: skip


def _moments(family: Family) -> dict[dt.datetime, dt.datetime]:
    """When belief may change, each with the ingestion of what changed it."""
    references: list[Listing | Event] = [*family.listings, *family.events]
    facts = [(fact.available_at, fact.ingested_at) for fact in references]
    ingested = max((at for _, at in facts), default=None)
    moments = dict(sorted(facts))
    reference = sorted(moments)
    for bars in family.bars.values():
        newest: dt.date | None = None
        changes_seen = 0
        for available_at, session in sorted(bars):
            broken = newest is None or session < newest or (session - newest).days > LIFE_GAP_DAYS
            # The first bar after each change of the reference may be one that nobody holds.
            changes = bisect_right(reference, available_at)
            if broken or changes > changes_seen:
                moments.setdefault(available_at, ingested or available_at)
            newest = session if newest is None else max(newest, session)
            changes_seen = changes
    return moments


def family_versions(family: Family) -> list[dict[str, object]]:
    """Rows told as knowledge grew; an interval that turned out to be another's is withdrawn."""
    rows: list[dict[str, object]] = []
    believed: dict[tuple[str, dt.date], Span] = {}
    moments = _moments(family)
    for moment in sorted(moments):
        now = {(span.instrument_id, span.start): span for span in intervals(family, moment)}
        changes = [(span, False) for key, span in now.items() if believed.get(key) != span]
        changes += [(span, True) for key, span in believed.items() if key not in now]
        for span, withdrawn in changes:
            began = dt.datetime.combine(span.start, dt.time(), tzinfo=NEW_YORK)
            rows.append({
                "instrument_id": span.instrument_id, "symbol": span.symbol, "valid_from": span.start,
                "valid_to": span.end, "withdrawn": withdrawn, "event_time": began, "available_at": moment,
                "ingested_at": moments[moment],
            })  # fmt: skip
        believed = now
    return rows


def families(listings: Iterable[Listing], events: Iterable[Event], bars: dict[str, list[BarDay]]) -> list[Family]:
    """Split the market into groups whose intervals can be settled apart."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    listings, events = list(listings), list(events)
    facts: list[Listing | Event] = [*listings, *events]
    for fact in facts:
        parent[root(f"id {fact.instrument_id}")] = root(f"symbol {fact.symbol}")
    groups: dict[str, Family] = defaultdict(Family)
    for entry in listings:
        groups[root(f"symbol {entry.symbol}")].listings.append(entry)
    for event in events:
        groups[root(f"symbol {event.symbol}")].events.append(event)
    for symbol, days in bars.items():
        groups[root(f"symbol {symbol}")].bars[symbol] = days
    return list(groups.values())


def _shared(table: pa.Table, column: str) -> Iterator[Any]:
    """A column's values as Python's own, each made once: millions of bars have thousands of days."""
    for chunk in table.column(column).chunks:
        coded = chunk.dictionary_encode()
        values = coded.dictionary.to_pylist()
        yield from (values[place] for place in coded.indices.to_pylist())


def symbol_versions(listings: pa.Table, events: pa.Table, bars: pa.Table) -> pa.Table:
    """All versions of all intervals, from the listed, the events and the days on which each ticker had a bar."""
    days: dict[str, list[BarDay]] = defaultdict(list)
    known = zip(_shared(bars, "available_at"), _shared(bars, "session"), strict=True)
    for symbol, day in zip(_shared(bars, "symbol"), known, strict=True):
        days[symbol].append(day)
    listed = [
        Listing(r["instrument_id"], r["symbol"], r["delisted_on"], r["available_at"], r["ingested_at"])
        for r in listings.to_pylist()
    ]
    changed = [
        Event(r["instrument_id"], r["symbol"], r["event_date"], r["available_at"], r["ingested_at"])
        for r in events.to_pylist()
    ]
    rows = [row for family in families(listed, changed, dict(days)) for row in family_versions(family)]
    return pa.Table.from_pylist(rows, schema=SCHEMA).sort_by(
        [("instrument_id", "ascending"), ("valid_from", "ascending"), ("available_at", "ascending")]
    )
