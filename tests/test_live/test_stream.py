"""The web socket tells what happens to whom it may, misses nothing, and waits for nobody. Over real sockets."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from live.gatekeeper import MOST_SOCKETS, PROTOCOL, TOKEN_PROTOCOL
from live.hub import Hub
from live.journal import Journal
from live.serving import served
from tests.test_live.test_api import TOKEN, account, traded
from tests.test_live.test_running import until

PROTOCOLS = [PROTOCOL, TOKEN_PROTOCOL + TOKEN]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("stream")
    traded(made)
    return made


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    with served(account(folder), TOKEN, rate=1e6, burst=1e6, headers_s=0.3) as number:
        yield number


def stream(port: int, query: str = "", **more: Any) -> ClientConnection:
    more.setdefault("subprotocols", PROTOCOLS)
    return connect(f"ws://127.0.0.1:{port}/stream{query}", proxy=None, open_timeout=10, close_timeout=1, **more)


def heard(stream: ClientConnection, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        found += json.loads(stream.recv(timeout=10))
    return found


def test_it_agrees_on_its_protocol_and_never_repeats_the_token(port: int) -> None:
    with stream(port) as one:
        assert one.subprotocol == PROTOCOL and one.response is not None
        assert TOKEN not in str(one.response.headers.raw_items())
    with stream(port, subprotocols=None, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as one:
        assert heard(one, 1)[0]["kind"] == "hello"


@pytest.mark.parametrize(("more", "status"), [
    ({"subprotocols": None}, 401), ({"subprotocols": [PROTOCOL]}, 401),
    ({"subprotocols": [PROTOCOL, TOKEN_PROTOCOL + "u" * 43]}, 401),
    ({"subprotocols": [*PROTOCOLS, TOKEN_PROTOCOL + "u" * 43]}, 401),
    ({"additional_headers": {"Authorization": "Bearer no"}}, 401),
    ({"origin": "http://evil.example"}, 403), ({"origin": "null"}, 403), ({"origin": "http://localhost:1"}, 403),
])
def test_nobody_else_may_listen(port: int, more: dict[str, Any], status: int) -> None:
    with pytest.raises(InvalidStatus) as refused, stream(port, **more):
        pass
    assert refused.value.response.status_code == status
    assert TOKEN.encode() not in (refused.value.response.body or b"")


def test_its_own_page_may_listen(port: int) -> None:
    with stream(port, origin=f"http://127.0.0.1:{port}") as one:
        assert heard(one, 1)[0]["kind"] == "hello"


def test_a_watcher_of_another_process_hears_every_committed_row_once(folder: Path, port: int) -> None:
    with Journal(folder / "j.sqlite", read_only=True) as book:
        rows = [(entry.seq, entry.kind) for entry in book.entries()]
    with stream(port, "?since=0") as one:
        told = heard(one, len(rows) + 1)
    assert [(event["seq"], event["kind"]) for event in told[1:]] == rows
    fills = [event["told"] for event in told if event["kind"] == "fill"]
    assert fills and all(fill["quantity"] and fill["price"] > 0 for fill in fills)
    assert all(set(event["told"]) <= {"decision_id", "equity", "state"}
               for event in told if event["kind"] == "decision")


def test_a_stream_outlives_the_patience_for_headers_and_a_connection_that_says_nothing_does_not(port: int) -> None:
    with stream(port) as one, socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(b"GET /stream HTTP/1.1\r\nHost: local")
        assert raw.recv(10) == b""  # sent away after 0.3 s, which the stream was there before
        assert one.ping().wait(5)


def test_what_is_published_arrives_from_where_the_watcher_left_off(folder: Path, tmp_path: Path) -> None:
    hub = Hub()
    shown = account(folder)
    with served(type(shown)(shown.view, None, (), shown.now, hub), TOKEN) as port:
        with stream(port) as one:
            number = heard(one, 1)[0]["n"]
            for i in range(3):
                hub.publish("bar", close=float("nan") if i == 1 else 1.5, i=i)
            assert [(event["i"], event["close"]) for event in heard(one, 3)] == [(0, 1.5), (1, None), (2, 1.5)]
        hub.publish("kill", mode="halt")
        with stream(port, f"?since={number + 2}") as one:
            assert [event["kind"] for event in heard(one, 3)] == ["hello", "bar", "kill"]
        with stream(port, "?last=5&bars=false") as one:
            assert [event["kind"] for event in heard(one, 2)] == ["kill", "hello"]
            hub.publish("bar", close=1.0)
            hub.publish("state", told={})
            assert [event["kind"] for event in heard(one, 1)] == ["state"]


def test_there_are_only_so_many_and_they_are_given_back(folder: Path) -> None:
    with served(account(folder), TOKEN, rate=1e6, burst=1e6) as port:
        with ExitStack() as many:
            for _ in range(MOST_SOCKETS):
                many.enter_context(stream(port))
            with pytest.raises(InvalidStatus) as refused, stream(port):
                pass
            assert refused.value.response.status_code == 429

        def free() -> bool:
            try:
                with stream(port):
                    return True
            except InvalidStatus:
                return False

        until(free)


def test_a_watcher_that_talks_too_much_is_let_go(port: int) -> None:
    with stream(port) as one:
        one.send("x" * 2000)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                one.recv(timeout=10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


def test_publishing_does_not_wait_for_a_watcher_that_does_not_read(folder: Path) -> None:
    hub = Hub(size=2000)
    shown = account(folder)
    with served(type(shown)(shown.view, None, (), shown.now, hub), TOKEN) as port, stream(port, "?since=0"):
        publisher = threading.Thread(target=lambda: [hub.publish("bar", text="x" * 2000) for _ in range(20_000)])
        publisher.start()
        publisher.join(10)
        assert not publisher.is_alive() and hub.newest == 20_000


@pytest.mark.parametrize("query", ["?since=-1", "?since=x", "?since=" + "9" * 40])
def test_odd_places_to_begin_are_refused_or_harmless(port: int, query: str) -> None:
    try:
        with stream(port, query) as one:
            heard(one, 1)
    except (InvalidStatus, ConnectionClosed):
        pass
    with stream(port) as one:
        assert heard(one, 1)[0]["kind"] == "hello"
