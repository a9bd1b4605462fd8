"""Prints and sessions by hand: ticks, hidden orders, zones, parts of the day, and a print that arrives late."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from models.market.order_flow import order_flow
from models.market.prints import hidden, in_order, ticks
from models.market.tape import parts, session_row, session_tape_versions
from models.market.volume_profile import session_end

SESSION = dt.date(2025, 6, 23)
OPENED = dt.datetime(2025, 6, 23, 9, 30, tzinfo=ZoneInfo("America/New_York"))
_INSTANT = pa.timestamp("us", tz="UTC")
_SCHEMA = pa.schema([
    ("instrument_id", pa.string()), ("symbol", pa.string()), ("root", pa.string()), ("session", pa.date32()),
    ("ts_event", _INSTANT), ("sequence", pa.int64()), ("print_no", pa.int64()), ("price", pa.float64()),
    ("size", pa.int64()), ("side", pa.string()), ("available_at", _INSTANT), ("ingested_at", _INSTANT),
])  # fmt: skip


def tape(*rows: tuple[float, float, int, str], symbol: str = "ESU5", late: int | None = None) -> pa.Table:
    """(seconds since the New York open, price, size, side); `late` is the place of a print that came a day later."""
    found = []
    for number, (seconds, price, size, side) in enumerate(rows):
        at = OPENED + dt.timedelta(seconds=seconds)
        known = at + dt.timedelta(days=1 if number == late else 0, minutes=15)
        found.append({
            "instrument_id": f"CME:{symbol}:2025", "symbol": symbol, "root": "ES", "session": SESSION, "ts_event": at,
            "sequence": number, "print_no": 0, "price": price, "size": size, "side": side, "available_at": known,
            "ingested_at": known,
        })  # fmt: skip
    return pa.Table.from_pylist(found, schema=_SCHEMA)


def test_ticks_follow_the_print_before_and_turn_over_pauses() -> None:
    prices = [10.0, 10.25, 10.25, 10.0, 10.0, 10.25]
    moved, turned = ticks(tape(*((n, price, 1, "B") for n, price in enumerate(prices))))
    assert moved.tolist() == [0, 1, 0, -1, 0, 1]
    assert turned.tolist() == [False, False, False, True, False, True]


def test_ticks_know_one_contract_and_its_prints_in_order() -> None:
    both = in_order(pa.concat_tables([tape((5, 12.0, 1, "B"), (1, 11.0, 1, "B")), tape((2, 5.0, 1, "A"), symbol="A")]))
    assert both["price"].to_pylist() == [5.0, 11.0, 12.0]
    assert ticks(both)[0].tolist() == [0, 0, 1]  # the first of each contract is no tick


@pytest.mark.parametrize(
    ("sizes", "sides", "telling"),
    [
        ([20] * 5, "AAAAA", True), ([20] * 4, "AAAA", False), ([19] * 5, "AAAAA", False),
        ([20, 20, 101, 20, 20], "AAAAA", False), ([20] * 5, "AABAA", False), ([20] * 5, "NNNNN", False),
    ],
)  # fmt: skip
def test_a_hidden_order_is_many_small_prints_at_one_price(sizes: list[int], sides: str, telling: bool) -> None:
    rows = [(n, 10.0, size, side) for n, (size, side) in enumerate(zip(sizes, sides, strict=True))]
    assert hidden(tape(*rows)).tolist() == [telling] * len(sizes)


def test_a_hidden_order_waits_for_no_later_minute() -> None:
    assert not hidden(tape(*((50 + 5 * n, 10.0, 20, "A") for n in range(5)))).any()  # 3 prints, then a new minute


def test_minutes_add_up_their_prints() -> None:
    rows = [(0, 10.0, 150, "B"), (1, 10.25, 5, "A"), (2, 10.0, 1, "N"), *((3 + n, 10.0, 30, "A") for n in range(5))]
    (minute,) = order_flow(tape(*rows)).to_pylist()
    told = {name: minute[name] for name in ("large_buy_volume", "large_sell_volume", "hidden_bid_volume",
                                            "hidden_ask_volume", "up_ticks", "down_ticks", "reversals")}  # fmt: skip
    assert told == {"large_buy_volume": 150, "large_sell_volume": 0, "hidden_bid_volume": 150, "hidden_ask_volume": 0,
                    "up_ticks": 1, "down_ticks": 1, "reversals": 1}  # fmt: skip
    assert minute["turnover"] == 150 * 10.0 + 5 * 10.25 + 10.0 + 150 * 10.0


def test_a_session_by_hand() -> None:
    row = session_row(tape((0, 10.0, 10, "B"), (60, 12.0, 600, "A"), (120, 11.0, 40, "B")), SESSION, 0.5)
    vwap = (100 + 7200 + 440) / 650
    assert row["vwap"] == pytest.approx(vwap)
    assert row["vwap_deviation"] ** 2 == pytest.approx(
        (10 * (10 - vwap) ** 2 + 600 * (12 - vwap) ** 2 + 40 * (11 - vwap) ** 2) / 650)
    assert (row["open"], row["high"], row["low"], row["close"]) == (10.0, 12.0, 10.0, 11.0)
    assert (row["delta_high"], row["delta_low"]) == (10.0, -590.0)
    assert row["gap_share"] == 2 / 5  # 10.5 and 11.5 of 10.0 … 12.0
    assert row["accumulation_volume"] == 50.0  # 10 and 11, below the mean, bought
    assert row["distribution_volume"] == 600.0  # 12, above it, sold
    assert (row["institutional_price"], row["institutional_volume"], row["block_volume"]) == (12.0, 600.0, 600.0)


def test_without_large_prints_no_price_is_institutional() -> None:
    row = session_row(tape((0, 10.0, 100, "B")), SESSION, 0.25)
    assert row["institutional_price"] is None and row["institutional_volume"] == 0.0 and row["vwap_deviation"] == 0.0


def test_parts_of_the_day_follow_the_clocks_of_their_cities() -> None:
    row = session_row(tape((-3600, 10.0, 5, "B"), (-1, 11.0, 5, "B"), (0, 12.0, 7, "A"), (3 * 3600, 9.0, 2, "A")),
                      SESSION, 0.25)  # fmt: skip
    assert (row["london_volume"], row["newyork_volume"], row["overlap_volume"]) == (10.0, 9.0, 7.0)
    assert row["london_move"] == pytest.approx(0.1) and row["newyork_move"] == pytest.approx(-0.25)
    # Nothing traded by Asia's day: no volume, and no move of zero.
    assert row["asia_volume"] == 0.0 and row["asia_move"] is None and row["asia_range"] is None
    # In the weeks between the two changes of clocks New York opens an hour earlier for London.
    hours = {day: (parts(day)["overlap"][1] - parts(day)["overlap"][0]) / 3.6e9
             for day in (dt.date(2025, 3, 20), dt.date(2025, 6, 23))}  # fmt: skip
    assert list(hours.values()) == [3.0, 2.0]


def test_a_late_print_is_a_new_version_of_its_session() -> None:
    told = session_tape_versions(tape((0, 10.0, 10, "B"), (1, 12.0, 30, "A"), late=1)).to_pylist()
    ready = session_end(SESSION) + dt.timedelta(minutes=15)
    assert [(row["vwap"], row["available_at"]) for row in told] == [
        (10.0, ready), (11.5, OPENED.astimezone(dt.UTC) + dt.timedelta(days=1, minutes=15, seconds=1))]


def test_the_order_of_arrival_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    rows = [(float(n), 10 + rng.integers(0, 9) / 4, int(rng.integers(1, 300)), "ABN"[n % 3]) for n in range(200)]
    table = tape(*rows)
    mixed = table.take(pa.array(rng.permutation(200)))
    assert session_tape_versions(table).equals(session_tape_versions(mixed))
    assert order_flow(table).equals(order_flow(mixed))
