"""The socket protocol of Trader Workstation (server version 176), as far as an order's life and the account go."""

import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.venues.exchange import Exchange, Kept

VERSION = 176
ACCOUNT = "DU1234567"
STATES = {"open": "Submitted", "filled": "Filled", "cancelled": "Cancelled", "rejected": "Inactive"}
UNSET = "1.7976931348623157E308"

# The fields of these messages after the order's reference, in the order of this server version; empty where not told.
OPEN_ORDER = (
    "clientId permId outsideRth hidden discretionaryAmt goodAfterTime _ faGroup faMethod faPercentage faProfile "
    "modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation exemptCode "
    "auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize blockOrder "
    "sweepToFill allOrNone minQty ocaType eTradeOnly firmQuoteOnly nbboPriceCap parentId triggerMethod volatility "
    "volatilityType deltaNeutralOrderType deltaNeutralAuxPrice continuousUpdate referencePriceType trailStopPrice "
    "trailingPercent basisPoints basisPointsType comboLegsDescrip legs orderLegs params scaleInitLevelSize "
    "scaleSubsLevelSize scalePriceIncrement hedgeType optOutSmartRouting clearingAccount clearingIntent notHeld "
    "deltaNeutral algoStrategy solicited whatIf status initMarginBefore maintMarginBefore equityBefore "
    "initMarginChange maintMarginChange equityChange initMarginAfter maintMarginAfter equityAfter commission "
    "minCommission maxCommission commissionCurrency warningText randomizeSize randomizePrice conditions "
    "adjustedOrderType triggerPrice trailStop lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice "
    "adjustedTrailingAmount adjustableTrailingUnit tierName tierValue tierDisplayName cashQty "
    "dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo duration postToAts "
    "autoCancelParent minTradeQty minCompeteSize competeAgainstBestOffset midOffsetAtWhole midOffsetAtHalf").split()
COMPLETED_ORDER = (
    "permId outsideRth hidden discretionaryAmt goodAfterTime faGroup faMethod faPercentage faProfile modelCode "
    "goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation exemptCode startingPrice "
    "stockRefPrice delta stockRangeLower stockRangeUpper displaySize sweepToFill allOrNone minQty ocaType "
    "triggerMethod volatility volatilityType deltaNeutralOrderType deltaNeutralAuxPrice continuousUpdate "
    "referencePriceType trailStopPrice trailingPercent comboLegsDescrip legs orderLegs params scaleInitLevelSize "
    "scaleSubsLevelSize scalePriceIncrement hedgeType clearingAccount clearingIntent notHeld deltaNeutral "
    "algoStrategy solicited status randomizeSize randomizePrice conditions trailStop lmtPriceOffset cashQty "
    "dontUseAutoPriceForHedge isOmsContainer autoCancelDate filledQuantity refFuturesConId autoCancelParent "
    "shareholder imbalanceOnly routeMarketableToBbo parentPermId completedTime completedStatus minTradeQty "
    "minCompeteSize competeAgainstBestOffset midOffsetAtWhole midOffsetAtHalf").split()
NONE = dict.fromkeys(("legs", "orderLegs", "params", "deltaNeutral", "conditions"), 0)  # how many follow


class Tws:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.refuse = self.reject_later = ""
        self.faults: list[tuple[str, str]] = []  # (act, what goes wrong with the next such act)
        self.orders_by_number: dict[int, str] = {}
        self.prices: dict[str, str] = {}

    def take(self, act: str) -> str:
        for number, (of, fault) in enumerate(self.faults):
            if of == act:
                del self.faults[number]
                return fault
        return ""

    def answer(self, talk: "_Talk", asked: list[str]) -> None:
        """One message; raises ConnectionResetError where the venue hangs up."""
        match asked[0]:
            case "71":
                talk.say(15, 1, ACCOUNT)
                talk.say(9, 1, 1 + max(self.orders_by_number, default=0))
            case "3":
                self._place(talk, asked)
            case "4":
                self._cancel(talk, int(asked[2]))
            case "5" | "16":
                self._fail("look")
                for order in self.exchange.orders(working=True):
                    talk.say(*self._open_order(order))
                    talk.say(*self._status(order))
                talk.say(53, 1)
            case "99":
                for order in self.exchange.orders():
                    if order.state != "open":
                        talk.say(*self._completed(order))
                talk.say(102)
            case "7":
                orders = {order.n: order for order in self.exchange.orders()}
                for number, n, quantity, price, fee, _ in self.exchange.executions():
                    talk.say(*self._execution(asked[2], orders[n], number, quantity, price))
                    talk.say(59, 1, f"0000e0d5.{number:08x}.01.01", fee, "USD", UNSET, UNSET, "")
                talk.say(55, 1, asked[2])
            case "61":
                for name, held in self.exchange.positions().items():
                    talk.say(61, 3, ACCOUNT, *_contract(name), held, 50.0)
                talk.say(62, 1)
            case "6":
                talk.say(6, 2, "TotalCashBalance", self.exchange.cash(), "BASE", ACCOUNT)
                talk.say(8, 1, "13:30")
                talk.say(54, 1, ACCOUNT)

    def _fail(self, act: str) -> None:
        if self.take(act):
            raise ConnectionResetError

    def _place(self, talk: "_Talk", asked: list[str]) -> None:
        number, symbol, action, quantity, kind = int(asked[1]), asked[3], asked[16], float(asked[17]), asked[18]
        fault = self.take("submit")
        if fault == "never":
            raise ConnectionResetError
        if number in self.orders_by_number:
            talk.say(4, 2, number, 103, "Duplicate order id", "")
            return
        if self.refuse:
            talk.say(4, 2, number, 201, f"Order rejected - reason:{self.refuse}", "")
            return
        signed = quantity if action == "BUY" else -quantity
        taken = self.exchange.submit(asked[26], symbol, signed, float(asked[19]) if kind == "LMT" else None,
                                     self.reject_later)
        self.orders_by_number[number] = asked[26]
        if fault == "lost":
            raise ConnectionResetError
        if fault != "silent":
            shown = Kept(**{**vars(taken), "state": "open"})  # the market's refusal comes later
            talk.say(*self._open_order(shown))
            talk.say(*self._status(shown))

    def _cancel(self, talk: "_Talk", number: int) -> None:
        if self.take("cancel"):
            raise ConnectionResetError
        name = self.orders_by_number.get(number)
        if name is None or not self.exchange.cancel(name):
            talk.say(4, 2, number, 10147, f"OrderId {number} that needs to be cancelled is not found.", "")
            return
        talk.say(*self._status(self.exchange[name]))
        talk.say(4, 2, number, 202, "Order Canceled - reason:", "")

    def _number(self, order: Kept) -> int:
        return next((number for number, name in self.orders_by_number.items() if name == order.client_id), 0)

    def _status(self, order: Kept) -> list[Any]:
        return [3, self._number(order), STATES[order.state], abs(order.filled), abs(order.quantity - order.filled),
                order.average, 7_000 + order.n, 0, 0.0, 1, "", 0.0]

    def _open_order(self, order: Kept) -> list[Any]:
        ours = self._number(order)
        told = {"clientId": 1 if ours else 0, "permId": 7_000 + order.n, "status": STATES[order.state]}
        return [5, ours, *_contract(order.symbol), *_terms(order), *(told.get(name, NONE.get(name, ""))
                                                                     for name in OPEN_ORDER)]

    def _completed(self, order: Kept) -> list[Any]:
        told = {"permId": 7_000 + order.n, "status": STATES[order.state], "filledQuantity": abs(order.filled),
                "completedTime": "20250627 09:30:00 US/Eastern", "completedStatus": order.reason}
        return [101, *_contract(order.symbol), *_terms(order), *(told.get(name, NONE.get(name, ""))
                                                                 for name in COMPLETED_ORDER)]

    def _execution(self, request: str, order: Kept, number: int, quantity: float, price: float) -> list[Any]:
        return [11, request, self._number(order), *_contract(order.symbol), f"0000e0d5.{number:08x}.01.01",
                "20250627 09:30:00 US/Eastern", ACCOUNT, "ISLAND", "BOT" if quantity > 0 else "SLD", abs(quantity),
                price, 7_000 + order.n, 1, 0, abs(order.filled), order.average, order.client_id, "", "", "", 2]


def _contract(symbol: str) -> list[Any]:
    """conId, symbol, secType, expiry, strike, right, multiplier, exchange, currency, localSymbol, tradingClass."""
    return [abs(hash(symbol)) % 10_000, symbol, "STK", "", 0.0, "?", "", "SMART", "USD", symbol, "NMS"]


def _terms(order: Kept) -> list[Any]:
    """From the side to the order's reference."""
    return ["BUY" if order.quantity > 0 else "SELL", abs(order.quantity), "MKT" if order.limit_price is None else "LMT",
            order.limit_price or 0.0, 0.0, "OPG", "", ACCOUNT, "", 0, order.client_id]


class _Talk:
    """One connection: messages of fields that end in zero bytes, each with its length before it."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._left = line, b""

    def say(self, *fields: Any) -> None:
        body = "".join(f"{field}\0" for field in fields).encode()
        self._line.sendall(struct.pack(">I", len(body)) + body)

    def read(self, count: int) -> bytes:
        while len(self._left) < count:
            more = self._line.recv(65536)
            if not more:
                raise ConnectionResetError
            self._left += more
        read, self._left = self._left[:count], self._left[count:]
        return read

    def messages(self) -> Iterator[list[str]]:
        assert self.read(4) == b"API\0"
        offered = self.read(struct.unpack(">I", self.read(4))[0]).decode()
        lowest, _, highest = offered.removeprefix("v").partition("..")
        assert int(lowest) <= VERSION <= int(highest)
        self.say(VERSION, "20250627 09:00:00 EST")
        while True:
            yield self.read(struct.unpack(">I", self.read(4))[0]).decode().split("\0")[:-1]


@contextmanager
def served(tws: Tws) -> Iterator[int]:
    """The port, for as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines: list[socket.socket] = []
        one_at_a_time = threading.Lock()

        def talk(line: socket.socket) -> None:
            try:
                speaking = _Talk(line)
                for asked in speaking.messages():
                    with one_at_a_time:
                        tws.answer(speaking, asked)
            except OSError:
                pass
            finally:
                line.close()

        def accept() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                lines.append(line)
                threading.Thread(target=talk, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            _hang_up(lines)


def _hang_up(lines: Sequence[socket.socket]) -> None:
    for line in lines:
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
