"""Every broker's adapter against a server that speaks its wire format, on the server's bad days too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from live.orders import OrderManager, State
from live.ports import Broker, Fill, Order
from tests.venues.benches import BENCHES, Bench

ORDER = Order("o-0123456789abcdef0123", "BBG-A", 100, 50.25)
SELL = Order("o-fedcba9876543210fedc", "BBG-B", -30, None)


@pytest.fixture(params=sorted(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with BENCHES[request.param](tmp_path) as made:
        yield made


def collected(orders: OrderManager) -> list[Fill]:
    fills: list[Fill] = []
    orders.collect(fills.append)
    return fills


def arrivals(bench: Bench) -> list[str]:
    return [name for name, taken in bench.exchange.arrivals() if taken]


def test_an_order_goes_out_fills_in_parts_and_ends(bench: Bench) -> None:
    assert isinstance(bench.broker, Broker)
    orders = OrderManager(bench.broker)
    assert orders.submit_order(ORDER).state is State.OPEN
    assert (bench.exchange[ORDER.order_id].quantity, bench.exchange[ORDER.order_id].limit_price) == (100, 50.25)
    assert not collected(orders)
    bench.exchange.trade("AAA", 50.0, at_us=1_000_000, most=40, fee=bench.fee_usd)
    (part,) = collected(orders)
    assert (part.quantity, part.price, part.cost) == (40, pytest.approx(50.0), pytest.approx(bench.fee_usd))
    assert orders[ORDER.order_id].state is State.OPEN and not collected(orders)
    bench.exchange.trade("AAA", 49.5, at_us=2_000_000, fee=bench.fee_usd)
    (rest,) = collected(orders)
    assert (rest.quantity, rest.price, rest.cost) == (60, pytest.approx(49.5), pytest.approx(bench.fee_usd))
    assert orders[ORDER.order_id].state is State.FILLED and not orders.working()


def test_a_sale_at_the_market_is_one(bench: Bench) -> None:
    orders = OrderManager(bench.broker)
    orders.submit_order(SELL)
    assert (bench.exchange[SELL.order_id].quantity, bench.exchange[SELL.order_id].limit_price) == (-30, None)
    bench.exchange.trade("BBB", 20.0)
    (fill,) = collected(orders)
    assert (fill.instrument_id, fill.quantity, fill.price) == ("BBG-B", -30, pytest.approx(20.0))


@pytest.mark.parametrize("fault", ["lost", "silent"])
def test_an_answer_that_does_not_come_is_asked_for(bench: Bench, fault: str) -> None:
    """The order did arrive: nobody sends it twice."""
    bench.fail("submit", fault)
    orders = OrderManager(bench.broker)
    assert orders.submit_order(ORDER).state is State.UNKNOWN
    assert not orders.resolve(lambda fill: None)
    assert orders[ORDER.order_id].state is State.OPEN and arrivals(bench) == [ORDER.order_id]


def test_an_order_that_never_arrived_may_be_sent_again(bench: Bench) -> None:
    bench.fail("submit", "never")
    orders = OrderManager(bench.broker)
    assert orders.submit_order(ORDER).state is State.UNKNOWN and not arrivals(bench)
    assert orders.resolve(lambda fill: None) and orders[ORDER.order_id].state is State.PENDING
    assert orders.send(ORDER.order_id).accepted and arrivals(bench) == [ORDER.order_id]


def test_the_same_id_twice_is_one_order_also_over_a_restart(bench: Bench) -> None:
    assert bench.broker.submit(ORDER).accepted
    assert bench.broker.submit(ORDER).accepted
    later = bench.again()
    assert later.standings([ORDER.order_id, SELL.order_id])[ORDER.order_id].state == "OPEN"
    assert later.submit(ORDER).accepted
    assert arrivals(bench) == [ORDER.order_id] and len(bench.exchange.orders()) == 1


def test_what_was_filled_while_nobody_looked_is_found_after_a_restart(bench: Bench) -> None:
    assert bench.broker.submit(ORDER).accepted
    bench.exchange.trade("AAA", 50.0, at_us=1_000_000, fee=bench.fee_usd)
    orders = OrderManager(bench.again())
    orders.intend(ORDER)
    fills: list[Fill] = []
    assert not orders.resolve(fills.append)
    assert orders[ORDER.order_id].state is State.FILLED and [fill.quantity for fill in fills] == [100]


def test_a_refusal_at_once_and_one_by_the_market_later(bench: Bench) -> None:
    orders = OrderManager(bench.broker)
    bench.refuse("insufficient buying power")
    told = orders.submit_order(ORDER)
    assert told.state is State.REJECTED and "insufficient buying power" in told.reason
    bench.refuse("")
    bench.reject_later("the market is closed")
    orders.submit_order(SELL)
    collected(orders)
    assert orders[SELL.order_id].state is State.REJECTED and not orders.working()


def test_cancelling_is_idempotent_and_keeps_what_was_filled(bench: Bench) -> None:
    orders = OrderManager(bench.broker)
    orders.submit_order(ORDER)
    bench.exchange.trade("AAA", 50.0, most=40, fee=bench.fee_usd)
    assert not orders.cancel(ORDER.order_id, "end of session")  # not gone until its books say so
    assert not orders.cancel(ORDER.order_id, "end of session")
    assert [fill.quantity for fill in collected(orders)] == [40]
    orders.drain(lambda fill: None)
    assert (orders[ORDER.order_id].state, orders[ORDER.order_id].reason) == (State.CANCELLED, "end of session")
    assert not bench.broker.cancel(ORDER.order_id)
    assert not bench.broker.cancel("o-nobody-knows")
    assert bench.exchange[ORDER.order_id].state == "cancelled"


def test_a_cancel_whose_answer_is_lost_is_asked_again(bench: Bench) -> None:
    orders = OrderManager(bench.broker)
    orders.submit_order(ORDER)
    bench.fail("cancel", "never")
    orders.cancel(ORDER.order_id, "kill switch")
    orders.drain(lambda fill: None, wait_s=0.01)
    assert orders[ORDER.order_id].state is State.CANCELLED and bench.exchange[ORDER.order_id].state == "cancelled"


def test_an_amendment_sends_what_is_left_once_the_first_order_is_gone(bench: Bench) -> None:
    orders = OrderManager(bench.broker)
    orders.submit_order(ORDER)
    bench.exchange.trade("AAA", 50.0, most=40, fee=bench.fee_usd)
    changed, fills = Order("o-0000000000000000aaaa", "BBG-A", 100, 51.0), []
    for _ in range(2):  # asking twice is asking once
        told = orders.amend(ORDER.order_id, changed, fills.append, wait_s=0.01)
        assert (told.order_id, told.state) == (changed.order_id, State.OPEN)
    assert orders[ORDER.order_id].state is State.CANCELLED and [fill.quantity for fill in fills] == [40]
    assert [(order.quantity, order.limit_price, order.state) for order in bench.exchange.orders()] == [
        (100, 50.25, "cancelled"), (60, 51.0, "open")]


@pytest.mark.parametrize("fault", ["lost", "bad day"])
def test_a_look_that_fails_changes_nothing(bench: Bench, fault: str) -> None:
    orders = OrderManager(bench.broker)
    orders.submit_order(ORDER)
    bench.exchange.trade("AAA", 50.0, fee=bench.fee_usd)
    bench.fail("look", fault)
    assert not collected(orders) and orders[ORDER.order_id].state is State.OPEN
    assert [fill.quantity for fill in collected(orders)] == [100]


def test_the_books_are_read_with_what_is_not_ours(bench: Bench) -> None:
    orders = OrderManager(bench.broker)
    orders.submit_order(ORDER)
    before = bench.broker.holdings().cash_usd
    bench.exchange.trade("AAA", 50.0, fee=bench.fee_usd)
    bench.exchange.submit("not-ours", "BBB", 5, 1.0)
    bench.exchange.move("CCC", -3, 0.0)
    books = bench.again().holdings()
    assert dict(books.shares) == {"BBG-A": 100, "CCC": -3}
    assert books.cash_usd - before == pytest.approx(-5_000.0 - bench.fee_usd)
    (foreign,) = books.working
    assert (foreign.instrument_id, foreign.quantity, foreign.filled) == ("BBG-B", 5, 0)


def test_a_share_may_stand_for_a_part_of_a_coin(tmp_path: Path) -> None:
    with BENCHES["binance by ccxt"](tmp_path) as bench:
        broker = bench.again({"BBG-A": 0.29})
        orders = OrderManager(broker)
        orders.submit_order(ORDER)
        sent = bench.exchange[ORDER.order_id]
        assert (sent.quantity, sent.limit_price) == (29.0, 173.27)
        bench.exchange.trade("AAA", 170.0, most=14.5)
        assert [(fill.quantity, fill.price) for fill in collected(orders)] == [(50, pytest.approx(170.0 * 0.29))]
        assert broker.holdings().shares == {"BBG-A": 50.0}
