"""Polygon's (Massive's) flat files: whole-market days in an S3 bucket, found by listing and told apart by ETag."""

import datetime as dt
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from pipelines.vendors.contents import MOST_BYTES
from pipelines.vendors.hosts import Hosts, VendorError

BUCKET = "flatfiles"
PREFIX = "polygon/flatfiles/"  # of a body's name in the files layout; the key follows
AT_ONCE = 3  # a minute file of the whole market has tens of megabytes
_ADDRESS = re.compile(r"https?://(\[[0-9a-fA-F:]+\]|[\w.-]+)(:(?P<port>\d{1,5}))?(/[\w./-]*)?", re.ASCII)
MOST_LISTED = 10_000  # of one year
_DAY = re.compile(r"/(\d{4}-\d{2}-\d{2})\.csv\.gz$")


class NotInThePlan(VendorError):
    """The keys are known and do not open this."""


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

    def bodies(self, wanted: Iterable[Listed]) -> Iterator[tuple[Listed, bytes | None]]: ...

    @property
    def asked(self) -> int: ...


class FlatFiles:
    """The bucket over its own protocol: signed, retried and reused by the client, several bodies on their way."""

    def __init__(self, hosts: Hosts, *, timeout_s: float = 300, retries: int = 5) -> None:
        from obstore.store import S3Store

        self._hosts = hosts
        self.asked = 0
        _check(hosts)
        opener, secret = hosts.in_a_header("flatfiles_id"), hosts.in_a_header("flatfiles_secret")
        self._store = S3Store(
            BUCKET, endpoint=hosts.flatfiles, access_key_id=opener, secret_access_key=secret, region="us-east-1",
            virtual_hosted_style_request=False,
            client_options={"allow_http": hosts.flatfiles.startswith("http://127."), "timeout": f"{timeout_s:.0f}s"},
            retry_config={"max_retries": retries},
        )  # fmt: skip

    def listed(self, kind: str, first: dt.date, last: dt.date) -> list[Listed]:
        """Objects of `us_stocks_sip/day_aggs_v1` and the like, oldest first; one listing a year."""
        found: list[Listed] = []
        for year in range(first.year, last.year + 1):
            self.asked += 1
            prefix = f"{kind}/{year}/"
            for one in self._tried(partial(self._in_folder, prefix), prefix):
                day = _day_of(one["path"])
                if day is not None and first <= day <= last:
                    found.append(Listed(one["path"], day, one["e_tag"] or "", int(one["size"])))
        return sorted(found, key=lambda one: one.key)

    def opens(self, one: Listed) -> bool:
        """Whether the plan holds it: all keys list all days."""
        import obstore

        try:
            self._tried(lambda: obstore.get_range(self._store, one.key, start=0, length=1), one.key)
        except NotInThePlan:
            return False
        return True

    def _in_folder(self, prefix: str) -> list[Any]:
        import obstore

        found: list[Any] = []
        for chunk in obstore.list(self._store, prefix=prefix):
            found += chunk
            if len(found) > MOST_LISTED:
                raise VendorError(f"polygon's flat files: {prefix} lists more than {MOST_LISTED:,}, and a year has not "
                                  "as many days")  # fmt: skip
        return found

    def bodies(self, wanted: Iterable[Listed]) -> Iterator[tuple[Listed, bytes | None]]:
        """Each object with its body, in the order asked; the coming ones are already on their way. None where the plan
        does not hold what the key may list."""
        under_way: deque[tuple[Listed, Future[bytes | None]]] = deque()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for one in wanted:
                under_way.append((one, pool.submit(self._body, one)))
                if len(under_way) >= AT_ONCE:
                    first, body = under_way.popleft()
                    yield first, body.result()
            while under_way:
                first, body = under_way.popleft()
                yield first, body.result()

    def _body(self, one: Listed) -> bytes | None:
        import obstore

        def whole() -> bytes:
            told = obstore.get(self._store, one.key)
            if told.meta["size"] > MOST_BYTES:
                raise VendorError(f"polygon's flat files: {one.key} has more than {MOST_BYTES >> 20} MB: no day has")
            body: bytes = told.bytes().to_bytes()
            return body

        self.asked += 1
        try:
            body: bytes = self._tried(whole, one.key)
        except NotInThePlan:
            return None
        return body

    def _tried(self, call: Any, what: str) -> Any:
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            return call()
        except (PermissionDeniedError, UnauthenticatedError):
            raise NotInThePlan(f"polygon's flat files: the S3 keys do not open {what}; check them and the plan, or "
                               "take the dataset out of coverage.flatfiles") from None  # fmt: skip
        except (BaseError, OSError, ValueError) as problem:
            said = self._hosts.clean(" ".join(str(problem).partition("\n")[0].split()))[:300]
            raise VendorError(f"polygon's flat files: {what} could not be had: {said}; run again later, what was "
                              "received is kept") from None  # fmt: skip


def _check(hosts: Hosts) -> None:
    """The client would not refuse an address that is none: it would end the process."""
    match = _ADDRESS.fullmatch(hosts.flatfiles)
    if match is None or int(match["port"] or 0) > 65_535:
        raise VendorError(f"polygon's flat files: {hosts.flatfiles!r} is no address: see MASSIVE_S3_ENDPOINT")


def _day_of(key: str) -> dt.date | None:
    match = _DAY.search(key)
    try:
        return dt.date.fromisoformat(match.group(1)) if match else None
    except ValueError:
        return None
