"""Value areas small enough to grow with a pencil."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from models.market.volume_profile import FEED_DELAY, session_end, value_area, volume_profile, volume_profile_versions


@pytest.mark.parametrize(
    ("volumes", "expected", "why"),
    [
        ([1, 2, 10, 3, 1], (2, 2, 3), "10 of 17 is short of 70 %, 3 above beats 2 below: 13 of 17 is enough"),
        ([5, 10, 5], (1, 1, 2), "a tie between the sides goes up"),
        ([10, 1, 10], (2, 0, 2), "two prices of most volume: the upper; then the only way is down"),
        ([4, 0, 0, 9], (3, 0, 3), "9 of 13 is short of 70 %, and the way down leads over empty ticks"),
        ([7], (0, 0, 0), "one price is its own value area"),
    ],
)
def test_value_area(volumes: list[int], expected: tuple[int, int, int], why: str) -> None:
    assert value_area(np.array(volumes)) == expected, why


def test_prices_come_back_as_ticks() -> None:
    prices = np.array([4500.0, 4500.25, 4500.25, 4501.0])
    profile = volume_profile(prices, np.array([10, 20, 15, 5]), 0.25)
    assert profile == {"poc": 4500.25, "vah": 4500.25, "val": 4500.25, "total_volume": 50}


MONDAY, TUESDAY = dt.date(2025, 6, 23), dt.date(2025, 6, 24)


def _trades(*rows: tuple[dt.date, float, int, dt.datetime | None]) -> pa.Table:
    """Trades at noon New York of their session, told a quarter of an hour later unless said otherwise."""
    found = []
    for number, (session, price, size, known_at) in enumerate(rows):
        noon = dt.datetime.combine(session, dt.time(16), tzinfo=dt.UTC)
        found.append({
            "instrument_id": "CME:ESU5:2025", "symbol": "ESU5", "root": "ES", "session": session, "ts_event": noon,
            "sequence": number, "print_no": 0, "price": price, "size": size,
            "available_at": known_at or noon + FEED_DELAY, "ingested_at": noon,
        })  # fmt: skip
    instant = pa.timestamp("us", tz="UTC")
    schema = pa.schema([
        ("instrument_id", pa.string()), ("symbol", pa.string()), ("root", pa.string()), ("session", pa.date32()),
        ("ts_event", instant), ("sequence", pa.int64()), ("print_no", pa.int64()), ("price", pa.float64()),
        ("size", pa.int64()), ("available_at", instant), ("ingested_at", instant),
    ])  # fmt: skip
    return pa.Table.from_pylist(found, schema=schema)


def test_a_session_is_told_when_it_is_over_and_again_when_a_print_arrives_late() -> None:
    late = dt.datetime(2025, 6, 26, 6, tzinfo=dt.UTC)
    table = _trades((MONDAY, 6000.0, 5, None), (TUESDAY, 6001.0, 5, None), (MONDAY, 6002.0, 9, late))
    rows = [(r["session"], r["poc"], r["ppoc"], r["available_at"]) for r in volume_profile_versions(table).to_pylist()]
    assert rows == [
        (MONDAY, 6000.0, None, session_end(MONDAY) + FEED_DELAY),
        (MONDAY, 6002.0, None, late),
        (TUESDAY, 6001.0, 6000.0, session_end(TUESDAY) + FEED_DELAY),
        (TUESDAY, 6001.0, 6002.0, late),
    ]
    assert session_end(MONDAY) == dt.datetime(2025, 6, 23, 22, tzinfo=dt.UTC)
