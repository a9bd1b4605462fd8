"""CME trades as Databento delivers them, as such or as the trades among a book's updates."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa

from models.market.contracts import MONTHS, OUTRIGHT
from pipelines.vendors import dbn, times
from pipelines.vendors.contents import TEXT_LIMIT
from pipelines.vendors.parsing import Parsed, Reject, Rows, parser

_RECORD = np.dtype([
    ("length", "u1"), ("rtype", "u1"), ("publisher", "<u2"), ("instrument", "<u4"), ("ts_event", "<u8"),
    ("price", "<i8"), ("size", "<u4"), ("action", "S1"), ("side", "S1"), ("flags", "u1"), ("depth", "u1"),
    ("ts_recv", "<u8"), ("ts_in_delta", "<i4"), ("sequence", "<u4"),
])  # fmt: skip
# Kinds of record that tell of a print, the most trusted first: a stream of several may tell the same one in each.
_TRADE, _MBP_1, _MBP_10, _MBO = 0, 1, 10, 160
_ACTION_AT = 28  # byte of the letter that says what happened; T is a trade, F the other side of one
_MAYBE_BAD_BOOK, _BAD_TS_RECV = 4, 8  # bits of a record's flags
_NOT_RAW = re.compile(r"\d+|.+\.[cnv]\.\d+")
_SEVEN_HOURS = 7 * times.HOUR  # 17:00 in Chicago becomes midnight, when the next trade date begins


def _prints(stream: dbn.Stream) -> tuple[np.ndarray, dbn.Places, list[Reject]]:
    """Every trade of the stream, where it stands there, and records that are none of their kind. A book's updates say
    the same of a trade as a trade's own record does, and the book behind it."""
    mbp_1, mbp_10, mbo = (dbn.layout(name) for name in ("MBP1Msg", "MBP10Msg", "MBOMsg"))
    parts = stream.pick([_TRADE], _RECORD, only=(_ACTION_AT, b"T"))
    wrong = stream.misfits([_TRADE], _RECORD)
    for kind, layout in ((_MBP_1, mbp_1), (_MBP_10, mbp_10), (_MBO, mbo)):
        at = layout.fields["action"][1]
        ((records, places),) = stream.pick([kind], layout, only=(at, b"T"))
        wrong += stream.misfits([kind], layout)
        if len(records):
            parts.append((_as_trades(records), places))
    if len(parts) > 1:
        parts = [part for part in parts if len(part[0])]
    if len(parts) == 1:
        return (*parts[0], wrong)
    records, places = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(places)
    return records[order], places[order], wrong


def _as_trades(records: np.ndarray) -> np.ndarray:
    """The same prints as records of trades."""
    trades = np.zeros(len(records), dtype=_RECORD)
    names = {"publisher": "publisher_id", "instrument": "instrument_id"}
    for name in _RECORD.names or ():
        told = names.get(name, name)
        if told in (records.dtype.names or ()):
            trades[name] = records[told]
    return trades


def trade_dates(instants: times.Instants) -> times.Days:
    """The day on which the session ends; what trades after Friday's end or on Sunday is Monday's."""
    days = times.local_dates(instants, times.CHICAGO, ahead_by=_SEVEN_HOURS)
    weekday = (days.astype(np.int64) + 3) % 7  # 0 is Monday
    return days + np.where(weekday >= 5, 7 - weekday, 0).astype("timedelta64[D]")


def expiry_hint(symbol: str, year: int) -> str | None:
    """Contract month as YYYY-MM. One digit of a year is the next year that ends so."""
    match = OUTRIGHT.fullmatch(symbol)
    if match is None:
        return None
    _, month, digits = match.groups()
    cycle = 10 ** len(digits)
    return f"{year + (int(digits) - year) % cycle}-{MONTHS.index(month) + 1:02d}"


def expiry_hints(symbols: list[str | None], sessions: times.Days) -> list[str | None]:
    years = sessions.astype("datetime64[Y]").astype(np.int64) + 1970
    pairs = list(zip(symbols, years.tolist(), strict=True))
    known = {pair: expiry_hint(*pair) for pair in set(pairs) if pair[0]}
    return [known.get(pair) for pair in pairs]


def roots_of(symbols: list[str | None]) -> dict[str, str | None]:
    """Root of each outright; None for a spread or an option, which are other instruments."""
    return {symbol: match.group(1) if (match := OUTRIGHT.fullmatch(symbol)) else None
            for symbol in set(symbols) if symbol is not None}  # fmt: skip


def mark_names(rows: Rows, symbols: list[str | None], roots: dict[str, str | None]) -> None:
    """A number, or the name of a series through many contracts, does not say which contract it was."""
    unsaid = {symbol for symbol in roots if _NOT_RAW.fullmatch(symbol)}
    rows.mark([symbol is None or symbol in unsaid for symbol in symbols], "unknown_instrument")
    rows.skip([symbol is not None and roots[symbol] is None for symbol in symbols])


def placed(parsed: Parsed, places: dbn.Places, more: list[Reject]) -> Parsed:
    """With each row's place in the whole stream, of which some records only were read."""
    table, rejects = parsed
    column = table.schema.get_field_index("row_index")
    table = table.set_column(column, "row_index", pa.array(places[table["row_index"].to_numpy()], pa.int64()))
    moved = [replace(reject, row_index=int(places[reject.row_index])) for reject in rejects]
    return table, sorted([*moved, *more], key=lambda reject: reject.row_index)


@parser("futures_trades")
def trades(body: bytes | dbn.Stream, path: str) -> Parsed:
    """Outright trades. Prints without an aggressor ('N') are kept; spreads are other instruments and are not read."""
    stream = dbn.Stream.of(body)
    records, places, wrong = _prints(stream)
    rows = Rows({}, len(records), Describe(records))
    raw_ns = records["ts_event"]
    instants, outside = dbn.instants(raw_ns)
    rows.mark(outside, "bad_time")

    symbols = stream.symbols(records["instrument"], instants, places)
    roots = roots_of(symbols)
    mark_names(rows, symbols, roots)
    rows.mark(records["price"] == dbn.UNDEFINED_PRICE, "bad_price")
    size = records["size"].astype(np.int64)  # unsigned in the stream: a difference would wrap
    rows.mark((size <= 0) | (size == 2**32 - 1), "bad_volume")
    rows.mark(~np.isin(records["side"], [b"A", b"B", b"N"]), "bad_type")

    sessions = trade_dates(instants)
    sequence = records["sequence"].astype(np.int64)
    print_no = _print_numbers(records["rtype"], records["instrument"], instants, sequence)
    rows.skip(_told_before(records, instants, print_no, rows.good))
    return placed(rows.finish("futures_trades", {
        "symbol": symbols, "root": [roots.get(symbol) if symbol else None for symbol in symbols],
        "expiry_hint": expiry_hints(symbols, sessions),
        "instrument_no": records["instrument"].astype(np.int64), "session": sessions,
        "ts_event": pa.array(instants, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "price": records["price"] / 1e9, "size": size, "side": np.char.decode(records["side"], "latin-1").tolist(),
        "sequence": sequence, "print_no": print_no,
        "doubt": _doubts(records["flags"]),
    }), places, wrong)  # fmt: skip


def _doubts(flags: np.ndarray) -> list[str | None] | None:
    """What the vendor marks: that its book may be wrong, or when it received this. It is kept, and so is the mark."""
    if not (flags & (_MAYBE_BAD_BOOK | _BAD_TS_RECV)).any():
        return None
    words = {0: None, _MAYBE_BAD_BOOK: "book", _BAD_TS_RECV: "received",
             _MAYBE_BAD_BOOK | _BAD_TS_RECV: "book, received"}  # fmt: skip
    return [words[flag] for flag in (flags & (_MAYBE_BAD_BOOK | _BAD_TS_RECV)).tolist()]


def _print_numbers(
    kinds: np.ndarray, instrument: np.ndarray, instants: times.Instants, sequence: np.ndarray
) -> np.ndarray:
    """0, 1, 2 … within the prints that share instrument, instant and sequence number, in the stream's order."""
    order = np.lexsort((np.arange(len(sequence)), sequence, instants, instrument, kinds))
    keys = np.stack([kinds.astype(np.int64), instrument.astype(np.int64), instants, sequence])[:, order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.arange(len(order)) - first
    return numbers


def _told_before(records: np.ndarray, instants: times.Instants, print_no: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Prints that another kind of record of the same stream tells as well, and is more trusted."""
    again = np.zeros(len(records), dtype=bool)
    if len(np.unique(records["rtype"])) < 2:
        return again
    known: set[tuple[int, int, int, int]] = set()
    keys = list(zip(records["instrument"].tolist(), instants.tolist(), records["sequence"].tolist(), print_no.tolist(),
                    strict=True))  # fmt: skip
    for at in np.argsort(records["rtype"], kind="stable").tolist():
        if good[at]:
            again[at] = keys[at] in known
            known.add(keys[at])
    return again


class Describe:
    """A record as text, for quarantine."""

    def __init__(self, records: np.ndarray) -> None:
        self.records = records

    def __call__(self, index: int) -> str:
        names = self.records.dtype.names or ()
        return str(dict(zip(names, self.records[index].tolist(), strict=True)))[:TEXT_LIMIT]
