"""Local servers that speak the vendors' live wire formats, with their failures: Polygon's socket and REST, Databento's
gateway."""

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from live.ports import Bar

KEY = "db-canary-key-0123456789"


def am(symbol: str, bar: Bar) -> dict[str, Any]:
    """One minute bar as Polygon's socket sends it."""
    return {"ev": "AM", "sym": symbol, "v": bar.volume, "av": 1, "op": bar.open, "vw": bar.close, "o": bar.open,
            "c": bar.close, "h": bar.high, "l": bar.low, "a": bar.close, "z": 50, "s": bar.start_us // 1000,
            "e": bar.start_us // 1000 + 60_000}


def status(word: str, message: str = "") -> list[dict[str, str]]:
    return [{"ev": "status", "status": word, "message": message}]


@dataclass
class PolygonSocket:
    """Accepts `key`; `scripts` are run one a connection once it has subscribed, the last one again and again."""

    scripts: Sequence[Callable[[ServerConnection], None]]
    key: str = KEY
    connections: int = 0
    subscribed: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    hold: threading.Event | None = None  # a second connection is answered once this is set
    waiting: threading.Event = field(default_factory=threading.Event)

    def _serve(self, line: ServerConnection) -> None:
        number = self.connections
        self.connections += 1
        try:
            if number and self.hold is not None:
                self.waiting.set()
                self.hold.wait(10)
            line.send(json.dumps(status("connected", "Connected Successfully")))
            told = json.loads(line.recv(5))
            self.keys.append(told["params"])
            if told != {"action": "auth", "params": self.key}:
                line.send(json.dumps(status("auth_failed", "authentication failed")))
                return
            line.send(json.dumps(status("auth_success", "authenticated")))
            asked = json.loads(line.recv(5))
            self.subscribed = asked["params"].split(",")
            line.send(json.dumps([event for one in self.subscribed
                                  for event in status("success", f"subscribed to: {one}")]))
            self.scripts[min(number, len(self.scripts) - 1)](line)
        except (ConnectionClosed, TimeoutError):
            pass


@contextmanager
def polygon_socket(told: PolygonSocket) -> Iterator[PolygonSocket]:
    server: Server = serve(told._serve, "127.0.0.1", 0, close_timeout=0.2)
    told.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/stocks"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()


@dataclass
class PolygonRest:
    """Aggregates from `bars` by symbol, pages of two rows, splits and dividends; refuses the first `failures` asks."""

    bars: dict[str, list[Bar]]
    splits: list[dict[str, Any]] = field(default_factory=list)
    dividends: list[dict[str, Any]] = field(default_factory=list)
    failures: int = 0
    turning: bool = False  # its second page names itself as the next
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def polygon_rest(told: PolygonRest) -> Iterator[PolygonRest]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            if self.headers["Authorization"] != f"Bearer {KEY}":
                return self._send(401, {"status": "ERROR", "error": "Unknown API Key"})
            if told.failures:
                told.failures -= 1
                return self._send(429, {"status": "ERROR", "error": "You've exceeded the maximum requests per minute"})
            url = urlsplit(self.path)
            parts, query = url.path.strip("/").split("/"), parse_qs(url.query)
            if parts[0] == "v2":
                symbol, first_ms, last_ms = parts[3], int(parts[7]), int(parts[8])
                rows = [{"v": b.volume, "vw": b.close, "o": b.open, "c": b.close, "h": b.high, "l": b.low,
                         "t": b.start_us // 1000, "n": 1}
                        for b in told.bars.get(symbol, []) if first_ms <= b.start_us // 1000 <= last_ms]
            else:
                name, kept = ("execution_date", told.splits) if parts[2] == "splits" else (
                    "ex_dividend_date", told.dividends)
                rows = [row for row in kept if row[name] == query.get(name, [row[name]])[0]]
            start = int(query.get("cursor", ["0"])[0])
            body: dict[str, Any] = {"status": "OK", "request_id": "x"}
            if rows:
                body["results"] = rows[start : start + 2]
            if told.turning:
                body["next_url"] = f"https://api.polygon.io{url.path}?cursor=2"
            elif start + 2 < len(rows):  # under another host's name, as the vendor's other brand does
                body["next_url"] = f"https://api.polygon.io{url.path}?cursor={start + 2}"
            return self._send(200, body)

        def _send(self, code: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Gateway:
    """Databento's live gateway: `records` go out after the session start, in pieces of odd sizes."""

    records: Sequence[bytes]
    lines: list[str] = field(default_factory=list)
    key: str = KEY
    linger: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    connections: int = 0

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError), line, line.makefile("rb") as heard:
            challenge = "b9f1a6e2canary"
            line.sendall(b"lsg_version=0.6.4\ncram=" + challenge.encode() + b"\n")
            auth = heard.readline().decode().strip()
            self.lines.append(auth)
            proof = hashlib.sha256(f"{challenge}|{self.key}".encode()).hexdigest()
            if not auth.startswith(f"auth={proof}-{self.key[-5:]}|"):
                line.sendall(b"success=0|error=Authentication failed.\n")
                return
            line.sendall(b"success=1|session_id=12345|\n")
            self.lines += [heard.readline().decode().strip(), heard.readline().decode().strip()]
            data = b"".join(self.records)
            for start in range(0, len(data), 37):
                line.sendall(data[start : start + 37])
            self.linger.wait(10)


@contextmanager
def gateway(told: Gateway) -> Iterator[Gateway]:
    listening = socket.create_server(("127.0.0.1", 0))
    told.port = listening.getsockname()[1]

    def accept() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            told.connections += 1
            threading.Thread(target=told._serve, args=(line,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.linger.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
