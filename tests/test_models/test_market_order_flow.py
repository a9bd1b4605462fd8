"""Order flow by hand: signs, unmatched prints, restarts, and a print that arrives late."""

import datetime as dt

import pyarrow as pa

from models.market.order_flow import order_flow, order_flow_versions

OPEN = dt.datetime(2025, 6, 23, 13, 30, tzinfo=dt.UTC)
QUARTER = dt.timedelta(minutes=15)
_INSTANT = pa.timestamp("us", tz="UTC")
_SCHEMA = pa.schema([
    ("instrument_id", pa.string()), ("symbol", pa.string()), ("root", pa.string()), ("session", pa.date32()),
    ("ts_event", _INSTANT), ("sequence", pa.int64()), ("print_no", pa.int64()), ("price", pa.float64()),
    ("size", pa.int64()), ("side", pa.string()), ("available_at", _INSTANT), ("ingested_at", _INSTANT),
])  # fmt: skip


def trades(*rows: tuple[int, int, str, int], late: dict[int, dt.datetime] | None = None) -> pa.Table:
    """(seconds since the open, size, side, days after the first session); `late` by position."""
    found = []
    for number, (seconds, size, side, days) in enumerate(rows):
        at = OPEN + dt.timedelta(days=days, seconds=seconds)
        found.append({
            "instrument_id": "CME:ESU5:2025", "symbol": "ESU5", "root": "ES", "session": at.date(), "ts_event": at,
            "sequence": number, "print_no": 0, "price": 5000.0, "size": size, "side": side,
            "available_at": (late or {}).get(number, at + QUARTER), "ingested_at": at,
        })  # fmt: skip
    return pa.Table.from_pylist(found, schema=_SCHEMA)


def test_delta_is_buyers_minus_sellers_and_restarts_each_session() -> None:
    table = order_flow(trades((0, 5, "B", 0), (10, 2, "A", 0), (20, 4, "N", 0), (60, 6, "A", 0), (5, 3, "B", 1)))
    rows = [(r["volume"], r["delta"], r["cumulative_delta"]) for r in table.to_pylist()]
    assert rows == [(11, 3, 3), (6, -6, -3), (3, 3, 3)]


def test_a_late_print_is_a_new_version_of_its_minute_and_of_all_that_followed() -> None:
    known_at = OPEN + dt.timedelta(minutes=17, seconds=30)  # after minutes 0 and 1 were told, before minute 2 is
    table = trades((0, 5, "B", 0), (60, 6, "A", 0), (120, 1, "B", 0), (30, 7, "B", 0), late={3: known_at})
    minute = dt.timedelta(minutes=1)
    told = [
        ((r["bar_start"] - OPEN) // minute, r["delta"], r["cumulative_delta"], r["available_at"] - OPEN)
        for r in order_flow_versions(table).to_pylist()
    ]
    assert told == [
        (0, 5, 5, 16 * minute),
        (0, 12, 12, 17.5 * minute),
        (1, -6, -1, 17 * minute),
        (1, -6, 6, 17.5 * minute),
        (2, 1, 7, 18 * minute),
    ]
