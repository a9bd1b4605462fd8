"""`ParallelDataFetcher`: many symbols' bars side by side, by priority, through the one transport. A thin shell."""

import datetime as dt
import itertools
import os
from collections.abc import Iterable
from urllib.parse import quote

import pyarrow as pa

from pipelines.vendors.hosts import Hosts
from pipelines.vendors.http import Ask, HttpTransport, Pending, VendorError
from pipelines.vendors.polygon import minute_aggs
from pipelines.vendors.pool import RequestPriority
from pipelines.vendors.times import NEW_YORK

__all__ = ["ParallelDataFetcher", "RequestPriority"]

FRESH_S = 30.0  # an answer this young serves whoever asks again


class ParallelDataFetcher:
    """Minute bars of one session by symbol. Identical questions under way are one; recent answers are kept a moment."""

    def __init__(
        self, max_workers: int = 15, *, session: dt.date | None = None, hosts: Hosts | None = None,
        rate: str = "80/second",
    ) -> None:  # fmt: skip
        self._session = session
        self._hosts = hosts or Hosts.from_environment(os.environ)
        self._max_workers, self._rate = max_workers, rate
        self._transport: HttpTransport | None = None
        self._pending: dict[str, Pending] = {}
        self._numbers = itertools.count(1)

    def start_processing(self) -> None:
        """Asking first needs this; a second call changes nothing."""
        if self._transport is None:
            self._transport = HttpTransport(self._hosts, workers=self._max_workers, rates={"polygon": self._rate})

    def stop_processing(self) -> None:
        if self._transport is not None:
            self._transport.__exit__(None, None, None)
            self._transport = None

    def __enter__(self) -> "ParallelDataFetcher":
        self.start_processing()
        return self

    def __exit__(self, *stopped: object) -> None:
        self.stop_processing()

    def submit_batch(
        self, symbols: Iterable[str], priority: RequestPriority = RequestPriority.NORMAL
    ) -> list[str]:
        """One request id a symbol, in their order."""
        return [self.submit(symbol, priority) for symbol in symbols]

    def submit(self, symbol: str, priority: RequestPriority = RequestPriority.NORMAL) -> str:
        if self._transport is None:
            raise VendorError("the fetcher is not running: call start_processing() first")
        day = self._session or dt.datetime.now(NEW_YORK).date()
        inner = f"v2/aggs/ticker/{quote(symbol, safe='')}/range/1/minute/{day}/{day}"
        ask = Ask("polygon", f"polygon/rest/{inner}.json", f"/{inner}?adjusted=false&sort=asc&limit=50000")
        request_id = f"{symbol}-{next(self._numbers)}"
        self._pending[request_id] = self._transport.submit(ask, priority, max_age_s=FRESH_S)
        return request_id

    def get_result(self, request_id: str, timeout: float = 30) -> pa.Table:
        """The symbol's bars, read by the parser that the lake uses. TimeoutError when they take longer."""
        answer = self._pending.pop(request_id).result(timeout)
        return minute_aggs(answer.body or b"{}", answer.ask.path)[0]
