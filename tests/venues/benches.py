"""Each broker's adapter on a test venue of its own, with one set of levers, so that one set of tests holds for all."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from live.ports import Broker
from tests.venues.exchange import Exchange

SYMBOLS = {"BBG-A": "AAA", "BBG-B": "BBB"}


@dataclass
class Bench:
    """`fail(act, fault)` spoils the next such act (`submit`, `look`, `cancel`); `refuse` and `reject_later` are told
    why; `again` connects anew, as a restarted runner does."""

    broker: Broker
    exchange: Exchange
    fail: Callable[[str, str], None]
    refuse: Callable[[str], None]
    reject_later: Callable[[str], None]
    again: Callable[..., Broker]
    fee_usd: float = 0.0  # a fill, where the venue charges it on the order


@contextmanager
def alpaca(folder: Path, symbols: Mapping[str, str] = SYMBOLS) -> Iterator[Bench]:
    from live.adapters.alpaca import AlpacaBroker
    from tests.venues.alpaca import KEY, SECRET, AlpacaWire
    from tests.venues.http import Faults, served

    exchange, faults = Exchange(folder / "ledger.sqlite"), Faults()
    wire = AlpacaWire(exchange)
    where = {"submit": ("POST", "/v2/orders"), "look": ("GET", "/v2/orders"), "cancel": ("DELETE", "/v2/orders")}
    with served(wire, faults) as url:
        def connect() -> AlpacaBroker:
            return AlpacaBroker(symbols, KEY, SECRET, paper=True, url=url, timeout_s=0.3)

        yield Bench(connect(), exchange, lambda act, fault: faults.queue(*where[act], fault),
                    lambda why: setattr(wire, "refuse", why), lambda why: setattr(wire, "reject_later", why), connect)
    exchange.close()


@contextmanager
def binance(folder: Path, symbols: Mapping[str, str] = SYMBOLS) -> Iterator[Bench]:
    from live.adapters.ccxt import CcxtBroker
    from tests.venues.binance import KEY, SECRET, BinanceWire
    from tests.venues.http import Faults, served

    exchange, faults = Exchange(folder / "ledger.sqlite"), Faults()
    wire = BinanceWire(exchange, tuple(symbols.values()))
    where = {"submit": ("POST", "/api/v3/order"), "look": ("GET", "/api/v3/order"), "cancel": ("DELETE", "/api/v3/")}
    with served(wire, faults) as url:
        def connect(lots: dict[str, float] | None = None) -> CcxtBroker:
            made = CcxtBroker("binance", {name: f"{symbol}/USDT" for name, symbol in symbols.items()}, KEY, SECRET,
                              lots=lots, url=url, timeout_s=0.3)
            made._client.enableRateLimit = False  # this venue has no limit
            return made

        yield Bench(connect(), exchange, lambda act, fault: faults.queue(*where[act], fault),
                    lambda why: setattr(wire, "refuse", why), lambda why: setattr(wire, "reject_later", why), connect,
                    fee_usd=2.5)
    exchange.close()


@contextmanager
def interactive_brokers(folder: Path, symbols: Mapping[str, str] = SYMBOLS) -> Iterator[Bench]:
    from ib_async import Client

    from live.adapters.ib import IbBroker
    from tests.venues.tws import ACCOUNT, Tws, served

    Client.MaxRequests = 0  # a second; this venue has no limit
    exchange = Exchange(folder / "ledger.sqlite")
    tws = Tws(exchange)
    made: list[IbBroker] = []
    with served(tws) as port:
        def connect() -> IbBroker:
            for one in made:
                one.close()
            made.append(IbBroker(symbols, account=ACCOUNT, port=port, timeout_s=2.0))
            return made[-1]

        yield Bench(connect(), exchange, lambda act, fault: tws.faults.append((act, fault)),
                    lambda why: setattr(tws, "refuse", why), lambda why: setattr(tws, "reject_later", why), connect,
                    fee_usd=1.0)
        made[-1].close()
    exchange.close()


BENCHES = {"alpaca": alpaca, "binance by ccxt": binance, "interactive brokers": interactive_brokers}
