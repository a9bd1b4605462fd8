"""Serves the API on this machine's loopback: a token in a private file, one socket, patience with nobody."""

import asyncio
import logging
import os
import secrets
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import uvicorn

    from live.api import Account
    from live.gatekeeper import App

LOOPBACK = "127.0.0.1"
HEADERS_S = 10.0  # a client that has not finished its headers by then is sent away


def token_in(path: Path) -> str:
    """The bearer token, made on first use; nobody else on this machine may read its file."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise PermissionError(f"{path} can be read by others: chmod 600 it, or delete it for a new token") from None
        token = path.read_text().strip()
        if len(token) < 32:
            raise ValueError(f"{path} holds no token: delete it for a new one") from None
        return token
    with os.fdopen(handle, "w") as file:
        token = secrets.token_urlsafe(32)
        file.write(token + "\n")
    return token


def guarded(account: "Account", token: str, **rules: Any) -> "App":
    from live.api import make_app
    from live.gatekeeper import Gatekeeper

    return Gatekeeper(make_app(account), token, **rules)


def _worth_telling(record: logging.LogRecord) -> bool:
    """uvicorn calls it an error when a web socket is refused with an answer; it is our gatekeeper at work."""
    return "without completing handshake" not in str(record.msg)


def _server(app: "App", headers_s: float) -> "uvicorn.Server":
    import h11
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Brisk(H11Protocol):
        """Ends a connection whose request does not begin in time. Each connection serves one request."""

        _upgraded = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.loop.call_later(headers_s, self._give_up)

        def handle_websocket_upgrade(self, event: h11.Request) -> None:
            self._upgraded = True  # from here on the web socket's own pings tell the living from the dead
            super().handle_websocket_upgrade(event)

        def _give_up(self) -> None:
            if not self._upgraded and self.cycle is None and not self.transport.is_closing():
                self.transport.close()

    logging.getLogger("uvicorn.error").addFilter(_worth_telling)
    return uvicorn.Server(uvicorn.Config(
        app, http=Brisk, ws="websockets-sansio", ws_max_size=1024, ws_per_message_deflate=False, ws_ping_interval=10.0,
        ws_ping_timeout=10.0, lifespan="off", loop="asyncio", log_config=None, access_log=False,
        server_header=False, h11_max_incomplete_event_size=16_384, timeout_keep_alive=2, timeout_graceful_shutdown=2))


def listening(port: int) -> socket.socket:
    """The socket to serve from; loopback only, whatever is asked."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, port))
        made.listen(128)
    except OSError as problem:
        made.close()
        raise OSError(f"port {port} is taken ({problem.strerror}): give another with --port") from None
    return made


def address(port: int, token: str) -> str:
    """What a person opens: the token stands after the #, which no browser sends anywhere."""
    return f"http://{LOOPBACK}:{port}/#{token}"


def serve(account: "Account", token_file: Path, port: int) -> None:
    """Serve until Ctrl-C."""
    token = token_in(token_file)
    with listening(port) as where:
        print(f"Live page: {address(where.getsockname()[1], token)}\n"
              f"  (token in {token_file}; Ctrl-C ends the page, not the account)", flush=True)
        try:
            _server(guarded(account, token), HEADERS_S).run(sockets=[where])
        except KeyboardInterrupt:
            pass


@contextmanager
def served(account: "Account", token: str, *, port: int = 0, headers_s: float = HEADERS_S,
           **rules: Any) -> Iterator[int]:
    """The same server in a thread, for as long as the block lasts; yields the port, by default a free one."""
    with listening(port) as where:
        server = _server(guarded(account, token, **rules), headers_s)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [where]}, daemon=True)
        thread.start()
        try:
            yield int(where.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()
