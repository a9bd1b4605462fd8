"""Brokers by name. Their keys come from the environment, and only a strategy that may trade money gets one."""

from collections.abc import Mapping

from live.ports import Broker
from live.rungs import refuse_below_canary
from models.bundle import Bundle

KEY, SECRET, PASSWORD = "NIGHTDESK_BROKER_KEY", "NIGHTDESK_BROKER_SECRET", "NIGHTDESK_BROKER_PASSWORD"
ACCOUNT = "NIGHTDESK_BROKER_ACCOUNT"
NAMES = "alpaca, alpaca:paper, ib:HOST:PORT, ccxt:EXCHANGE"


def broker_named(name: str, bundle: Bundle, environment: Mapping[str, str]) -> Broker:
    """`alpaca` (money) or `alpaca:paper`, `ib` or `ib:HOST:PORT`, `ccxt:EXCHANGE`, for the names of a bundle."""
    refuse_below_canary(bundle.manifest)
    kind, _, where = name.partition(":")
    symbols = dict(zip(bundle.snapshot.bars.names, bundle.snapshot.symbols, strict=True))
    if kind == "alpaca" and where in {"", "paper"}:
        from live.adapters.alpaca import AlpacaBroker

        return AlpacaBroker(symbols, _told(environment, KEY, name), _told(environment, SECRET, name),
                            paper=where == "paper")
    if kind == "ib":
        from live.adapters.ib import IbBroker

        host, _, port = where.rpartition(":")
        if where and not (host and port.isdigit()):
            raise ValueError(f"--broker {name}: give ib:HOST:PORT, as in ib:127.0.0.1:7497")
        place = {"host": host, "port": int(port)} if where else {}
        return IbBroker(symbols, account=_told(environment, ACCOUNT, name), **place)  # type: ignore[arg-type]
    if kind == "ccxt" and where:
        from live.adapters.ccxt import CcxtBroker

        pairs = {instrument: symbol if "/" in symbol else f"{symbol}/USDT" for instrument, symbol in symbols.items()}
        return CcxtBroker(where, pairs, _told(environment, KEY, name), _told(environment, SECRET, name),
                          password=environment.get(PASSWORD, ""), dashes=not where.startswith("okx"))
    raise ValueError(f"no broker '{name}'; there are paper, {NAMES}")


def _told(environment: Mapping[str, str], name: str, broker: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ValueError(f"--broker {broker} needs {name} in the environment")
    return value
