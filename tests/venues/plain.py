"""The plainest venue: a process of its own, one line of JSON a question, on a Unix socket. Its next answers to orders
can be arranged: `acked`, `lost` (taken, never said) or `never` (the order does not arrive)."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from live.ports import Ack, Bar, Charge, Fill, Holdings, Order, Standing
from tests.venues.exchange import Duplicate, Exchange, Kept

STATES = {"open": "OPEN", "filled": "FILLED", "cancelled": "CANCELLED", "rejected": "REJECTED"}


def _told(order: Kept) -> dict[str, Any]:
    return {"order_id": order.client_id, "instrument_id": order.symbol, "quantity": int(order.quantity),
            "state": STATES[order.state], "filled": int(order.filled), "average_price": order.average,
            "fees_usd": order.fees, "at_us": order.at_us, "reason": order.reason}


class _Desk:
    """The venue's side of one question."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._answers: list[str] = []
        self._mute = 0
        self._charges: list[list[Any]] = []

    def answer(self, asked: dict[str, Any]) -> Any:
        do = asked.pop("do")
        if self._mute and do in {"standings", "holdings"}:
            self._mute -= 1
            return None
        match do:
            case "mute":
                self._mute = asked["looks"]
                return True
            case "submit":
                mode = self._answers.pop(0) if self._answers else "acked"
                if mode == "never":
                    return None
                try:
                    taken = self._exchange.submit(**asked)
                except Duplicate:
                    taken = self._exchange[asked["client_id"]]
                return None if mode == "lost" else _told(taken)
            case "cancel":
                return self._exchange.cancel(**asked)
            case "standings":
                found = [self._exchange.find(name) for name in asked["order_ids"]]
                return [_told(order) for order in found if order is not None]
            case "holdings":
                return {"cash_usd": self._exchange.cash(), "shares": self._exchange.positions(),
                        "charges": self._charges,
                        "working": [_told(order) for order in self._exchange.orders(working=True)]}
            case "trade":
                return self._exchange.trade(**asked)
            case "charge":
                self._charges.append([asked["charge_id"], "FEE", asked["usd"]])
                self._exchange.move("", 0.0, asked["usd"])
                return True
            case "arrange":
                self._answers = list(asked["answers"])
                return True
        raise ValueError(asked)


def serve(where: Path, ledger: Path) -> None:
    """Serve for ever, one connection a question."""
    desk = _Desk(Exchange(ledger))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(where) + ".new")
        server.listen(64)
        os.rename(str(where) + ".new", where)  # it is there when it answers
        while True:
            line, _ = server.accept()
            try:
                with line, line.makefile("rwb") as talk:
                    reply = desk.answer(json.loads(talk.readline()))
                    if reply is not None:
                        talk.write(json.dumps(reply).encode() + b"\n")
                        talk.flush()
            except (BrokenPipeError, ConnectionResetError, json.JSONDecodeError):
                pass  # whoever asked was killed meanwhile


@contextmanager
def running(folder: Path) -> Iterator["PlainVenue"]:
    """The venue as a process of its own; its ledger is `folder/ledger.sqlite`."""
    where = folder / "venue.sock"
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            serve(where, folder / "ledger.sqlite")
        finally:
            os._exit(1)
    try:
        while not where.exists():
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                raise RuntimeError("the venue did not start")
        yield PlainVenue(where)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class PlainVenue:
    """The client: a Broker. No answer is a lost one."""

    def __init__(self, where: Path) -> None:
        self._where = where

    def ask(self, do: str, **told: Any) -> Any:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5.0)
            line.connect(str(self._where))
            with line.makefile("rwb") as talk:
                talk.write(json.dumps({"do": do, **told}).encode() + b"\n")
                talk.flush()
                reply = talk.readline()
        if not reply:
            raise ConnectionError("the venue hung up without an answer")
        return json.loads(reply)

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        """It knows its market itself."""

    def submit(self, order: Order) -> Ack:
        told = self.ask("submit", client_id=order.order_id, symbol=order.instrument_id, quantity=order.quantity,
                        limit_price=order.limit_price)
        return Ack(order.order_id, told["state"] != "REJECTED", told["reason"])

    def cancel(self, order_id: str) -> bool:
        return bool(self.ask("cancel", client_id=order_id))

    def on_bar(self, bar: Bar) -> list[Fill]:
        return []

    def standings(self, order_ids: Sequence[str]) -> dict[str, Standing]:
        return {told["order_id"]: Standing(**told) for told in self.ask("standings", order_ids=list(order_ids))}

    def holdings(self) -> Holdings:
        told = self.ask("holdings")
        return Holdings(told["cash_usd"], {name: int(held) for name, held in told["shares"].items()},
                        [Standing(**one) for one in told["working"]], [Charge(*one) for one in told["charges"]])


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
