"""An order is sent once, and is in no state that its venue did not put it in."""

import pytest

from live.fakes import FakeVenue
from live.orders import OrderError, OrderManager, State, client_order_id
from live.ports import Bar, Fill, Order

ORDER = Order("o-1", "A", 100, None)
BAR = Bar("A", 0, 50.0, 51.0, 49.0, 50.5, 1000.0)


def test_the_same_decision_makes_the_same_id() -> None:
    words = ("paper", "s", "b" * 64, "2025-07-01", "A", "open")
    assert client_order_id(*words) == client_order_id(*words)
    assert len({client_order_id(*words[:i], "x", *words[i + 1 :]) for i in range(6)}) == 6


def test_an_order_lives_from_pending_to_filled() -> None:
    venue = FakeVenue()
    orders = OrderManager(venue)
    orders.intend(ORDER)
    assert orders["o-1"].state is State.PENDING and not venue.ledger
    assert orders.send("o-1").accepted and orders["o-1"].state is State.OPEN
    (fill,) = venue.on_bar(BAR)
    assert orders.on_fill(fill).state is State.FILLED and not orders.working()


def test_a_lost_answer_is_unknown_and_is_not_sent_again() -> None:
    venue = FakeVenue(lose_answers=True)
    orders = OrderManager(venue)
    orders.intend(ORDER)
    orders.send("o-1")
    assert orders["o-1"].state is State.UNKNOWN and list(venue.ledger) == ["o-1"]
    with pytest.raises(OrderError, match="only a pending one is sent"):
        orders.send("o-1")
    (fill,) = venue.on_bar(BAR)  # the venue had it all along
    assert orders.on_fill(fill).state is State.FILLED


def test_a_refusal_ends_an_order() -> None:
    orders = OrderManager(FakeVenue(refuse="no borrow"))
    orders.intend(ORDER)
    orders.send("o-1")
    assert (orders["o-1"].state, orders["o-1"].reason) == (State.REJECTED, "no borrow")
    assert not orders.cancel("o-1", "too late")


def test_what_cannot_follow_is_refused() -> None:
    orders = OrderManager(FakeVenue())
    orders.intend(ORDER)
    with pytest.raises(OrderError, match="not sent twice"):
        orders.intend(ORDER)
    orders.send("o-1")
    with pytest.raises(OrderError, match="was filled 101"):
        orders.on_fill(Fill("o-1", "A", 0, 101, 50.0, 0.0, {}))


def test_what_is_left_of_a_part_filled_order_can_be_cancelled() -> None:
    orders = OrderManager(FakeVenue())
    orders.intend(ORDER)
    orders.send("o-1")
    orders.on_fill(Fill("o-1", "A", 0, 40, 50.0, 0.0, {}))
    assert orders.cancel("o-1", "end of session") and orders["o-1"].filled == 40
    assert orders["o-1"].state is State.CANCELLED
