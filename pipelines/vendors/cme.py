"""CME trades as Databento delivers them: DBN, fixed records behind metadata that names the instruments."""

import re
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.vendors import times
from pipelines.vendors.contents import Unusable, unpacked
from pipelines.vendors.parsing import Parsed, Rows, parser

_RECORD = np.dtype([
    ("length", "u1"), ("rtype", "u1"), ("publisher", "<u2"), ("instrument", "<u4"), ("ts_event", "<u8"),
    ("price", "<i8"), ("size", "<u4"), ("action", "S1"), ("side", "S1"), ("flags", "u1"), ("depth", "u1"),
    ("ts_recv", "<u8"), ("ts_in_delta", "<i4"), ("sequence", "<u4"),
])  # fmt: skip
_TRADE = 0  # rtype of a trade, whose depth it is
_UNDEFINED_PRICE = np.int64(2**63 - 1)
_OUTRIGHT = re.compile(r"([A-Z0-9]{1,3})([FGHJKMNQUVXZ])(\d{1,2})")
_MONTHS = "FGHJKMNQUVXZ"
_SEVEN_HOURS = 7 * times.HOUR  # 17:00 in Chicago becomes midnight, when the next trade date begins


def _split(content: bytes) -> tuple[Any, np.ndarray]:
    """The metadata and the trade records behind it."""
    if content[:3] != b"DBN":
        raise Unusable("not_data", content[:60].decode("utf-8", "replace"))
    if len(content) < 8 or len(content) < (start := 8 + int.from_bytes(content[4:8], "little")):
        raise Unusable("truncated", "the stream ends within its metadata")
    import databento_dbn

    try:
        metadata = databento_dbn.Metadata.decode(content[:start])
    except BaseException as error:  # the decoder's own panics are no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise Unusable("not_data", f"unreadable metadata: {error}"[:300]) from None
    if str(metadata.schema) not in ("trades", "None"):
        return metadata, np.zeros(0, dtype=_RECORD)  # another kind of file, of which nothing is read
    body = content[start:]
    if len(body) % _RECORD.itemsize == 0:
        records = np.frombuffer(body, dtype=_RECORD)
        if (records["length"] == _RECORD.itemsize // 4).all():
            return metadata, records
    return metadata, _walk(body)


def _walk(body: bytes) -> np.ndarray:
    """Pick the trades out of a stream of several kinds of records, each of which says its own length."""
    picked, at = [], 0
    while at < len(body):
        length = body[at] * 4
        if length == 0:
            raise Unusable("not_data", f"a record of no length at byte {at}")
        if at + length > len(body):
            raise Unusable("truncated", "the stream ends within a record")
        if length == _RECORD.itemsize:
            picked.append(body[at : at + length])
        at += length
    return np.frombuffer(b"".join(picked), dtype=_RECORD)


def _names(metadata: Any) -> dict[int, list[tuple[np.datetime64, np.datetime64, str]]]:
    """Raw symbol of each instrument number and the days it holds for, end excluded."""
    names: dict[int, list[tuple[np.datetime64, np.datetime64, str]]] = {}
    for symbol, intervals in metadata.mappings.items():
        for interval in intervals:
            if str(interval["symbol"]).isdigit():
                span = (np.datetime64(interval["start_date"], "D"), np.datetime64(interval["end_date"], "D"))
                names.setdefault(int(interval["symbol"]), []).append((*span, symbol))
    return names


def _symbols(records: np.ndarray, utc_days: np.ndarray, metadata: Any) -> list[str | None]:
    names = _names(metadata)
    pairs, place = np.unique(
        np.stack([records["instrument"].astype(np.int64), utc_days.astype(np.int64)]), axis=1, return_inverse=True
    )
    found: list[str | None] = []
    for instrument, day in pairs.T:
        on = np.datetime64(int(day), "D")
        spans = names.get(int(instrument), [])
        found.append(next((symbol for first, last, symbol in spans if first <= on < last), None))
    return [found[index] for index in place.ravel()]


def trade_dates(instants: times.Instants) -> times.Days:
    """The day on which the session ends; what trades after Friday's end or on Sunday is Monday's."""
    days = times.local_dates(instants, times.CHICAGO, ahead_by=_SEVEN_HOURS)
    weekday = (days.astype(np.int64) + 3) % 7  # 0 is Monday
    return days + np.where(weekday >= 5, 7 - weekday, 0).astype("timedelta64[D]")


def expiry_hint(symbol: str, year: int) -> str | None:
    """Contract month as YYYY-MM. One digit of a year is the next year that ends so."""
    match = _OUTRIGHT.fullmatch(symbol)
    if match is None:
        return None
    _, month, digits = match.groups()
    cycle = 10 ** len(digits)
    return f"{year + (int(digits) - year) % cycle}-{_MONTHS.index(month) + 1:02d}"


@parser("futures_trades")
def trades(body: bytes, path: str) -> Parsed:
    """Outright trades. Prints without an aggressor ('N') are kept; spreads are other instruments and are not read."""
    metadata, records = _split(unpacked(body))
    describe = _Describe(records)
    rows = Rows({}, len(records), describe)
    raw_ns = records["ts_event"]
    outside = (raw_ns < np.uint64(times.FIRST_INSTANT * 1000)) | (raw_ns >= np.uint64(times.LAST_INSTANT * 1000))
    instants = (np.where(outside, 0, raw_ns) // 1000).astype(np.int64)
    rows.skip((records["rtype"] != _TRADE) | (records["action"] != b"T"))
    rows.mark(outside, "bad_time")

    symbols = _symbols(records, instants.astype("datetime64[us]").astype("datetime64[D]"), metadata)
    roots = {symbol: match.group(1) if (match := _OUTRIGHT.fullmatch(symbol)) else None
             for symbol in set(symbols) if symbol is not None}  # fmt: skip
    rows.mark([symbol is None for symbol in symbols], "unknown_instrument")
    rows.skip([symbol is not None and roots[symbol] is None for symbol in symbols])
    rows.mark(records["price"] == _UNDEFINED_PRICE, "bad_price")
    size = records["size"].astype(np.int64)  # unsigned in the stream: a difference would wrap
    rows.mark((size <= 0) | (size == 2**32 - 1), "bad_volume")
    rows.mark(~np.isin(records["side"], [b"A", b"B", b"N"]), "bad_type")

    sessions = trade_dates(instants)
    years = sessions.astype("datetime64[Y]").astype(np.int64) + 1970
    known = {pair: expiry_hint(*pair) for pair in set(zip(symbols, years.tolist(), strict=True)) if pair[0]}
    sequence = records["sequence"].astype(np.int64)
    return rows.finish("futures_trades", {
        "symbol": symbols, "root": [roots.get(symbol) if symbol else None for symbol in symbols],
        "expiry_hint": [known.get(pair) for pair in zip(symbols, years.tolist(), strict=True)],
        "instrument_no": records["instrument"].astype(np.int64), "session": sessions,
        "ts_event": pa.array(instants, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "price": records["price"] / 1e9, "size": size, "side": records["side"].astype("U1").tolist(),
        "sequence": sequence, "print_no": _print_numbers(records["instrument"], raw_ns, sequence),
    })  # fmt: skip


def _print_numbers(instrument: np.ndarray, instants: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """0, 1, 2 … within the prints that share instrument, instant and sequence number, in the stream's order."""
    order = np.lexsort((np.arange(len(sequence)), sequence, instants // 1000, instrument))
    keys = np.stack([instrument.astype(np.int64), (instants // 1000).astype(np.int64), sequence])[:, order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.arange(len(order)) - first
    return numbers


class _Describe:
    def __init__(self, records: np.ndarray) -> None:
        self.records = records

    def __call__(self, index: int) -> str:
        return str(dict(zip(_RECORD.names or (), self.records[index].tolist(), strict=True)))
