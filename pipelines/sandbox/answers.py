"""What each vendor would answer at a moment, as pure functions of the market: status, body and kind."""

import datetime as dt
import json
from dataclasses import dataclass
from urllib.parse import unquote

from pipelines.sandbox import (
    cboe_statistics,
    cboe_wire,
    cme_wire,
    databento_reference,
    databento_wire,
    polygon_aggs,
    polygon_reference,
)
from pipelines.sandbox.market import FEED_DELAY, Market

USD_A_BYTE = 1e-6  # what the sandbox pretends to charge for trades when it is asked for the price
HISTORY_PATH = "/api/global/us_indices/daily_prices/"
STATISTICS_PATH, STATISTICS_SUFFIX = "/data/us/options/market_statistics/daily/", "_daily_options"
DETAILS_PATH = "/CmeWS/mvc/Volume/Details/F/"
SCHEMAS = ("trades", "definition", "statistics")
ROOTS = {"133": "ES", "146": "NQ"}  # by the number that the exchange's site gives a product
CHAIN_PATH = "/api/global/delayed_quotes/options/_SPX.json"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    kind: str = "application/json"


_DENIED = Answer(403, b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "application/xml")


def polygon_error(status: int, word: str, text: str) -> Answer:
    field = "error" if status in (400, 401) else "message"
    body = {"status": word, "request_id": polygon_aggs.request_id(status, text), field: text}
    return Answer(status, polygon_aggs.dump(body))


def polygon(market: Market, path: str, query: dict[str, str], now: dt.datetime, feed: bool) -> Answer:
    parts = [unquote(part) for part in path.strip("/").split("/")]
    try:
        if parts[:2] == ["v2", "aggs"] and query.get("adjusted", "true") != "false":
            return polygon_error(400, "ERROR", "The sandbox serves raw prices only: ask with adjusted=false")
        if parts[:-1] == "v2/aggs/grouped/locale/us/market/stocks".split("/"):
            return Answer(200, polygon_aggs.grouped(market, dt.date.fromisoformat(parts[-1]), now))
        if parts[:3] == ["v2", "aggs", "ticker"] and parts[4:7] == ["range", "1", "minute"]:
            first, last = (dt.date.fromisoformat(text) for text in parts[7:9])
            return Answer(200, polygon_aggs.minute_range(market, parts[3], first, last, now, feed=feed))
        if parts[:3] == ["v2", "aggs", "ticker"] and parts[4:7] == ["range", "1", "day"]:
            first, last = (dt.date.fromisoformat(text) for text in parts[7:9])
            return Answer(200, polygon_aggs.day_range(market, parts[3], first, last, now))
        if path == "/v1/marketstatus/now":
            return Answer(200, polygon_reference.market_status(market, now))
        if parts[:3] == ["vX", "reference", "tickers"] and parts[4:] == ["events"]:
            company = polygon_reference.find(market, parts[3], now)
            if company is None:
                return polygon_error(404, "NOT_FOUND", "Ticker not found.")
            return Answer(200, polygon_reference.events(market, company, now))
        if parts[:-1] == ["v3", "reference", "tickers"]:
            told = polygon_reference.overview(market, parts[-1], query, now)
            return polygon_error(404, "NOT_FOUND", "Ticker not found.") if told is None else Answer(200, told)
        lists = {
            "/v3/reference/tickers": polygon_reference.tickers,
            "/stocks/v1/splits": polygon_reference.splits,
            "/stocks/v1/dividends": polygon_reference.dividends,
        }
        if path in lists:
            if "cursor" in query:
                query = polygon_reference.from_cursor(query["cursor"])
            return Answer(200, lists[path](market, path, query, now))
    except ValueError as problem:
        return polygon_error(400, "ERROR", f"Could not parse the request: {problem}")
    return polygon_error(404, "NOT_FOUND", f"The sandbox has no {path}")


def history(market: Market, path: str, now: dt.datetime) -> Answer:
    found = cboe_wire.history_body(market, path.removeprefix(HISTORY_PATH).removesuffix("_History.csv"), now)
    return _DENIED if found is None else Answer(200, found, "text/csv")


def statistics(market: Market, path: str, now: dt.datetime) -> Answer:
    try:
        session = dt.date.fromisoformat(path.removeprefix(STATISTICS_PATH).removesuffix(STATISTICS_SUFFIX))
    except ValueError:
        return _DENIED
    found = cboe_statistics.statistics_body(market, session, now)
    return _DENIED if found is None else Answer(200, found)


def cme_site(market: Market, path: str, now: dt.datetime) -> Answer:
    try:
        product, date, kind = path.removeprefix(DETAILS_PATH).split("/")
        root, session = ROOTS[product], dt.date.fromisoformat(date)
    except (ValueError, KeyError):
        return Answer(404, b"<html><body>Page not found</body></html>", "text/html")
    if root not in market.settings.sandbox.roots or kind not in ("P", "F"):
        return Answer(404, b"<html><body>Page not found</body></html>", "text/html")
    return Answer(200, cme_wire.details_body(market, session, root, kind, now))


def cboe(market: Market, query: dict[str, str], now: dt.datetime) -> Answer:
    """The newest chain; `?session=` is the sandbox's own archive of older ones."""
    try:
        asked = dt.date.fromisoformat(query["session"]) if "session" in query else None
    except ValueError:
        asked = dt.date.min
    number = cboe_wire.find_session(market, now, asked)
    if number is None:
        return _DENIED
    return Answer(200, cboe_wire.chain_body(market, number))


def databento_error(status: int, case: str, message: str) -> Answer:
    detail = {"case": case, "message": message, "status_code": status, "docs": "https://databento.com/docs"}
    return Answer(status, json.dumps({"detail": detail}).encode())


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _stream(market: Market, form: dict[str, str], now: dt.datetime) -> Answer:
    wanted = {"dataset": "GLBX.MDP3", "stype_in": "parent", "encoding": "dbn"}
    roots = {f"{root}.FUT": root for root in market.settings.sandbox.roots}
    told = {name: [value] for name, value in wanted.items()} | {"symbols": list(roots), "schema": list(SCHEMAS)}
    for name, values in told.items():
        if form.get(name, values[0]) not in values:
            only = " or ".join(values)
            return databento_error(422, "sandbox_limit", f"The sandbox serves {name}={only} only, not {form[name]}")
    try:
        start, end = _moment(form["start"]), _moment(form["end"])
    except (KeyError, ValueError) as problem:
        return databento_error(422, "data_time_range_invalid", f"start and end are needed, in ISO 8601: {problem}")
    available = now - FEED_DELAY
    if end > available:
        return databento_error(
            422, "data_end_after_available_end",
            f"The dataset GLBX.MDP3 has data available up to '{available}'. The `end` in the query ('{end}') is after "
            "the available range. Try requesting with an earlier `end`.",
        )  # fmt: skip
    root = roots[form.get("symbols", next(iter(roots)))]
    schema = form.get("schema", "trades")
    if schema == "trades":
        return Answer(200, databento_wire.trades_body(market, start, end, root), "application/octet-stream")
    return Answer(200, databento_reference.body(market, schema, start, end, root), "application/octet-stream")


def databento(market: Market, path: str, form: dict[str, str], now: dt.datetime) -> Answer:
    """A stream, or what it would cost."""
    if path == "/v0/metadata.list_datasets":
        return Answer(200, b'["GLBX.MDP3"]')
    if path not in ("/v0/metadata.get_cost", "/v0/timeseries.get_range"):
        return databento_error(404, "not_found", f"The sandbox has no {path}")
    answer = _stream(market, form, now)
    if answer.status == 200 and path.endswith("get_cost"):
        return Answer(200, json.dumps(round(len(answer.body) * USD_A_BYTE, 6)).encode())
    return answer


def open_to_all(market: Market, path: str, query: dict[str, str], now: dt.datetime) -> Answer | None:
    """What needs no key; None where it is another's to answer."""
    if path == CHAIN_PATH:
        return cboe(market, query, now)
    if path.startswith(HISTORY_PATH):
        return history(market, path, now)
    if path.startswith(STATISTICS_PATH):
        return statistics(market, path, now)
    return cme_site(market, path, now) if path.startswith(DETAILS_PATH) else None
