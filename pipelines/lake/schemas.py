"""What a fact looks like: the columns of every dataset, what makes two rows versions of one fact, and the two clocks.

A batch folder holds one `<dataset>.parquet` per entry of DATASETS (zero rows where a batch brought none) and
`receipts.parquet`; every version ever learned stays, so a reader takes the newest with `available_at <= t`.
"""

from dataclasses import dataclass

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")
CLOCKS = [("event_time", INSTANT), ("available_at", INSTANT), ("ingested_at", INSTANT), ("body_sha256", pa.string())]


@dataclass(frozen=True)
class Dataset:
    """One kind of fact. `grain` identifies it; rows of one grain are its versions, told apart by `available_at`."""

    name: str
    vendor: str
    grain: tuple[str, ...]
    own: pa.Schema
    dated_by: str | None  # the column that says which session a row belongs to, for "what changed"

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([*self.own, *(pa.field(name, kind) for name, kind in CLOCKS)])

    @property
    def values(self) -> tuple[str, ...]:
        """What can be revised."""
        return tuple(name for name in self.own.names if name not in self.grain)


_OHLCV = [(name, pa.float64()) for name in ("open", "high", "low", "close", "volume")]

# iv30 and iv are decimals (0.2896). A vendor's 0.0 for iv or a greek is null: it was not computed.
_CHAIN = pa.schema([
    ("underlying", pa.string()), ("session", pa.date32()), ("snapshot", INSTANT), ("spot", pa.float64()),
    ("iv30", pa.float64()), ("contract", pa.string()), ("root", pa.string()), ("expiry", pa.date32()),
    ("right", pa.string()), ("strike", pa.float64()), ("bid", pa.float64()), ("ask", pa.float64()),
    ("iv", pa.float64()), ("delta", pa.float64()), ("gamma", pa.float64()), ("vega", pa.float64()),
    ("theta", pa.float64()), ("open_interest", pa.float64()), ("volume", pa.float64()),
    ("last_price", pa.float64()), ("adjusted", pa.bool_()),
])  # fmt: skip

_ALL = [
    # One row per source and session; `source` is flatfile, grouped or aggs, in falling order of trust.
    Dataset("equity_bars", "polygon", ("ticker", "session", "source"), pa.schema([
        ("ticker", pa.string()), ("session", pa.date32()), *_OHLCV, ("trades", pa.int64()), ("source", pa.string()),
    ]), "session"),
    Dataset("equity_minutes", "polygon", ("ticker", "bar_start", "source"), pa.schema([
        ("ticker", pa.string()), ("session", pa.date32()), ("bar_start", INSTANT), *_OHLCV, ("source", pa.string()),
    ]), "session"),
    # A list row states no first day: it counts from the start of the vendor's history. A name that was already
    # delisted when first seen is two versions: active all along, inactive from the midnight after its last day.
    Dataset("tickers", "polygon", ("ticker", "composite_figi", "cik"), pa.schema([
        ("composite_figi", pa.string()), ("cik", pa.string()), ("ticker", pa.string()), ("name", pa.string()),
        ("type", pa.string()), ("primary_exchange", pa.string()), ("active", pa.bool_()),
        ("delisted_utc", pa.date32()), ("currency", pa.string()),
    ]), None),
    Dataset("ticker_events", "polygon", ("composite_figi", "cik", "event_date", "ticker"), pa.schema([
        ("composite_figi", pa.string()), ("cik", pa.string()), ("name", pa.string()), ("event_date", pa.date32()),
        ("ticker", pa.string()),
    ]), "event_date"),
    # What a company does, by the SEC's code of four digits.
    Dataset("ticker_details", "polygon", ("ticker", "composite_figi", "cik"), pa.schema([
        ("composite_figi", pa.string()), ("cik", pa.string()), ("ticker", pa.string()), ("sic_code", pa.string()),
        ("sic_description", pa.string()), ("list_date", pa.date32()),
    ]), None),
    # `vendor_id` is the vendor's own, or `v3:ticker:date…` for rows of the older endpoints, which have none.
    Dataset("splits", "polygon", ("vendor_id",), pa.schema([
        ("vendor_id", pa.string()), ("ticker", pa.string()), ("ex_date", pa.date32()), ("split_from", pa.float64()),
        ("split_to", pa.float64()), ("kind", pa.string()),  # forward_split, reverse_split, stock_dividend
        ("withdrawn", pa.bool_()),  # its list tells it no longer
    ]), "ex_date"),
    Dataset("dividends", "polygon", ("vendor_id",), pa.schema([
        ("vendor_id", pa.string()), ("ticker", pa.string()), ("ex_date", pa.date32()), ("cash_amount", pa.float64()),
        ("currency", pa.string()), ("declaration_date", pa.date32()), ("pay_date", pa.date32()),
        ("withdrawn", pa.bool_()),
    ]), "ex_date"),
    # A desk's own list of what it can borrow, which counts with the feed of equities: `name` is a ticker or an
    # instrument, `*` whoever is not named. `told_at` is null where the list does not say since when it was known.
    Dataset("borrow", "polygon", ("name", "valid_from"), pa.schema([
        ("name", pa.string()), ("valid_from", pa.date32()), ("valid_to", pa.date32()), ("borrowable", pa.bool_()),
        ("told_at", INSTANT), ("withdrawn", pa.bool_()),
    ]), None),
    # The same chain from two vendors.
    Dataset("option_chain", "cboe", ("snapshot", "contract"), _CHAIN, "session"),
    Dataset("option_snapshots", "polygon", ("snapshot", "contract"), _CHAIN, "session"),
    # `source` as with equity bars; an index has no volume.
    Dataset("index_bars", "polygon", ("index", "session", "source"), pa.schema([
        ("index", pa.string()), ("session", pa.date32()), *_OHLCV[:4], ("source", pa.string()),
    ]), "session"),
    # Days on which an exchange will be closed or close early: what the vendor expects, beside our own calendar.
    Dataset("market_days", "polygon", ("exchange", "day"), pa.schema([
        ("exchange", pa.string()), ("day", pa.date32()), ("name", pa.string()), ("status", pa.string()),
        ("opens_at", INSTANT), ("closes_at", INSTANT),
    ]), None),
    # An index may be told of on days that are no session of ours; most tell a close only.
    Dataset("index_levels", "cboe", ("index", "session"), pa.schema([
        ("index", pa.string()), ("session", pa.date32()), *_OHLCV[:4],
    ]), "session"),
    Dataset("market_statistics", "cboe", ("session", "product"), pa.schema([
        ("session", pa.date32()), ("product", pa.string()),
        *((f"{side}_volume", pa.float64()) for side in ("call", "put", "total")),
        *((f"{side}_open_interest", pa.float64()) for side in ("call", "put", "total")),
        ("put_call_ratio", pa.float64()),
    ]), "session"),
    # `report` is preliminary or final, in rising order of trust.
    Dataset("volume_details", "cme", ("root", "session", "symbol", "report"), pa.schema([
        ("root", pa.string()), ("session", pa.date32()), ("symbol", pa.string()), ("contract_month", pa.string()),
        ("report", pa.string()), ("volume", pa.float64()), ("open_interest", pa.float64()), ("updated_at", INSTANT),
    ]), "session"),
    # Several prints of one instant may share a sequence number: `print_no` counts them within it. `doubt` is what the
    # vendor warns of, the book or the time of receipt, on neither of which a print rests; null where of nothing.
    Dataset("futures_trades", "cme", ("symbol", "ts_event", "sequence", "print_no"), pa.schema([
        ("symbol", pa.string()), ("root", pa.string()), ("expiry_hint", pa.string()), ("instrument_no", pa.int64()),
        ("session", pa.date32()), ("ts_event", INSTANT), ("price", pa.float64()), ("size", pa.int64()),
        ("side", pa.string()), ("sequence", pa.int64()), ("print_no", pa.int64()), ("doubt", pa.string()),
    ]), "session"),
    # The vendor's own bars of `span_s` seconds, 1 or 60.
    Dataset("futures_ohlcv", "cme", ("symbol", "span_s", "bar_start"), pa.schema([
        ("symbol", pa.string()), ("root", pa.string()), ("expiry_hint", pa.string()), ("instrument_no", pa.int64()),
        ("session", pa.date32()), ("span_s", pa.int64()), ("bar_start", INSTANT), *_OHLCV[:4], ("volume", pa.int64()),
    ]), "session"),
    # What a contract is, each time that its feed told otherwise or began anew.
    Dataset("futures_definitions", "cme", ("symbol", "instrument_no", "told_at"), pa.schema([
        ("symbol", pa.string()), ("root", pa.string()), ("instrument_no", pa.int64()), ("told_at", INSTANT),
        ("asset", pa.string()), ("contract_month", pa.string()), ("expires_at", INSTANT), ("activates_at", INSTANT),
        ("tick_size", pa.float64()), ("multiplier", pa.float64()), ("unit", pa.string()), ("currency", pa.string()),
        ("exchange", pa.string()),
    ]), None),
    # `statistic` is volume or open_interest; a telling without a quantity takes the one before it back.
    Dataset("futures_statistics", "cme", ("symbol", "session", "statistic", "told_at", "sequence"), pa.schema([
        ("symbol", pa.string()), ("root", pa.string()), ("expiry_hint", pa.string()), ("instrument_no", pa.int64()),
        ("session", pa.date32()), ("statistic", pa.string()), ("told_at", INSTANT), ("sequence", pa.int64()),
        ("quantity", pa.float64()),
    ]), "session"),
]  # fmt: skip
DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in _ALL}
VENDORS = ("polygon", "cboe", "cme")

RECEIPTS = pa.schema([
    ("path", pa.string()), ("vendor", pa.string()), ("dataset", pa.string()), ("received_at", INSTANT),
    ("sha256", pa.string()), ("bytes", pa.int64()), ("etag", pa.string()), ("url", pa.string()),
])  # fmt: skip

QUARANTINE = pa.schema([
    ("vendor", pa.string()), ("dataset", pa.string()), ("path", pa.string()), ("row_index", pa.int64()),
    ("row_text", pa.string()), ("reason", pa.string()), ("body_sha256", pa.string()), ("received_at", INSTANT),
])  # fmt: skip
