"""Databento's live gateway, spoken by a local one: login, subscription, records, and its ways to fail."""

import datetime as dt
from typing import Any

import pytest
from databento_dbn import Metadata, OHLCVMsg, RType, Schema, SType, SymbolMappingMsg, SystemMsg

from live.adapters.feed_databento import DatabentoConnection
from live.adapters.feed_stream import FeedRefused, StreamedFeed
from live.ports import Bar
from live.secret import Secret
from tests.test_live.feed_market import (
    DAY,
    END_US,
    OPEN,
    OPEN_US,
    SHORT,
    Market,
    bar,
    heard,
)
from tests.test_live.test_running import until
from tests.test_live.wires import (
    KEY,
    Gateway,
    gateway,
)


def records(symbol: str, bars: list[Bar]) -> list[bytes]:
    """A live DBN stream: metadata, a mapping, a heartbeat, bars."""
    made = Metadata(dataset="GLBX.MDP3", start=0, stype_in=SType.RAW_SYMBOL, stype_out=SType.INSTRUMENT_ID,
                    schema=Schema.OHLCV_1M, symbols=[], partial=[], not_found=[], mappings=[], ts_out=False)
    mapping = SymbolMappingMsg(1, 7, OPEN_US * 1000, SType.RAW_SYMBOL, symbol, SType.INSTRUMENT_ID, "7",
                               OPEN_US * 1000, OPEN_US * 1000)
    beat = SystemMsg(OPEN_US * 1000, "Heartbeat")
    parts = [made.encode(), bytes(mapping), bytes(beat)]
    for one in bars:
        prices = [round(price * 1e9) for price in (one.open, one.high, one.low, one.close)]
        parts.append(bytes(OHLCVMsg(RType.OHLCV_1M, 1, 7, one.start_us * 1000, *prices, int(one.volume))))
    return parts


def databento(told: Gateway, market: Market, key: str = KEY, **more: Any) -> StreamedFeed:
    wire = DatabentoConnection(Secret(key), {"ESU5": "ES"}, "127.0.0.1", told.port)
    market.feed = StreamedFeed(wire, None, market.pace, SHORT, look_s=0.005, backoff_s=(0.01,), **more)
    return market.feed


def test_databento_logs_in_subscribes_and_its_records_become_bars() -> None:
    market = Market(OPEN + dt.timedelta(minutes=1))
    sent = [bar("ES", minute, 5612.25) for minute in range(3)]
    with gateway(Gateway(records("ESU5", sent))) as told:
        one = databento(told, market)
        assert one.sessions() == [DAY]
        until(lambda: one.counts["arrived"] == 3)
        market.end()
        bars, _ = heard(one, started=True)
    assert bars == sent
    auth, subscription, start = told.lines
    assert "dataset=GLBX.MDP3|encoding=dbn" in auth and KEY not in auth
    assert subscription == "schema=ohlcv-1m|stype_in=raw_symbol|symbols=ESU5|snapshot=0|is_last=1"
    assert start == "start_session=0"


def test_databento_refuses_a_wrong_key_once_and_a_gateway_that_breaks_off_is_asked_again() -> None:
    with gateway(Gateway([])) as told:
        one = databento(told, Market(OPEN), "db-" + "x" * 29)
        with pytest.raises(FeedRefused, match="Authentication failed"):
            one.sessions()
        one.close()
        assert told.connections == 1
    said: list[str] = []
    ready = Gateway(records("ESU5", [bar("ES", 0)]))
    ready.linger.set()  # it closes right after what it has to say
    market = Market(OPEN)
    with gateway(ready) as told:
        one = databento(told, market, say=said.append)
        assert one.sessions() == [DAY]
        until(lambda: told.connections > 2)
        market.end(at_us=END_US + 600_000_000)
        bars, _ = heard(one, started=True)
    assert bars == [bar("ES", 0)] and one.counts["repeated"] > 0 and "gap from" in " ".join(said)
