"""The vendors on loopback: one real HTTP server that shows, at any moment, only what had been published by then."""

import base64
import datetime as dt
import hashlib
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipelines.sandbox import answers
from pipelines.sandbox.answers import Answer
from pipelines.sandbox.faults import SLOW_PIECES, Faults, Rule, spoil
from pipelines.sandbox.market import Market

KEY = "db-nightdesk-sandbox-0123456789a"  # as long as Databento's; it opens nothing but this sandbox


@dataclass
class Endpoints:
    """Base addresses of the three vendors. Move `now` and the server shows the world of that moment."""

    polygon: str
    cboe: str
    databento: str
    key: str
    now: dt.datetime
    feed: bool = False


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
        told = answers.open_to_all(self.market, url.path, query, self.endpoints.now)
        if told is not None:
            self._send(told)
        elif query.pop("apiKey", None) == KEY or self.headers.get("Authorization") == f"Bearer {KEY}":
            self._send(answers.polygon(self.market, url.path, query, self.endpoints.now, self.endpoints.feed))
        else:
            self._send(answers.polygon_error(401, "ERROR", "Unknown API Key"))

    def do_POST(self) -> None:
        self.form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._databento(dict(parse_qsl(self.form)))

    def _databento(self, form: dict[str, str]) -> None:
        expected = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self._send(answers.databento_error(401, "auth_authentication_failed", "Authentication failed."))
        else:
            self._send(answers.databento(self.market, urlsplit(self.path).path, form, self.endpoints.now))

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
