"""Who may speak to the API: this machine, by its own name, with the token, in moderation and briefly."""

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOSTS = ("127.0.0.1", "localhost", "[::1]")
OPEN_PATHS = frozenset({"/", "/favicon.ico", "/docs"})  # pages that hold nothing of the account
BODY_S = 5.0
PROTOCOL = "nightdesk.v1"  # what the server agrees to speak; the token, offered beside it, is never repeated
TOKEN_PROTOCOL = "nightdesk.token."
MOST_SOCKETS = 8
HEADERS = (
    (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"), (b"connection", b"close"),
)


class Bucket:
    """Tokens that refill with time: `burst` at once, `rate` a second."""

    def __init__(self, rate: float, burst: float, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._now = rate, burst, monotonic_s
        self._level, self._seen = burst, monotonic_s()

    def take(self) -> bool:
        now = self._now()
        self._level = min(self._burst, self._level + (now - self._seen) * self._rate)
        self._seen = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True


class Gatekeeper:
    """ASGI middleware. 400 or 403 for a foreign Host or Origin (a page elsewhere may resolve its name to this machine),
    401 without the token, 429 in a flood, 413 for a long body. The kill switch is never made to wait."""

    def __init__(self, app: App, token: str, *, rate: float = 20.0, burst: float = 60.0, body_bytes: int = 4096,
                 monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._app, self._most = app, body_bytes
        self._expected = b"Bearer " + token.encode()
        self._bucket = Bucket(rate, burst, monotonic_s)
        self._sockets = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return  # no lifespan work
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        if scope["type"] == "websocket":
            await self._socket(scope, headers, receive, send)
            return
        refused = self._refused(scope, headers)
        if refused is None:
            body, refused = await self._body(headers, receive)
        if refused is not None:
            await _answer(send, *refused)
            return

        async def once() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self._app(scope, once, hardened)

    async def _socket(self, scope: Scope, headers: dict[bytes, list[bytes]], receive: Receive, send: Send) -> None:
        """A web socket passes the same checks. A browser cannot set its headers, but it can offer the token as one of
        the protocols that it speaks."""
        offered = [one for one in scope.get("subprotocols", ()) if one.startswith(TOKEN_PROTOCOL)]
        if len(offered) == 1 and b"authorization" not in headers:
            headers[b"authorization"] = [b"Bearer " + offered[0].removeprefix(TOKEN_PROTOCOL).encode()]
        refused = self._refused(scope, headers)
        if refused is None and self._sockets >= MOST_SOCKETS:
            refused = 429, f"{MOST_SOCKETS} streams are open already"
        if refused is not None:
            await _answer(send, *refused, kind="websocket.http.response")
            return
        self._sockets += 1
        try:
            await self._app({**scope, "subprotocols": [PROTOCOL] * (PROTOCOL in scope["subprotocols"])}, receive, send)
        finally:
            self._sockets -= 1

    def _refused(self, scope: Scope, headers: dict[bytes, list[bytes]]) -> tuple[int, str] | None:
        hosts, origins = headers.get(b"host", []), headers.get(b"origin", [])
        if len(hosts) != 1 or _name(hosts[0]) not in HOSTS:
            return 403, "this server answers to 127.0.0.1 and localhost only"
        if origins and origins != [b"http://" + hosts[0]]:  # of a web socket too: its page was fetched by http
            return 403, "requests from other pages are not answered"
        given = headers.get(b"authorization", [])
        authorised = len(given) == 1 and hmac.compare_digest(given[0], self._expected)
        if not (authorised and scope["path"] == "/kill") and not self._bucket.take():
            return 429, "too many requests: wait a second"
        if not authorised and scope["path"] not in OPEN_PATHS:
            return 401, "a bearer token is needed: `serve` prints where it is"
        return None

    async def _body(self, headers: dict[bytes, list[bytes]], receive: Receive) -> tuple[
            bytes, tuple[int, str] | None]:
        too_long = 413, f"a body may have {self._most} bytes"
        told = headers.get(b"content-length", [b"0"])[0]
        if told.isdigit() and (len(told) > 9 or int(told) > self._most):
            return b"", too_long
        body, more = b"", True
        try:
            async with asyncio.timeout(BODY_S):
                while more:
                    message = await receive()
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > self._most:
                        return b"", too_long
        except TimeoutError:
            return b"", (408, "the body did not arrive in time")
        return body, None


def _name(host: bytes) -> str:
    """The host's name without its port, in lower case."""
    text = host.decode("latin-1").lower()
    name, colon, port = text.rpartition(":")
    return name if colon and port.isdigit() else text


async def _answer(send: Send, status: int, text: str, kind: str = "http.response") -> None:
    body = json.dumps({"detail": text}).encode()
    more = {401: [(b"www-authenticate", b"Bearer")], 429: [(b"retry-after", b"1")]}.get(status, [])
    await send({"type": f"{kind}.start", "status": status, "headers": [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more, *HEADERS]})
    await send({"type": f"{kind}.body", "body": body})
