"""A bound on the whole of an answer: who sends a byte now and then never lets a timeout of single reads end."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

SLOWEST_BYTES_PER_S = 16_384  # of a line that is slow and honest: a chain of 14 MB may take a quarter of an hour


class Deadline(threading.local):
    """When this thread's question must be over: so many seconds, and more only as bytes come in."""

    def __init__(self, allowed_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed_s, self._clock = allowed_s, clock
        self.begin()

    def begin(self) -> None:
        self._ends_at = self._clock() + self._allowed_s

    def earned(self, count: int) -> None:
        self._ends_at += count / SLOWEST_BYTES_PER_S

    def left_s(self, otherwise: float | None) -> float:
        left = self._ends_at - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer came too slowly to be worth waiting for")
        return left if otherwise is None else min(left, otherwise)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, self._deadline.left_s(timeout))
        self._deadline.earned(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left_s(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left_s(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        left = self._deadline.left_s(timeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options), self._deadline)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left_s(timeout)
        return _Stream(self._inner.connect_unix_socket(path, left, socket_options), self._deadline)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


def bound(client: httpx.Client, allowed_s: float) -> Deadline:
    """Hold every connection of this client to one deadline a question, those through a proxy too. httpx has no setting
    for it, and a transport of our own would lose the environment's proxies."""
    deadline = Deadline(allowed_s)
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            pool = transport._pool
            pool._network_backend = _Backend(pool._network_backend, deadline)
    return deadline
