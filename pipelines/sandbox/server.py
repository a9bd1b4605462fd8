"""The vendors on loopback: one real HTTP server that shows, at any moment, only what had been published by then."""

import base64
import datetime as dt
import hashlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pipelines.sandbox import (
    cboe_statistics,
    cboe_wire,
    cme_wire,
    databento_reference,
    databento_wire,
    polygon_aggs,
    polygon_reference,
)
from pipelines.sandbox.faults import SLOW_PIECES, Faults, Rule, spoil
from pipelines.sandbox.market import FEED_DELAY, Market

KEY = "db-nightdesk-sandbox-0123456789a"  # as long as Databento's; it opens nothing but this sandbox
USD_A_BYTE = 1e-6  # what the sandbox pretends to charge for trades when it is asked for the price
HISTORY_PATH = "/api/global/us_indices/daily_prices/"
STATISTICS_PATH, STATISTICS_SUFFIX = "/data/us/options/market_statistics/daily/", "_daily_options"
DETAILS_PATH = "/CmeWS/mvc/Volume/Details/F/"
SCHEMAS = ("trades", "definition", "statistics")
ROOTS = {"133": "ES", "146": "NQ"}  # by the number that the exchange's site gives a product
CHAIN_PATH = "/api/global/delayed_quotes/options/_SPX.json"


@dataclass
class Endpoints:
    """Base addresses of the three vendors. Move `now` and the server shows the world of that moment."""

    polygon: str
    cboe: str
    databento: str
    key: str
    now: dt.datetime
    feed: bool = False


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    kind: str = "application/json"


_DENIED = Answer(403, b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "application/xml")


def _polygon_error(status: int, word: str, text: str) -> Answer:
    field = "error" if status in (400, 401) else "message"
    body = {"status": word, "request_id": polygon_aggs.request_id(status, text), field: text}
    return Answer(status, polygon_aggs.dump(body))


def _polygon(market: Market, path: str, query: dict[str, str], now: dt.datetime, feed: bool) -> Answer:
    parts = [unquote(part) for part in path.strip("/").split("/")]
    try:
        if parts[:2] == ["v2", "aggs"] and query.get("adjusted", "true") != "false":
            return _polygon_error(400, "ERROR", "The sandbox serves raw prices only: ask with adjusted=false")
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
                return _polygon_error(404, "NOT_FOUND", "Ticker not found.")
            return Answer(200, polygon_reference.events(market, company, now))
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
        return _polygon_error(400, "ERROR", f"Could not parse the request: {problem}")
    return _polygon_error(404, "NOT_FOUND", f"The sandbox has no {path}")


def _history(market: Market, path: str, now: dt.datetime) -> Answer:
    found = cboe_wire.history_body(market, path.removeprefix(HISTORY_PATH).removesuffix("_History.csv"), now)
    return _DENIED if found is None else Answer(200, found, "text/csv")


def _statistics(market: Market, path: str, now: dt.datetime) -> Answer:
    try:
        session = dt.date.fromisoformat(path.removeprefix(STATISTICS_PATH).removesuffix(STATISTICS_SUFFIX))
    except ValueError:
        return _DENIED
    found = cboe_statistics.statistics_body(market, session, now)
    return _DENIED if found is None else Answer(200, found)


def _cme_site(market: Market, path: str, now: dt.datetime) -> Answer:
    try:
        product, date, kind = path.removeprefix(DETAILS_PATH).split("/")
        root, session = ROOTS[product], dt.date.fromisoformat(date)
    except (ValueError, KeyError):
        return Answer(404, b"<html><body>Page not found</body></html>", "text/html")
    if root not in market.settings.sandbox.roots or kind not in ("P", "F"):
        return Answer(404, b"<html><body>Page not found</body></html>", "text/html")
    return Answer(200, cme_wire.details_body(market, session, root, kind, now))


def _cboe(market: Market, query: dict[str, str], now: dt.datetime) -> Answer:
    """The newest chain; `?session=` is the sandbox's own archive of older ones."""
    try:
        asked = dt.date.fromisoformat(query["session"]) if "session" in query else None
    except ValueError:
        asked = dt.date.min
    number = cboe_wire.find_session(market, now, asked)
    if number is None:
        return _DENIED
    return Answer(200, cboe_wire.chain_body(market, number))


def _databento_error(status: int, case: str, message: str) -> Answer:
    detail = {"case": case, "message": message, "status_code": status, "docs": "https://databento.com/docs"}
    return Answer(status, json.dumps({"detail": detail}).encode())


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _databento(market: Market, form: dict[str, str], now: dt.datetime) -> Answer:
    wanted = {"dataset": "GLBX.MDP3", "stype_in": "parent", "encoding": "dbn"}
    roots = {f"{root}.FUT": root for root in market.settings.sandbox.roots}
    told = {name: [value] for name, value in wanted.items()} | {"symbols": list(roots), "schema": list(SCHEMAS)}
    for name, values in told.items():
        if form.get(name, values[0]) not in values:
            only = " or ".join(values)
            return _databento_error(422, "sandbox_limit", f"The sandbox serves {name}={only} only, not {form[name]}")
    try:
        start, end = _moment(form["start"]), _moment(form["end"])
    except (KeyError, ValueError) as problem:
        return _databento_error(422, "data_time_range_invalid", f"start and end are needed, in ISO 8601: {problem}")
    available = now - FEED_DELAY
    if end > available:
        return _databento_error(
            422, "data_end_after_available_end",
            f"The dataset GLBX.MDP3 has data available up to '{available}'. The `end` in the query ('{end}') is after "
            "the available range. Try requesting with an earlier `end`.",
        )  # fmt: skip
    root = roots[form.get("symbols", next(iter(roots)))]
    schema = form.get("schema", "trades")
    if schema == "trades":
        return Answer(200, databento_wire.trades_body(market, start, end, root), "application/octet-stream")
    return Answer(200, databento_reference.body(market, schema, start, end, root), "application/octet-stream")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    market: Market
    endpoints: Endpoints
    faults: Faults
    slow_s: float
    form = ""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        if url.path.startswith("/v0/"):
            self._databento(query)
            return
        if url.path == CHAIN_PATH:
            self._send(_cboe(self.market, query, self.endpoints.now))
        elif url.path.startswith(HISTORY_PATH):
            self._send(_history(self.market, url.path, self.endpoints.now))
        elif url.path.startswith(STATISTICS_PATH):
            self._send(_statistics(self.market, url.path, self.endpoints.now))
        elif url.path.startswith(DETAILS_PATH):
            self._send(_cme_site(self.market, url.path, self.endpoints.now))
        elif query.pop("apiKey", None) == KEY or self.headers.get("Authorization") == f"Bearer {KEY}":
            self._send(_polygon(self.market, url.path, query, self.endpoints.now, self.endpoints.feed))
        else:
            self._send(_polygon_error(401, "ERROR", "Unknown API Key"))

    def do_POST(self) -> None:
        self.form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._databento(dict(parse_qsl(self.form)))

    def _databento(self, form: dict[str, str]) -> None:
        path = urlsplit(self.path).path
        expected = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self._send(_databento_error(401, "auth_authentication_failed", "Authentication failed."))
        elif path == "/v0/metadata.list_datasets":
            self._send(Answer(200, b'["GLBX.MDP3"]'))
        elif path in ("/v0/metadata.get_cost", "/v0/timeseries.get_range"):
            answer = _databento(self.market, form, self.endpoints.now)
            if answer.status == 200 and path.endswith("get_cost"):
                answer = Answer(200, json.dumps(round(len(answer.body) * USD_A_BYTE, 6)).encode())
            self._send(answer)
        else:
            self._send(_databento_error(404, "not_found", f"The sandbox has no {path}"))

    def _send(self, answer: Answer) -> None:
        fault = self.faults.next(f"{self.path}?{self.form}")
        if fault is not None and fault.status is not None:
            answer = Answer(fault.status, b"upstream is busy, come back later", "text/plain")
        etag = f'"{hashlib.sha256(answer.body).hexdigest()}"'  # of the true body: a spoiled one boasts of it too
        fresh = answer.status == 200 and self.headers.get("If-None-Match") == etag
        body = b"" if fresh else spoil(fault.kind, answer.body) if fault else answer.body
        self.send_response(304 if fresh else answer.status)
        self.send_header("Content-Type", "text/html" if fault and fault.kind == "html" else answer.kind)
        if answer.status == 200:
            self.send_header("ETag", etag)
        if fault is not None and fault.kind == "429-after":
            self.send_header("Retry-After", "1")
        if not fresh:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._write(body, fault)

    def _write(self, body: bytes, fault: Rule | None) -> None:
        if fault is not None and fault.kind == "cut":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif fault is not None and fault.kind == "slow":
            size = len(body) // SLOW_PIECES + 1
            for at in range(0, len(body), size):
                time.sleep(self.slow_s / SLOW_PIECES)
                self.wfile.write(body[at : at + size])
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: whoever asks keeps the receipts."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet where a client lost patience with a slow answer; anything else is told as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(
    market: Market, now: dt.datetime, *, feed: bool = False, faults: str = "", slow_s: float = 1.0
) -> Iterator[Endpoints]:
    """Serve on a free port of 127.0.0.1 while the block runs. `feed` also shows the coming session's minute bars;
    `faults` is a schedule of what goes wrong, `slow_s` how long a slow body takes."""
    endpoints = Endpoints("", "", "", KEY, now, feed)
    shared = {"market": market, "endpoints": endpoints, "faults": Faults(faults), "slow_s": slow_s}
    handler = type("Handler", (_Handler,), shared)
    with _Server(("127.0.0.1", 0), handler) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        endpoints.polygon = endpoints.cboe = endpoints.databento = address
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield endpoints
        finally:
            server.shutdown()
            thread.join()
