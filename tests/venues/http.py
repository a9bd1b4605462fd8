"""An HTTP venue in a thread, with faults that a test queues up: what a broker's server does on its bad days."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit


class Wire(Protocol):
    """What a venue's format says to one request: (status, document)."""

    def answer(self, method: str, path: str, asked: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]: ...


class Faults:
    """Queued by (method, beginning of the path): `lost` does it and hangs up, `never` hangs up first, `silent` does it
    and says nothing; `bad day` is a server's error in the place of an answer."""

    def __init__(self) -> None:
        self._queued: list[tuple[str, str, str]] = []
        self.released = threading.Event()

    def queue(self, method: str, path: str, *faults: str) -> None:
        self._queued += [(method, path, fault) for fault in faults]

    def take(self, method: str, path: str) -> str | None:
        for number, (of, begins, fault) in enumerate(self._queued):
            if of == method and path.startswith(begins):
                del self._queued[number]
                return fault
        return None


@contextmanager
def served(wire: Wire, faults: Faults) -> Iterator[str]:
    """The venue's base address, for as long as the block lasts."""
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # one packet an answer: two would wait for the client's word about the first

        def _handle(self) -> None:
            where = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            asked: dict[str, Any] = dict(parse_qsl(where.query))
            if body:
                asked |= json.loads(body) if body.lstrip().startswith("{") else dict(parse_qsl(body))
            fault = faults.take(self.command, where.path)
            if fault == "never":
                self.close_connection = True
                return
            if fault == "bad day":
                self._reply(500, {"code": 50010000, "message": "internal server error occurred"})
                return
            with one_at_a_time:
                status, document = wire.answer(self.command, where.path, asked, dict(self.headers))
            if fault == "silent":
                faults.released.wait(5.0)
            if fault in {"lost", "silent"}:
                self.close_connection = True
                return
            self._reply(status, document)

        def _reply(self, status: int, document: Any) -> None:
            data = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = do_PUT = _handle

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that went away is part of the tests."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            faults.released.set()
            server.shutdown()
            thread.join()


def as_text(values: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Numbers as the decimal strings that most venues send; None stays null."""
    return {name: value if value is None or isinstance(value, (str, bool)) else f"{value:.10g}"
            for name, value in values}
