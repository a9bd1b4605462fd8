"""Small bodies in the vendors' own formats, made here, for tests that change them in every way."""

import datetime as dt
import gzip
import json
from typing import Any

GROUPED_PATH = "polygon/rest/v2/aggs/grouped/locale/us/market/stocks/2025-06-30.json"
MINUTES_PATH = "polygon/rest/v2/aggs/ticker/AAA/range/1/minute/2025-06-30/2025-06-30.json"
DAYS_PATH = "polygon/rest/v2/aggs/ticker/AAA/range/1/day/2025-06-27/2025-06-30.json"
FLAT_DAYS_PATH = "polygon/flatfiles/us_stocks_sip/day_aggs_v1/2025/06/2025-06-30.csv.gz"
FLAT_MINUTES_PATH = "polygon/flatfiles/us_stocks_sip/minute_aggs_v1/2025/06/2025-06-30.csv.gz"
TICKERS_PATH = "polygon/rest/v3/reference/tickers/listed-0001.json"
EVENTS_PATH = "polygon/rest/vX/reference/tickers/BBG000MM2P62/events.json"
SPLITS_PATH = "polygon/rest/stocks/v1/splits/all-0001.json"
OLD_SPLITS_PATH = "polygon/rest/v3/reference/splits/all-0001.json"
DIVIDENDS_PATH = "polygon/rest/stocks/v1/dividends/all-0001.json"
CHAIN_PATH = "cboe/options/_SPX/2025-06-30.json"
QUOTEDATA_PATH = "cboe/quotedata/spx_quotedata.csv"
TRADES_PATH = "cme/dbn/es.dbn.zst"
INDEX_PATH = "cboe/indices/VIX_History.csv"
STATISTICS_PATH = "cboe/daily/2025-06-30_daily_options"
DETAILS_PATH = "cme/volume_details/437_20250630_F.json"


def bar(ticker: str, close: float = 10.0, **more: Any) -> dict[str, Any]:
    row = {"T": ticker, "o": 10.0, "h": max(11.0, close), "l": min(9.0, close), "c": close, "v": 1000, "n": 10}
    return {**row, "vw": 10.0, "t": 1751313600000, **more}


def dump(document: Any) -> bytes:
    return json.dumps(document).encode()


def envelope(results: Any, **more: Any) -> bytes:
    return dump({"status": "OK", "request_id": "x", "results": results, **more})


def grouped(*rows: Any) -> bytes:
    return envelope(list(rows), adjusted=False, resultsCount=len(rows))


def minute(hour: int, minute_: int, close: float = 10.0) -> dict[str, Any]:
    """A bar of 2025-06-30, at this time in New York."""
    start = dt.datetime(2025, 6, 30, hour + 4, minute_, tzinfo=dt.UTC)
    return {"t": int(start.timestamp() * 1000), "o": 10.0, "h": 11.0, "l": 9.0, "c": close, "v": 100}


def flat(*lines: str, header: str = "ticker,volume,open,close,high,low,window_start,transactions") -> bytes:
    return gzip.compress("\n".join([header, *lines, ""]).encode(), mtime=0)


def option(name: str, **more: Any) -> dict[str, Any]:
    row = {"option": name, "bid": 1.0, "ask": 1.2, "iv": 0.2, "open_interest": 5.0, "volume": 7.0, "delta": 0.5,
           "gamma": 0.01, "vega": 0.1, "theta": -0.1, "last_trade_price": 1.1}  # fmt: skip
    return {**row, **more}


def chain(*options: Any, timestamp: str = "2025-06-30 20:32:00", last: str | None = "2025-06-30T16:14:59") -> bytes:
    data = {"symbol": "^SPX", "current_price": 6200.5, "iv30": 28.96, "last_trade_time": last, "options": list(options)}
    return dump({"timestamp": timestamp, "symbol": "_SPX", "data": data})


def quotedata(*lines: str, when: str = "June 30, 2025 at 4:31 PM EDT") -> bytes:
    side = "Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
    head = f'S&P 500,Last: 6200.5,Change:  1.85\r\n"Date: {when}",Bid: 1,Ask: 2,Size: 1*1,"Volume: 1,000"\r\n'
    return (head + f"Expiration Date,Calls,{side},Strike,Puts,{side}\r\n" + "\r\n".join(lines) + "\r\n").encode()


def statistics(**more: Any) -> bytes:
    ratios = [{"name": "TOTAL PUT/CALL RATIO", "value": "0.78"}, {"name": "SPX + SPXW PUT/CALL RATIO", "value": "1.21"}]
    volume = {"name": "VOLUME", "call": 100, "put": 78, "total": 178}
    interest = {"name": "OPEN INTEREST", "call": 1000, "put": 2000, "total": 3000}
    return dump({"ratios": ratios, "SUM OF ALL PRODUCTS": [volume, interest], "SPX + SPXW": volume, **more})


def details(*months: Any, **more: Any) -> bytes:
    rows = months or ({"month": "AUG 2025", "totalVolume": "1,234", "atClose": "5,678"},
                      {"month": "DEC 2025", "totalVolume": "-", "atClose": "87"})  # fmt: skip
    told = {"tradeDate": "20250630", "monthData": list(rows), "updateTime": "2025-07-01T06:20:07.000Z", "empty": False}
    return dump({**told, **more})


def dbn(*trades: Any, symbols: dict[int, str] | None = None) -> bytes:
    """(ts_event ns, price, size, side) of instrument 1, or of what `symbols` names; raw fields may follow."""
    import databento_dbn as databento
    import numpy as np
    import zstandard

    from pipelines.sandbox.databento_wire import _Interval, _Mapping
    from pipelines.vendors.cme import _RECORD

    named = symbols or {1: "ESU5"}
    spans = [_Interval(dt.date(2025, 6, 1), dt.date(2025, 8, 1), str(number)) for number in named]
    mappings: Any = [_Mapping(symbol, [span]) for symbol, span in zip(named.values(), spans, strict=True)]
    metadata = databento.Metadata(
        dataset="GLBX.MDP3", start=0, end=None, stype_in=databento.SType.PARENT,
        stype_out=databento.SType.INSTRUMENT_ID, schema=databento.Schema.TRADES, symbols=["ES.FUT"], partial=[],
        not_found=[], mappings=mappings,
    )  # fmt: skip
    records = np.zeros(len(trades), dtype=_RECORD)
    for record, (moment, price, size, side, *raw) in zip(records, trades, strict=True):
        record["length"], record["instrument"], record["ts_event"] = 12, next(iter(named)), moment
        record["price"], record["size"], record["side"] = round(price * 1e9), size, side.encode()
        record["action"], record["ts_recv"] = b"T", moment
        for name, value in raw[0].items() if raw else ():
            record[name] = value
    return zstandard.ZstdCompressor().compress(metadata.encode() + records.tobytes())


SNAPSHOT_PATH = "polygon/rest/v3/snapshot/options/I:SPX/2025-06-30-0001.json"
INDEX_AGGS_PATH = "polygon/rest/v2/aggs/ticker/I:VIX/range/1/day/2025-06-01/2025-06-30.json"
FLAT_INDEX_PATH = "polygon/flatfiles/us_indices/day_aggs_v1/2025/06/2025-06-30.csv.gz"
UPCOMING_PATH = "polygon/rest/v1/marketstatus/upcoming.json"
CLOSED_NS = int(dt.datetime(2025, 6, 30, 20, 2, tzinfo=dt.UTC).timestamp()) * 1_000_000_000
DAY_NS = int(dt.datetime(2025, 6, 30, 4, tzinfo=dt.UTC).timestamp()) * 1_000_000_000


def pictured(name: str, **more: Any) -> dict[str, Any]:
    """One contract of an option chain snapshot."""
    row = {
        "details": {"ticker": name, "shares_per_contract": 100,
                    "contract_type": "put" if name[-9:-8] == "P" else "call"},
        "day": {"volume": 7, "close": 1.1, "last_updated": DAY_NS},
        "greeks": {"delta": 0.5, "gamma": 0.01, "theta": -0.1, "vega": 0.1},
        "implied_volatility": 0.2, "last_quote": {"bid": 1.0, "ask": 1.2, "last_updated": CLOSED_NS},
        "last_trade": {"price": 1.15}, "open_interest": 5,
        "underlying_asset": {"ticker": "I:SPX", "value": 6200.5, "last_updated": CLOSED_NS},
    }  # fmt: skip
    return {**row, **more}


def flat_index(*lines: str) -> bytes:
    return flat(*lines, header="ticker,open,close,high,low,window_start")


def upcoming(*days: Any) -> bytes:
    rows = days or (
        {"date": "2025-07-03", "exchange": "NYSE", "name": "Independence Day", "status": "early-close",
         "open": "2025-07-03T13:30:00.000Z", "close": "2025-07-03T17:00:00.000Z"},
        {"date": "2025-07-04", "exchange": "NYSE", "name": "Independence Day", "status": "closed"},
    )  # fmt: skip
    return dump(list(rows))
