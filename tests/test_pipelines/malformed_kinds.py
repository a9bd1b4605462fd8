"""One entry a parser: where its bodies lie, what a good row is, how rows are put together, how each can be spoilt."""

import datetime as dt
import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines import calendars
from pipelines.vendors.times import midnight_at
from tests.test_pipelines import bodies
from tests.test_pipelines.malformed_spoils import Spoil, cell_spoils, json_spoils
from tests.test_pipelines.malformed_streams import definition, futures_bar, micros, of_kind, statistic_told

DAYS = calendars.sessions(dt.date(2023, 1, 3), dt.date(2025, 6, 27))
DAY = dt.date(2025, 6, 30)
Wrap = Callable[[list[Any], int, random.Random], bytes]
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
INDEX_HEADER = ("ticker", "open", "close", "high", "low", "window_start")
FLAT_HEADER = ("ticker", "volume", "open", "close", "high", "low", "window_start", "transactions")


@dataclass(frozen=True)
class Kind:
    """`record(number, place)` is a good row of the number-th body; `grain(record, number)` what identifies its fact, as
    `column` reads it from the lake. `unbelievable` are bodies refused whole for what they say."""

    dataset: str
    path: Callable[[int], str]
    record: Callable[[int, int], Any]
    wrap: Wrap
    grain: Callable[[Any, int], Any]
    column: Callable[[dict[str, Any]], Any]
    spoils: list[Spoil]
    form: str = "json"
    junk: tuple[Any, ...] = (None, "AAPL", [1, 2], 5)
    repeats: bool = True
    paired: bool = False
    single: bool = False  # a body is of one row
    anchored: bool = False  # the first row says when the body is of
    unbelievable: tuple[tuple[Callable[[list[Any], int], bytes], set[str]], ...] = ()


def day_of(number: int, place: int = 0) -> dt.date:
    """Another day for each body of a kind, and for each row where rows have days of their own."""
    return DAYS[number // len(KINDS) % (len(DAYS) - 40) + place]


def name_of(number: int, place: int) -> str:
    return f"A{number * 40 + place}"


def dressed(chance: random.Random, document: Any) -> bytes:
    """The same document in another dress: a mark of its encoding, other line ends, one key more."""
    if isinstance(document, dict) and chance.random() < 0.3:
        document = {"brand_new": [1, {"x": None}], **document}
    text = json.dumps(document, indent=chance.choice([None, None, 1]))
    return chance.choice(["", "", "\ufeff", "\r\n "]).encode() + text.encode()


def rest(**more: Any) -> Wrap:
    return lambda rows, number, chance: dressed(chance, {"status": "OK", "results": rows, **more})


def alone(rows: list[Any], number: int, chance: random.Random) -> bytes:
    return dressed(chance, {"status": "OK", "results": rows[0]})


def flat(header: tuple[str, ...]) -> Wrap:
    """Columns in any order, unknown ones among them; a row of another number of cells stays so."""

    def wrap(rows: list[dict[str, str]], number: int, chance: random.Random) -> bytes:
        order = [*chance.sample(header, len(header)), *chance.choice([[], ["brand_new"]])]
        ends = chance.choice(["\n", "\r\n"])
        lines = [",".join(order)]
        for row in rows:
            cells = [row.get(name, "7") for name in order]
            lines.append(",".join(cells[: len(cells) - int(row.get("less", 0))] + ["1"] * int(row.get("more", 0))))
        return gzip.compress((chance.choice(["", "\ufeff"]) + ends.join(lines) + ends).encode(), mtime=0)

    return wrap


def flat_bar(start_ns: int, ticker: str) -> dict[str, str]:
    return dict(zip(FLAT_HEADER, (ticker, "1000.5", "10", "10.5", "11", "9", str(start_ns), "7"), strict=True))


def flat_path(kind: str, number: int) -> str:
    day = day_of(number)
    return f"polygon/flatfiles/{kind}/{day:%Y/%m}/{day}.csv.gz"


def in_minutes(number: int, place: int) -> int:
    """A minute of the number-th day's morning, in microseconds."""
    return midnight_at(day_of(number)) + (570 + place) * 60_000_000


def ticker_and_session(row: dict[str, Any]) -> Any:
    return row["ticker"], row["session"]


def ticker_and_minute(row: dict[str, Any]) -> Any:
    return row["ticker"], int(row["bar_start"].timestamp() * 1000)


def option_name(number: int, place: int) -> str:
    return f"SPXW250630C{number * 40 + place + 1:08d}"


def quoted(rows: list[dict[str, str]], number: int, chance: random.Random) -> bytes:
    names = ("contract", "last", "net", "bid", "ask", "volume", "iv", "delta", "gamma", "oi")
    lines = []
    for call, put in zip(rows[::2], rows[1::2], strict=True):
        sides = [",".join(half[name] for name in names) for half in (call, put)]
        lines.append(f"{call['expiry']},{sides[0]},{call['strike']},{sides[1]}")
    body = bodies.quotedata(*lines)
    return chance.choice([body, body.replace(b"\r\n", b"\n"), b"\r\n" + body, b"\xef\xbb\xbf" + body])


def half(number: int, place: int) -> dict[str, str]:
    strike = number * 40 + place // 2 + 1
    return {"expiry": "Mon Jun 30 2025", "strike": f"{strike / 1000:.3f}", "last": "1", "net": "0", "bid": "1",
            "contract": f"SPXW250630{'CP'[place % 2]}{strike:08d}", "ask": "2", "volume": "3", "iv": "0.2",
            "delta": "0.5", "gamma": "0.01", "oi": "4"}  # fmt: skip


def levels(number: int, place: int) -> list[str]:
    return [f"{day_of(number, place):%m/%d/%Y}", "16.9", "17.2", "16.6", "16.7"]


def history(rows: list[list[str]], number: int, chance: random.Random) -> bytes:
    ends = chance.choice(["\n", "\r\n"])
    head = chance.choice(["", "\ufeff", f"Some words, and more{ends}"])
    lines = [",".join(row) for row in (["DATE", "OPEN", "HIGH", "LOW", "CLOSE"], *rows)]
    return (head + ends.join(lines) + ends).encode()


def statistic(number: int, place: int) -> list[Any]:
    return [f"PRODUCT {place}", [{"name": "VOLUME", "call": 5, "put": 6, "total": 11},
                                 {"name": "OPEN INTEREST", "call": 50.0, "put": "60", "total": 110}]]  # fmt: skip


def statistics(rows: list[Any], number: int, chance: random.Random) -> bytes:
    return dressed(chance, {"ratios": [], **dict(rows)})


def month(number: int, place: int) -> dict[str, str]:
    return {"month": f"{MONTHS[place % 12]} {2025 + place // 12}", "totalVolume": "1,234", "atClose": "-"}


def day_report(rows: list[Any], number: int, chance: random.Random, **more: Any) -> bytes:
    told = {"tradeDate": f"{day_of(number):%Y%m%d}", "monthData": rows, "updateTime": "2025-07-01T06:20:07.000Z"}
    return dressed(chance, {**told, **more})


def trade(number: int, place: int) -> tuple[Any, ...]:
    """A price below nothing is a price of futures."""
    return bodies.DAY_NS + 36_000_000_000_000 + (number * 40 + place) * 1_000_000, -37.63, 2, "BAN"[place % 3], {}


CALM = random.Random(0)
ROW = {"o": "price", "c": "price", "h": "high", "l": "low", "v": "volume"}
OPTION = {"option": "contract", "bid": "quote", "ask": "quote", "iv": "iv", "delta": "delta", "gamma": "gamma",
          "volume": "volume", "open_interest": "volume"}  # fmt: skip
PICTURE = {"details.ticker": "contract", "last_quote.bid": "quote?", "implied_volatility": "iv?",
           "greeks.delta": "delta?", "greeks.gamma": "gamma?", "open_interest": "volume?",
           "details.strike_price": "strike?", "details.contract_type": "right?"}  # fmt: skip
FLAT = {"ticker": "name", "open": "price", "high": "high", "low": "low", "volume": "volume", "window_start": "ns",
        "transactions": "count", "more": "more", "less": "less"}  # fmt: skip
ADJUSTED = (lambda rows, number: bodies.envelope(rows, adjusted=True), {"bad_print"})
OTHERS = (lambda rows, number: bodies.envelope(rows, ticker="ZZZZ"), {"bad_symbol"})
SPLIT = {"ticker": "name", "execution_date": "date", "split_from": "ratio", "split_to": "ratio"}
DIVIDEND = {"ticker": "name", "ex_dividend_date": "date", "cash_amount": "cash", "pay_date": "date?"}


def split(number: int, place: int) -> dict[str, Any]:
    return {"ticker": name_of(number, place), "execution_date": str(DAY), "split_from": 1, "split_to": 2}


def dividend(number: int, place: int) -> dict[str, Any]:
    return {"ticker": name_of(number, place), "ex_dividend_date": str(DAY), "cash_amount": 0.5, "dividend_type": "CD"}


def vendor_id(row: dict[str, Any]) -> Any:
    return row["vendor_id"]


KINDS = (
    Kind("equity_bars", lambda n: bodies.GROUPED_PATH.replace("2025-06-30", str(day_of(n))),
         lambda n, i: bodies.bar(name_of(n, i)), rest(adjusted=False), lambda row, n: (row["T"], day_of(n)),
         ticker_and_session, json_spoils({**ROW, "T": "name", "n": "count?"}), unbelievable=(ADJUSTED,)),
    Kind("equity_minutes", lambda n: bodies.MINUTES_PATH.replace("AAA", f"A{n}"),
         lambda n, i: {**bodies.minute(10, i), "n": 3}, rest(), lambda row, n: (f"A{n}", row["t"]),
         ticker_and_minute, json_spoils({**ROW, "t": "ms", "n": "count?"}), unbelievable=(ADJUSTED, OTHERS)),
    Kind("equity_bars", lambda n: bodies.DAYS_PATH.replace("AAA", f"D{n}"),
         lambda n, i: {**bodies.bar("", t=midnight_at(day_of(n, i)) // 1000)}, rest(ticker=None),
         lambda row, n: (f"D{n}", row["t"]), lambda row: (row["ticker"], midnight_at(row["session"]) // 1000),
         json_spoils({**ROW, "t": "ms"}), unbelievable=(ADJUSTED, OTHERS)),
    Kind("equity_bars", lambda n: flat_path("us_stocks_sip/day_aggs_v1", n),
         lambda n, i: flat_bar(midnight_at(day_of(n)) * 1000, name_of(n, i)), flat(FLAT_HEADER),
         lambda row, n: (row["ticker"], day_of(n)), ticker_and_session, cell_spoils(FLAT), form="gz", junk=()),
    Kind("equity_minutes", lambda n: flat_path("us_stocks_sip/minute_aggs_v1", n),
         lambda n, i: flat_bar(in_minutes(n, i) * 1000, name_of(n, 0)), flat(FLAT_HEADER),
         lambda row, n: (row["ticker"], int(row["window_start"]) // 1_000_000),
         ticker_and_minute, cell_spoils(FLAT), form="gz", junk=()),
    Kind("index_bars", lambda n: bodies.INDEX_AGGS_PATH.replace("VIX", f"X{n}"),
         lambda n, i: {"t": midnight_at(day_of(n, i)) // 1000, "o": 16.9, "h": 17.2, "l": 16.6, "c": 16.7},
         rest(),
         lambda row, n: (f"X{n}", row["t"]), lambda row: (row["index"], midnight_at(row["session"]) // 1000),
         json_spoils({"c": "price", "o": "price", "h": "high", "t": "ms"}), unbelievable=(OTHERS,)),
    Kind("index_bars", lambda n: flat_path("us_indices/day_aggs_v1", n),
         lambda n, i: {**flat_bar(midnight_at(day_of(n)) * 1000, f"I:Y{n * 40 + i}")}, flat(INDEX_HEADER),
         lambda row, n: (row["ticker"][2:], midnight_at(day_of(n)) // 1000),
         lambda row: (row["index"], midnight_at(row["session"]) // 1000),
         cell_spoils({name: role for name, role in FLAT.items() if name not in ("volume", "transactions", "low")}),
         form="gz", junk=()),
    Kind("option_snapshots", lambda n: f"polygon/rest/v3/snapshot/options/I:SPX/p{n}-0001.json",
         lambda n, i: bodies.pictured(f"O:{option_name(n, i)}"), rest(),
         lambda row, n: row["details"]["ticker"][2:], lambda row: row["contract"], json_spoils(PICTURE), anchored=True,
         unbelievable=((lambda rows, n: bodies.envelope([{**row, "underlying_asset": {}} for row in rows]),
                        {"missing_field"}),)),
    Kind("market_days", lambda n: f"polygon/rest/v1/marketstatus/p{n}.json",
         lambda n, i: {"date": "2025-07-04", "exchange": name_of(n, i), "name": "Holiday", "status": "closed"},
         lambda rows, n, chance: dressed(chance, rows), lambda row, n: row["exchange"], lambda row: row["exchange"],
         json_spoils({"exchange": "text", "date": "date", "status": "status", "open": "moment?"})),
    Kind("tickers", lambda n: f"polygon/rest/v3/reference/tickers/p{n}-0001.json",
         lambda n, i: {"ticker": name_of(n, i), "market": "stocks", "active": True, "composite_figi": f"F{n}-{i}",
                       "cik": "1"}, rest(), lambda row, n: row["ticker"], lambda row: row["ticker"],
         json_spoils({"ticker": "name", "active": "flag", "delisted_utc": "date?", "cik": "text?"})),
    Kind("ticker_details", lambda n: f"polygon/rest/v3/reference/tickers/BBG{n:09d}/overview.json",
         lambda n, i: {"ticker": name_of(n, 0), "market": "stocks", "sic_code": "3571", "composite_figi": f"BBG{n:09d}",
                       "cik": "1"}, alone, lambda row, n: row["ticker"], lambda row: row["ticker"],
         json_spoils({"ticker": "name", "list_date": "date?", "cik": "text?"}), junk=(), repeats=False, single=True),
    Kind("ticker_events", lambda n: f"polygon/rest/vX/reference/tickers/C{n}/events.json",
         lambda n, i: {"type": "ticker_change", "date": str(day_of(n, i)), "ticker_change": {
             "ticker": name_of(n, i)}},
         lambda rows, n, chance: dressed(chance, {"status": "OK", "results": {"cik": str(n), "events": rows}}),
         lambda row, n: (str(n), row["date"], row["ticker_change"]["ticker"]),
         lambda row: (row["cik"], str(row["event_date"]), row["ticker"]),
         json_spoils({"date": "date", "ticker_change.ticker": "name"})),
    Kind("splits", lambda n: f"polygon/rest/stocks/v1/splits/p{n}-0001.json",
         lambda n, i: {"id": f"E{n}-{i}", **split(n, i)}, rest(), lambda row, n: row["id"], vendor_id,
         json_spoils({**SPLIT, "id": "text?"})),
    Kind("splits", lambda n: f"polygon/rest/v3/reference/splits/p{n}-0001.json", split, rest(),
         lambda row, n: f"v3:{row['ticker']}:{DAY}", vendor_id, json_spoils(SPLIT)),
    Kind("dividends", lambda n: f"polygon/rest/stocks/v1/dividends/p{n}-0001.json",
         lambda n, i: {"id": f"E{n}-{i}", **dividend(n, i)}, rest(), lambda row, n: row["id"], vendor_id,
         json_spoils({**DIVIDEND, "currency": "text?"})),
    Kind("dividends", lambda n: f"polygon/rest/v3/reference/dividends/p{n}-0001.json", dividend, rest(),
         lambda row, n: f"v3:{row['ticker']}:{DAY}:CD", vendor_id, json_spoils(DIVIDEND)),
    Kind("option_chain", lambda n: f"cboe/options/_SPX/{n}.json", lambda n, i: bodies.option(option_name(n, i)),
         lambda rows, n, chance: dressed(chance, json.loads(bodies.chain(*rows))), lambda row, n: row["option"],
         lambda row: row["contract"], json_spoils(OPTION), unbelievable=(
             (lambda rows, n: bodies.chain(*rows, timestamp="2025-06-30T20:32"), {"bad_time"}),
             (lambda rows, n: bodies.chain(*rows, timestamp="1970-01-01 00:00:00"), {"bad_time"}),
             (lambda rows, n: bodies.chain(*rows, timestamp="2031-01-01 00:00:00", last=None), {"bad_time"}),
             (lambda rows, n: bodies.chain(*rows, last="noon"), {"bad_time"}),
             (lambda rows, n: bodies.chain(*rows).replace(b"^SPX", b"s p x"), {"bad_symbol"}))),
    Kind("option_chain", lambda n: f"cboe/quotedata/spx_quotedata_{n}.csv", half, quoted,
         lambda row, n: row["contract"], lambda row: row["contract"],
         cell_spoils({"contract": "contract", "bid": "quote", "iv": "iv", "delta": "delta", "volume": "volume",
                      "oi": "volume"}), form="text", junk=(), repeats=False, paired=True, unbelievable=(
             (lambda rows, n: quoted(rows[: len(rows) // 2 * 2], n, CALM).replace(b"June", b"Junk"), {"bad_time"}),)),
    Kind("index_levels", lambda n: f"cboe/indices/X{n}_History.csv", levels, history,
         lambda row, n: (f"X{n}", row[0]), lambda row: (row["index"], f"{row['session']:%m/%d/%Y}"),
         cell_spoils({0: "us_date", 4: "level", 2: "high", 5: "extra"}), form="text", junk=(), unbelievable=(
             (lambda rows, n: b"DATE,OTHER\n06/30/2025,12.5\n", {"schema_drift"}),)),
    Kind("market_statistics", lambda n: f"cboe/daily/{day_of(n)}_daily_options", statistic, statistics,
         lambda row, n: (day_of(n), row[0]), lambda row: (row["session"], row["product"]),
         json_spoils({"1.0.call": "commas", "1.1.put": "commas"}), junk=(), repeats=False),
    Kind("volume_details", lambda n: f"cme/volume_details/437_{day_of(n):%Y%m%d}_F.json", month, day_report,
         lambda row, n: (day_of(n), row["month"][:3], row["month"][-4:]),
         lambda row: (row["session"], MONTHS[int(row["contract_month"][-2:]) - 1], row["contract_month"][:4]),
         json_spoils({"month": "month", "totalVolume": "commas", "atClose": "commas"}), unbelievable=(
             (lambda rows, n: day_report(rows, n, CALM, tradeDate="yesterday"), {"bad_time"}),)),
    Kind("futures_trades", lambda n: f"cme/dbn/trades-{n}.dbn.zst", trade,
         lambda rows, n, chance: bodies.dbn(*rows), lambda row, n: row[0] // 1000,
         lambda row: int(row["ts_event"].timestamp() * 1_000_000 + 0.5),
         cell_spoils({2: "size", 3: "side", 4: "raw"}), form="dbn", junk=(), repeats=False),
    Kind("futures_ohlcv", lambda n: f"cme/dbn/bars-{n}.dbn.zst", futures_bar, of_kind("OHLCVMsg"),
         lambda row, n: row[0]["ts_event"] // 1000, lambda row: micros(row["bar_start"]), cell_spoils({1: "ohlcv"}),
         form="dbn", junk=()),
    Kind("futures_definitions", lambda n: f"cme/dbn/definitions-{n}.dbn.zst", definition,
         of_kind("InstrumentDefMsg", "InstrumentDefMsgV1", "InstrumentDefMsgV2"),
         lambda row, n: row[0]["instrument"], lambda row: row["instrument_no"], cell_spoils({1: "definition"}),
         form="dbn", junk=(), repeats=False),
    Kind("futures_statistics", lambda n: f"cme/dbn/statistics-{n}.dbn.zst", statistic_told,
         of_kind("StatMsg", "StatMsgV1"), lambda row, n: row[0]["ts_recv"] // 1000, lambda row: micros(row["told_at"]),
         cell_spoils({1: "statistic"}), form="dbn", junk=()),
)  # fmt: skip
