"""What the simulated market does with each kind of order, bar by bar, and what no bar may ever do."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.adapters.simulated import SimulatedVenue, VenueRules
from live.clock import TapeClock, to_us
from live.ports import Bar, Fill, Order
from models.market.costs import CostModel

MINUTE_US = 60_000_000
START = dt.datetime(2025, 7, 1, 13, 30, tzinfo=dt.UTC)
START_US = to_us(START)


def venue(**rules: float) -> tuple[SimulatedVenue, TapeClock]:
    clock = TapeClock(START)
    made = SimulatedVenue(CostModel.default(), VenueRules(**rules), clock)  # type: ignore[arg-type]
    made.open_session({"A": (5e7, 0.02)})
    return made, clock


def bar(minute: int, *ohlc: float, volume: float = 10_000.0) -> Bar:
    return Bar("A", START_US + minute * MINUTE_US, *ohlc, volume)


def told(fills: list[Fill]) -> list[tuple[int, float]]:
    return [(fill.quantity, fill.price) for fill in fills]


def test_a_market_order_takes_the_next_open_and_a_tenth_of_each_bar() -> None:
    market, clock = venue()
    market.on_bar(bar(0, 100, 101, 99, 100))
    clock.advance_us(START_US + MINUTE_US)
    assert market.submit(Order("o", "A", 1_500, None, kind="market")).accepted
    assert told(market.on_bar(bar(1, 100.5, 101, 99, 100))) == [(1_000, 100.5)]
    assert told(market.on_bar(bar(1, 100.5, 101, 99, 100))) == []  # a bar is traded on once
    assert told(market.on_bar(bar(2, 101.0, 102, 99, 100))) == [(500, 101.0)]
    assert told(market.on_bar(bar(3, 101.0, 102, 99, 100))) == [] and not market.cancel("o")


def test_a_limit_needs_a_trade_through_it_by_a_tick_and_never_takes_more_than_a_tenth() -> None:
    market, _ = venue()
    assert market.submit(Order("o", "A", 1_200, 99.0, kind="limit")).accepted
    assert told(market.on_bar(bar(0, 100, 101, 99.0, 100))) == []  # touched only
    assert told(market.on_bar(bar(1, 100, 101, 98.99, 100))) == [(1_000, 99.0)]
    assert told(market.on_bar(bar(2, 98.0, 99, 97.0, 98))) == [(200, 98.0)]  # a better open fills there


def test_a_guard_takes_the_stop_before_the_target_and_the_open_of_a_gap() -> None:
    for minute_bar, expected in (
        (bar(1, 100, 111, 94, 100), (-300, 95.0)), (bar(1, 93, 120, 92, 110), (-300, 93.0)),
        (bar(1, 100, 110.01, 96, 100), (-300, 110.0)), (bar(1, 100, 110, 96, 100), None),
    ):
        market, _ = venue()
        market.submit(Order("g", "A", -300, None, True, "guard", stop_price=95.0, target_price=110.0))
        assert told(market.on_bar(minute_bar)) == ([expected] if expected else [])


def test_the_rest_of_a_stop_follows_at_the_next_opens_whatever_the_price() -> None:
    market, _ = venue()
    market.submit(Order("g", "A", -1_500, None, True, "guard", stop_price=95.0))
    assert told(market.on_bar(bar(1, 100, 101, 94, 96))) == [(-1_000, 95.0)]
    assert told(market.on_bar(bar(2, 97, 99, 96, 98))) == [(-500, 97.0)]


@pytest.mark.parametrize("kind", ["market", "limit", "guard"])
def test_nothing_fills_in_a_halt(kind: str) -> None:
    market, _ = venue()
    market.submit(Order("o", "A", -100, 90.0 if kind == "limit" else None, True, kind, stop_price=99.0))  # type: ignore[arg-type]
    assert told(market.on_bar(bar(1, 95, 101, 80, 96, volume=0))) == []
    assert told(market.on_bar(bar(2, 95, 101, 80, 96))) == [(-100, 95.0)]


def test_latency_costs_the_bar_that_has_begun_by_then() -> None:
    market, clock = venue(latency_us=250_000)
    clock.advance_us(START_US + MINUTE_US)
    market.submit(Order("o", "A", 100, None, kind="market"))
    assert told(market.on_bar(bar(1, 100, 101, 99, 100))) == []
    assert told(market.on_bar(bar(2, 102, 103, 99, 100))) == [(100, 102.0)]


def test_orders_of_one_bar_share_its_volume() -> None:
    market, _ = venue()
    for number in range(3):
        market.submit(Order(f"o{number}", "A", 600, None, kind="market"))
    assert told(market.on_bar(bar(1, 100, 101, 99, 100))) == [(600, 100.0), (400, 100.0)]


price = st.floats(50.0, 150.0).map(lambda value: round(value, 2))
bars = st.lists(st.tuples(price, price, price, price, st.integers(0, 5_000)).map(
    lambda p: (p[0], max(p[:4]), min(p[:4]), p[3], float(p[4]))), max_size=8)


@given(bars, st.sampled_from(["market", "limit", "guard"]), st.integers(1, 2_000), st.sampled_from([1, -1]), price)
def test_no_fill_is_outside_its_bar_beyond_its_limit_or_more_than_was_asked(
    path: list[tuple[float, ...]], kind: str, shares: int, side: int, level: float
) -> None:
    market, _ = venue()
    order = Order("o", "A", side * shares, level if kind == "limit" else None, kind == "guard", kind,  # type: ignore[arg-type]
                  stop_price=level if kind == "guard" else None)
    assert market.submit(order).accepted
    filled = 0
    for minute, (first, high, low, last, volume) in enumerate(path):
        for fill in market.on_bar(bar(minute, first, high, low, last, volume=volume)):
            filled += fill.quantity
            assert low <= fill.price <= high and order.allows(fill.price)
            assert 0 < abs(fill.quantity) <= math.floor(volume * 0.1)
            assert fill.cost > 0 and fill.cost == pytest.approx(math.fsum(fill.costs.values()))
            if kind == "guard" and fill.price != first:
                assert fill.price == level and low <= level <= high
    assert abs(filled) <= shares and filled * side >= 0
