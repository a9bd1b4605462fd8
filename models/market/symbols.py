"""Permanent ids over changing tickers: who went by which ticker from when to when, as far as was known at one moment.

`valid_from` is inclusive, `valid_to` exclusive and null while current. Intervals of one ticker never overlap.
"""

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
LIFE_GAP_DAYS = 30  # an unlisted ticker that was silent for longer starts a new life
CHANGE_WITHIN = dt.timedelta(days=7)  # a change is told for a day near the session that shows it, even a Saturday
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Listing:
    """One entry of the vendor's list, as told at one moment."""

    instrument_id: str
    symbol: str
    delisted_on: dt.date | None
    available_at: dt.datetime
    ingested_at: dt.datetime


@dataclass(frozen=True)
class Event:
    """From `event_date` on the company went by `symbol`."""

    instrument_id: str
    symbol: str
    event_date: dt.date
    available_at: dt.datetime
    ingested_at: dt.datetime


# A ticker had a bar: when it was known, and of which session. There are millions: plain tuples sort as they stand, and
# Python's collector leaves them alone.
BarDay = tuple[dt.datetime, dt.date]


@dataclass
class Span:
    """An interval being worked out; `instrument_id` owns `symbol` from `start` up to and without `end`."""

    instrument_id: str
    symbol: str
    start: dt.date
    end: dt.date | None = None

    def covers(self, day: dt.date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


@dataclass
class Family:
    """Instruments and tickers that touch each other: all that must be known to settle their intervals."""

    listings: list[Listing] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    bars: dict[str, list[BarDay]] = field(default_factory=dict)


def intervals(family: Family, known_at: dt.datetime) -> list[Span]:
    """The intervals as believed at one moment."""
    listings: dict[tuple[str, str], Listing] = {}
    for entry in sorted(family.listings, key=lambda e: e.available_at):
        if entry.available_at <= known_at:
            listings[entry.instrument_id, entry.symbol] = entry
    events = sorted({(e.instrument_id, e.event_date, e.symbol) for e in family.events if e.available_at <= known_at})
    known = {symbol: sorted(session for available_at, session in bars if available_at <= known_at)
             for symbol, bars in family.bars.items()}  # fmt: skip
    spans = _dated(events, listings)
    _move_to_bars(spans, known)
    dated_ids = {span.instrument_id for span in spans}
    undated = sorted(
        (entry for entry in listings.values() if entry.instrument_id not in dated_ids),
        key=lambda e: (e.delisted_on is None, e.delisted_on or dt.date.max, e.instrument_id),
    )
    listed_too = sorted(
        (entry for entry in listings.values() if entry.instrument_id in dated_ids and entry.delisted_on is None),
        key=lambda e: e.instrument_id,
    )
    for symbol, days in sorted(known.items()):
        for entry in undated:
            if entry.symbol == symbol:
                spans += _first_uncovered(entry, days, spans)
        for entry in listed_too:
            if entry.symbol == symbol:
                _believe_list(entry, known, spans)
        spans += _unlisted(symbol, [day for day in days if not _holder(spans, symbol, day)], spans)
    return spans


def _believe_list(entry: Listing, known: Mapping[str, Sequence[dt.date]], spans: list[Span]) -> None:
    """A company whose list names a ticker that its events do not know, or say it gave up: where bars show that ticker
    and none the one that it should have had by then, the list is believed."""
    for found in _first_uncovered(entry, known[entry.symbol], spans):
        own = [span for span in spans if span.instrument_id == entry.instrument_id]
        instead = [span for span in own if span.covers(found.start)]
        for span in instead:
            days = known.get(span.symbol, ())
            until = min(span.end or dt.date.max, found.start + dt.timedelta(LIFE_GAP_DAYS))
            if bisect_left(days, found.start) < bisect_left(days, until):
                return
        later = min((span.start for span in own if span.start > found.start), default=None)
        found.end = min((day for day in (found.end, later) if day), default=None)
        for span in instead:
            span.end = found.start
            if span.start == found.start:  # a change that never was
                spans.remove(span)
        before = [span for span in own if span.symbol == entry.symbol and span.end == found.start]
        if before:
            before[0].end = found.end
        else:
            spans.append(found)


def _dated(events: Iterable[tuple[str, dt.date, str]], listings: dict[tuple[str, str], Listing]) -> list[Span]:
    """Chains of ticker events; a company's last ticker ends with the company, and anyone's with the next holder. One
    that was delisted and came back was nowhere in between."""
    chains: dict[str, list[Span]] = defaultdict(list)
    for instrument_id, day, symbol in events:
        chain = chains[instrument_id]
        if chain:
            gone = listings.get((instrument_id, chain[-1].symbol))
            died = gone.delisted_on if gone else None
            returned = died is not None and chain[-1].start <= died < day - CHANGE_WITHIN
            if chain[-1].symbol == symbol and not returned:
                continue
            chain[-1].end = died + _DAY if died and returned else day
        chain.append(Span(instrument_id, symbol, day))
    for chain in chains.values():
        last = chain[-1]
        entry = listings.get((last.instrument_id, last.symbol))
        if entry and entry.delisted_on and entry.delisted_on >= last.start:
            last.end = entry.delisted_on + _DAY
    by_symbol: dict[str, list[Span]] = defaultdict(list)
    for chain in chains.values():
        for span in chain:
            by_symbol[span.symbol].append(span)
    for holders in by_symbol.values():
        holders.sort(key=lambda span: (span.start, span.instrument_id))
        for span, successor in zip(holders, holders[1:], strict=False):
            span.end = successor.start if span.end is None else min(span.end, successor.start)
    return [span for chain in chains.values() for span in chain if span.end is None or span.start < span.end]


def _move_to_bars(spans: list[Span], known: Mapping[str, Sequence[dt.date]]) -> None:
    """Where the bars change tickers some days from the day that was told, the bars are believed; until they do, and the
    old ticker still trades, nothing has changed."""
    last: Span | None = None
    for new in sorted(spans, key=lambda span: (span.instrument_id, span.start)):
        told = new.start
        old, last = last, new
        if old is None or old.instrument_id != new.instrument_id or old.end != told:
            continue
        others = [span for span in spans if span is not new and span is not old]

        def own(symbol: str, first: dt.date, end: dt.date, others: Sequence[Span] = others) -> list[dt.date]:
            days = known.get(symbol, ())
            within = days[bisect_left(days, first) : bisect_left(days, end)]
            return [day for day in within if not _holder(others, symbol, day)]

        fresh = own(new.symbol, told - CHANGE_WITHIN, told + CHANGE_WITHIN)
        if not fresh and own(old.symbol, told, told + CHANGE_WITHIN):
            old.end, last = new.end, old
            spans.remove(new)
            continue
        shown = next(iter(fresh), told)
        overlap = own(old.symbol, min(shown, told), max(shown, told))
        # Earlier, if the old ticker was silent by then; later, if it still had bars.
        if old.start < shown and (not overlap if shown < told else bool(overlap)):
            old.end = new.start = shown


def _holder(spans: Sequence[Span], symbol: str, day: dt.date) -> bool:
    return any(span.symbol == symbol and span.covers(day) for span in spans)


def _next_start(spans: Sequence[Span], symbol: str, after: dt.date) -> dt.date | None:
    return min((span.start for span in spans if span.symbol == symbol and span.start > after), default=None)


def _first_uncovered(entry: Listing, days: Sequence[dt.date], spans: Sequence[Span]) -> list[Span]:
    """A listing that says no first day starts with the first bar that nobody else holds."""
    end = entry.delisted_on + _DAY if entry.delisted_on else None
    for day in days:
        if (end is None or day < end) and not _holder(spans, entry.symbol, day):
            stop = _next_start(spans, entry.symbol, day)
            ends = [limit for limit in (end, stop) if limit is not None]
            return [Span(entry.instrument_id, entry.symbol, day, min(ends, default=None))]
    return []


def _unlisted(symbol: str, days: Sequence[dt.date], spans: Sequence[Span]) -> list[Span]:
    """Bars of a ticker that no reference explains: one id for each unbroken life."""
    lives: list[list[dt.date]] = []
    for day in days:
        taken_over = lives and _next_start(spans, symbol, lives[-1][-1])
        if not lives or (day - lives[-1][-1]).days > LIFE_GAP_DAYS or (taken_over and taken_over <= day):
            lives.append([])
        lives[-1].append(day)
    found = []
    for number, life in enumerate(lives):
        stop = _next_start(spans, symbol, life[-1])
        if number + 1 < len(lives):
            stop = min(stop or dt.date.max, life[-1] + _DAY)
        found.append(Span(f"TICKER:{symbol}:{life[0].isoformat()}", symbol, life[0], stop))
    return found
