"""What a server answered, read within bounds: no more bytes than a body has, unpacked once, its words without keys."""

import datetime as dt
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from pipelines.vendors.contents import MOST_BYTES, MOST_JSON_BYTES
from pipelines.vendors.hosts import Hosts

# What is asked for, and all that is understood: some packings swell a thousandfold in one step, two of any do.
ACCEPTED = "gzip, deflate"
LONGEST_WAIT_S = 60
_ZLIB = 15  # the widest window
_PACKINGS = {"": None, "identity": None, "gzip": 16 + _ZLIB, "x-gzip": 16 + _ZLIB, "deflate": _ZLIB}
_MOST_WORDS = 65_536  # of an answer that is no body
_MOST_ETAG = 1024
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)


class TooMuch(Exception):
    """An answer that is not read to its end; says why."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def etag(self) -> str | None:
        """None where it is nothing that could be sent back."""
        etag = self.headers.get("ETag", "")
        return etag if 0 < len(etag) <= _MOST_ETAG and etag.isascii() and etag.isprintable() else None

    def said(self, hosts: Hosts) -> str:
        """The vendor's words from whichever field they are in, on one line."""
        words = self.body.decode("utf-8", "replace")
        try:
            document = json.loads(words)
        except (ValueError, RecursionError):
            words = words[:200]
        else:
            words = _words(document)[:300]
        return hosts.clean(" ".join("".join(c if c.isprintable() else " " for c in words).split()))

    def told_wait_s(self) -> float | None:
        """Seconds that the vendor wants us to wait, told as such or as a date of its own clock; None where it does not
        say."""
        told = self.headers.get("Retry-After", "").strip()
        if _SECONDS.fullmatch(told):
            return float(min(int(told), LONGEST_WAIT_S))
        then, now = date_in(told), date_in(self.headers.get("Date", "")) or dt.datetime.now(dt.UTC)
        return min(max((then - now).total_seconds(), 0.0), LONGEST_WAIT_S) if then else None


def read(response: httpx.Response, path: str) -> Reply:
    """The whole answer, or TooMuch where it is more than a body of this kind has."""
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in _PACKINGS:
        raise TooMuch(f"it is packed as {packing[:40]!r}, which was not asked for")
    whole = response.status_code == 200
    most = _MOST_WORDS if not whole else MOST_JSON_BYTES if path.endswith(".json") else MOST_BYTES
    parts, size = list[bytes](), 0
    for part in _unpacked(response.iter_raw(), _PACKINGS[packing]):
        parts.append(part)
        size += len(part)
        if size > most and whole:
            raise TooMuch(f"it has more than {most >> 20} MB, which no body of this kind has")
        if size > most:
            break
    return Reply(response.status_code, response.headers, b"".join(parts)[:most])


def _unpacked(parts: Iterator[bytes], window: int | None) -> Iterator[bytes]:
    """Step by step, each of them bounded. A packed body that ends early is half a body, which httpx would take."""
    if window is None:
        yield from parts
        return
    stream = None
    try:
        for part in parts:
            while part:
                if stream is None:
                    bare = window == _ZLIB and part[0] & 0x0F != 8  # some servers leave the header of zlib out
                    stream = zlib.decompressobj(-window if bare else window)
                yield stream.decompress(part)
                part = stream.unused_data
                stream = None if stream.eof else stream
    except zlib.error as error:
        raise httpx.DecodingError(f"what came packed cannot be unpacked: {error}") from None
    if stream is not None:
        raise httpx.DecodingError("what came packed ends early")


def _words(document: object) -> str:
    if not isinstance(document, dict):
        return str(document)
    detail = document.get("detail")
    inner = detail.get("message") if isinstance(detail, dict) else detail
    return str(document.get("error") or document.get("message") or inner or document)


def date_in(text: str) -> dt.datetime | None:
    """A moment as HTTP writes it; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
