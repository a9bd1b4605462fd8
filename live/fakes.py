"""Stand-ins for the world, for anyone's tests: a feed from lists, venues that refuse, lose answers or are hung."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

from live.ports import Ack, Action, Bar, Fill, Order


class ListFeed:
    """Bars by session, and actions. `meanwhile` is told each bar before it is handed out: a place to pull a switch."""

    def __init__(self, bars: Mapping[dt.date, Sequence[Bar]], actions: Sequence[Action] = (),
                 meanwhile: Callable[[Bar], None] = lambda bar: None) -> None:
        self._bars, self._actions, self._meanwhile = bars, actions, meanwhile

    def sessions(self) -> list[dt.date]:
        return sorted(self._bars)

    def actions(self, session: dt.date) -> list[Action]:
        return [action for action in self._actions if action.ex_date <= session]

    def bars(self, session: dt.date) -> Iterator[Bar]:
        for bar in self._bars[session]:
            self._meanwhile(bar)
            yield bar


class FakeVenue:
    """Fills whole orders at each name's next open for a flat cost, and keeps its own ledger of what it was sent."""

    def __init__(self, *, refuse: str = "", lose_answers: bool = False, cost: float = 0.0) -> None:
        self._refuse, self._lose_answers, self._cost = refuse, lose_answers, cost
        self.ledger: dict[str, Order] = {}
        self._working: dict[str, Order] = {}

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        self._working.clear()

    def submit(self, order: Order) -> Ack:
        if self._refuse:
            return Ack(order.order_id, accepted=False, reason=self._refuse)
        if order.order_id in self.ledger:
            return Ack(order.order_id, accepted=False, reason="duplicate id")
        self.ledger[order.order_id] = self._working[order.instrument_id] = order
        if self._lose_answers:
            raise TimeoutError("the venue took it and did not say so")
        return Ack(order.order_id, accepted=True)

    def cancel(self, order_id: str) -> bool:
        for name, order in self._working.items():
            if order.order_id == order_id:
                del self._working[name]
                return True
        return False

    def on_bar(self, bar: Bar) -> list[Fill]:
        order = self._working.pop(bar.instrument_id, None)
        if order is None:
            return []
        return [Fill(order.order_id, order.instrument_id, bar.start_us, order.quantity, bar.open, self._cost, {})]
