"""Polygon's (Massive's) flat files: whole-market days in an S3 bucket, found by listing and told apart by ETag."""

import datetime as dt
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.vendors.hosts import Hosts, VendorError

BUCKET = "flatfiles"
PREFIX = "polygon/flatfiles/"  # of a body's name in the files layout; the key follows
AT_ONCE = 3  # a minute file of the whole market has tens of megabytes
_DAY = re.compile(r"/(\d{4}-\d{2}-\d{2})\.csv\.gz$")


@dataclass(frozen=True)
class Listed:
    """One object of the bucket. A republished day has another ETag under the same key."""

    key: str
    day: dt.date
    etag: str
    size: int

    @property
    def path(self) -> str:
        return PREFIX + self.key


class Bucket(Protocol):
    """What the lake needs of the flat files."""

    def listed(self, kind: str, first: dt.date, last: dt.date) -> list[Listed]: ...

    def bodies(self, wanted: Iterable[Listed]) -> Iterator[tuple[Listed, bytes]]: ...

    @property
    def asked(self) -> int: ...


class FlatFiles:
    """The bucket over its own protocol: signed, retried and reused by the client, several bodies on their way."""

    def __init__(self, hosts: Hosts, *, timeout_s: float = 300, retries: int = 5) -> None:
        from obstore.store import S3Store

        self._hosts = hosts
        self.asked = 0
        self._store = S3Store(
            BUCKET, endpoint=hosts.flatfiles, access_key_id=hosts.flatfiles_id,
            secret_access_key=hosts.flatfiles_secret, region="us-east-1", virtual_hosted_style_request=False,
            client_options={"allow_http": hosts.flatfiles.startswith("http://127."), "timeout": f"{timeout_s:.0f}s"},
            retry_config={"max_retries": retries},
        )  # fmt: skip

    def listed(self, kind: str, first: dt.date, last: dt.date) -> list[Listed]:
        """Objects of `us_stocks_sip/day_aggs_v1` and the like, oldest first; one listing a year."""
        import obstore

        found: list[Listed] = []
        for year in range(first.year, last.year + 1):
            self.asked += 1
            prefix = f"{kind}/{year}/"
            for chunk in self._tried(lambda prefix=prefix: list(obstore.list(self._store, prefix=prefix)), prefix):
                for one in chunk:
                    match = _DAY.search(one["path"])
                    day = dt.date.fromisoformat(match.group(1)) if match else None
                    if day is not None and first <= day <= last:
                        found.append(Listed(one["path"], day, one["e_tag"] or "", int(one["size"])))
        return sorted(found, key=lambda one: one.key)

    def bodies(self, wanted: Iterable[Listed]) -> Iterator[tuple[Listed, bytes]]:
        """Each object with its body, in the order asked; the coming ones are already on their way."""
        under_way: deque[tuple[Listed, Future[bytes]]] = deque()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for one in wanted:
                under_way.append((one, pool.submit(self._body, one)))
                if len(under_way) >= AT_ONCE:
                    first, body = under_way.popleft()
                    yield first, body.result()
            while under_way:
                first, body = under_way.popleft()
                yield first, body.result()

    def _body(self, one: Listed) -> bytes:
        import obstore

        self.asked += 1
        body: bytes = self._tried(lambda: obstore.get(self._store, one.key).bytes().to_bytes(), one.key)
        return body

    def _tried(self, call: Any, what: str) -> Any:
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            return call()
        except (PermissionDeniedError, UnauthenticatedError):
            raise VendorError(f"polygon's flat files: the S3 keys do not open {what}; check them and the plan, or take "
                              "the dataset out of coverage.flatfiles") from None  # fmt: skip
        except (BaseError, OSError) as problem:
            said = self._hosts.clean(str(problem)).partition("\n")[0][:300]
            raise VendorError(f"polygon's flat files: {what} could not be had: {said}; run again later, what was "
                              "received is kept") from None  # fmt: skip
