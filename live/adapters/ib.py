"""Interactive Brokers as a venue: US shares through TWS or its gateway, with ib_async, loaded when one is made.

Our order id travels as `orderRef`, which IB keeps but does not hold unique: it is asked for before an order is sent."""

import asyncio
import functools
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from live.adapters.extras import needed
from live.adapters.prices import in_ticks
from live.clock import to_us
from live.ports import Ack, Bar, Fill, Holdings, Order, Standing, VenueState

if TYPE_CHECKING:
    import ib_async

TIMEOUT_S = 10.0
ENDED: Mapping[str, VenueState] = {"Filled": "FILLED", "Cancelled": "CANCELLED", "ApiCancelled": "CANCELLED",
                                   "Inactive": "REJECTED"}
UNANSWERED = {"", "PendingSubmit", "ApiPending"}
Answer = TypeVar("Answer")


class IbBroker:
    """Talks from a thread where IB's events run; every question has a time limit."""

    def __init__(self, symbols: Mapping[str, str], *, account: str = "", host: str = "127.0.0.1", port: int = 7497,
                 client_id: int = 1, timeout_s: float = TIMEOUT_S) -> None:
        with needed("ib", "Interactive Brokers"):
            import ib_async
        self._library: Any = ib_async
        self._symbols, self._account = dict(symbols), account
        self._instruments = {symbol: name for name, symbol in symbols.items()}
        self._where, self._client_id, self._timeout_s = (host, port), client_id, timeout_s
        self._loop = _loop()
        self._ib: ib_async.IB = ib_async.IB()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ib.disconnect)

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        """It knows its market itself."""

    def on_bar(self, bar: Bar) -> list[Fill]:
        return []

    def submit(self, order: Order) -> Ack:
        if order.kind == "guard" and order.stop_price is not None and order.target_price is not None:
            return Ack(order.order_id, accepted=False, reason="a stop with a target is not sent to IB")
        return self._run(self._submit(order))

    def cancel(self, order_id: str) -> bool:
        return self._run(self._cancel(order_id))

    def standings(self, order_ids: Sequence[str]) -> dict[str, Standing]:
        wanted = set(order_ids)
        return {told.order_id: told for told in self._run(self._look()) if told.order_id in wanted}

    def holdings(self) -> Holdings:
        return self._run(self._holdings())

    def _run(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        """Whatever goes wrong on the way leaves open whether it arrived."""
        asked = asyncio.run_coroutine_threadsafe(asyncio.wait_for(question, self._timeout_s), self._loop)
        try:
            return asked.result()
        except (TimeoutError, OSError) as problem:
            self._loop.call_soon_threadsafe(self._ib.disconnect)  # what comes late must not be taken for an answer
            raise ConnectionError(f"IB gave no answer: {problem or 'time is up'}") from None

    async def _connected(self) -> "ib_async.IB":
        if not self._ib.isConnected():
            library = self._library
            ib = self._ib = library.IB()
            start = library.ib.StartupFetch
            await ib.connectAsync(*self._where, clientId=self._client_id, timeout=self._timeout_s,
                                  account=self._account, raiseSyncErrors=True,
                                  fetchFields=start.POSITIONS | start.ORDERS_OPEN | start.ACCOUNT_UPDATES)
        return self._ib

    async def _submit(self, order: Order) -> Ack:
        for there in await self._look():
            if there.order_id == order.order_id:
                return Ack(order.order_id, there.state != "REJECTED", there.reason or "IB had it already")
        ib, library = await self._connected(), self._library
        answered = asyncio.Event()
        trade = ib.placeOrder(library.Stock(self._symbols[order.instrument_id], "SMART", "USD"), self._told(order))
        trade.statusEvent += lambda _: answered.set()
        ib.disconnectedEvent += answered.set
        while trade.orderStatus.status in UNANSWERED:
            if not ib.isConnected():
                raise ConnectionError("the line to TWS broke")
            await answered.wait()
            answered.clear()
        refused = trade.orderStatus.status in {"Cancelled", "ApiCancelled", "Inactive"} and not trade.filled()
        return Ack(order.order_id, not refused, trade.log[-1].message if refused else trade.orderStatus.status)

    def _told(self, order: Order) -> "ib_async.Order":
        limit, kind = order.limit_price, "MKT" if order.limit_price is None else "LMT"
        if order.kind == "guard":
            limit, kind = (order.target_price, "LMT") if order.stop_price is None else (None, "STP")
        made = self._library.Order(
            action="BUY" if order.quantity > 0 else "SELL", totalQuantity=abs(order.quantity), orderType=kind,
            tif="OPG" if order.kind == "open" and not order.reduce_only else "DAY", orderRef=order.order_id,
            account=self._account)
        if limit is not None:
            made.lmtPrice = float(in_ticks(limit, order.quantity))
        if kind == "STP" and order.stop_price is not None:
            made.auxPrice = float(in_ticks(order.stop_price, order.quantity))
        return made  # type: ignore[no-any-return]

    async def _cancel(self, order_id: str) -> bool:
        ib = await self._connected()
        for trade in await ib.reqAllOpenOrdersAsync():
            if trade.order.orderRef == order_id and trade.orderStatus.status not in ENDED:
                ib.cancelOrder(trade.order)
                return True
        return False

    async def _look(self) -> list[Standing]:
        """Everything of the day: what is open, what is completed, and the executions of both."""
        ib = await self._connected()
        working = await ib.reqAllOpenOrdersAsync()
        completed = await ib.reqCompletedOrdersAsync(False)
        await ib.reqExecutionsAsync()
        done: dict[str, list[Any]] = {}
        for fill in _corrected(ib.fills()):
            done.setdefault(fill.execution.orderRef, []).append(fill)
        trades = {_name(trade.order): trade for trade in [*working, *completed]}  # completed has the last word
        return [self._standing(name, trade, done.get(name, [])) for name, trade in trades.items()]

    def _standing(self, name: str, trade: "ib_async.Trade", fills: Sequence["ib_async.Fill"]) -> Standing:
        """An execution counts once its commission is known; until then the order is not over."""
        counted = [fill for fill in fills if fill.commissionReport.execId]
        side = 1 if trade.order.action == "BUY" else -1
        filled = sum(fill.execution.shares for fill in counted)
        paid = sum(fill.execution.shares * fill.execution.price for fill in counted)
        state = ENDED.get(trade.orderStatus.status, "OPEN") if len(counted) == len(fills) else "OPEN"
        if state == "FILLED" and not filled:
            state = "OPEN"  # its executions are on their way
        return Standing(
            name, self._name_of(trade.contract), side * int(trade.order.totalQuantity or filled), state,
            side * int(filled), paid / filled if filled else 0.0,
            sum(fill.commissionReport.commission for fill in counted),
            max((to_us(fill.execution.time) for fill in counted), default=0),
            "" if state in {"OPEN", "FILLED"} else _why(trade))

    async def _holdings(self) -> Holdings:
        ib = await self._connected()
        positions = await ib.reqPositionsAsync()
        await ib.reqAccountUpdatesAsync(self._account)
        cash = [value.value for value in ib.accountValues(self._account)
                if value.tag == "TotalCashBalance" and value.currency == "BASE"]
        if not cash:
            raise ConnectionError("IB did not tell the account's cash")
        working = [told for told in await self._look() if told.state == "OPEN"]
        shares = {self._name_of(held.contract): float(held.position) for held in positions
                  if held.position and self._account in {"", held.account}}
        return Holdings(float(cash[-1]), shares, working)

    def _name_of(self, contract: "ib_async.Contract") -> str:
        if contract.secType == "STK":
            return self._instruments.get(contract.symbol, contract.symbol)
        return f"{contract.secType} {contract.localSymbol or contract.symbol}"


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for the process: the library keeps the first that it meets."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="ib").start()
    return loop


def _name(order: "ib_async.Order") -> str:
    """Orders that people place by hand have no reference."""
    return order.orderRef or f"ib-{order.permId}"


def _corrected(fills: Iterable["ib_async.Fill"]) -> list["ib_async.Fill"]:
    """A correction has the execution's id with a higher last part, and takes its place."""
    newest: dict[str, Any] = {}
    for fill in sorted(fills, key=lambda fill: fill.execution.execId):
        newest[fill.execution.execId.rpartition(".")[0] or fill.execution.execId] = fill
    return list(newest.values())


def _why(trade: "ib_async.Trade") -> str:
    return (trade.log[-1].message if trade.log else "") or trade.orderStatus.status
