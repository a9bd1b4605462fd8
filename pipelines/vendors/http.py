"""The one HTTP transport: connections reused, retries with jitter, conditional requests, keys in headers only."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import stamina

# Its own notes of each retry would go to standard output, where a program may be reading one JSON document.
stamina.instrumentation.set_on_retry_hooks([])
# Polygon became Massive: either brand's next_url may name the other's host.
BRANDS = {"api.massive.com", "api.polygon.io"}
UNSOUND_AGAIN = 2  # times that a body which is none is asked for again
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) nightdesk"  # Cboe's edge turns away what does not look like a browser
_RETRIED = {429, 500, 502, 503, 504}
_ABSENT = {"polygon": {403, 404}, "cboe": {403, 404}, "cme": set[int]()}


class VendorError(RuntimeError):
    """A vendor refused or failed; says who, what was asked, and the vendor's own words, never a key."""


class ForeignHost(VendorError):
    """A next page on a host that is not the vendor's: following it would hand over the key."""


class _Unsound(Exception):
    """A 200 whose body is none: a page for people, or half a document. The next one is often whole."""


class _Busy(Exception):
    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"status {response.status_code}")
        self.response = response


@dataclass(frozen=True)
class Hosts:
    """Where the vendors are and what opens them. Keys never show in a representation."""

    polygon: str
    cboe: str
    databento: str
    polygon_key: str = field(repr=False)
    databento_key: str = field(repr=False)


@dataclass(frozen=True)
class Ask:
    """One question: `target` is path and query on the vendor's host, `path` the body's name in the files layout."""

    vendor: str
    path: str
    target: str
    form: tuple[tuple[str, str], ...] | None = None
    etag: str | None = None


@dataclass(frozen=True)
class Answer:
    """`body` is None where nothing changed (`same`) or there is nothing (neither)."""

    ask: Ask
    body: bytes | None
    etag: str | None = None
    same: bool = False
    note: str = ""


def _sound(ask: Ask, body: bytes) -> bool:
    """Whether a body can be what was asked for, by its first and last bytes. What is charged for is never asked again
    on such a suspicion."""
    if ask.form is not None or not ask.path.endswith(".json"):
        return True
    text = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n"), body[-64:].rstrip()
    return text[0][:1] in (b"{", b"[") and text[1][-1:] in (b"}", b"]")


class HttpTransport:
    """Asks vendors, at most `workers` questions at a time. `asked` counts requests by vendor."""

    def __init__(
        self, hosts: Hosts, *, workers: int = 8, attempts: int = 6, first_wait_s: float = 0.2, quota_wait_s: float = 15,
        timeout_s: float = 60,
    ) -> None:  # fmt: skip
        self.hosts = hosts
        self.asked = dict.fromkeys(_ABSENT, 0)
        self._attempts, self._first_wait_s, self._quota_wait_s = attempts, first_wait_s, quota_wait_s
        self._client = httpx.Client(
            timeout=timeout_s, headers={"User-Agent": _AGENT}, limits=httpx.Limits(max_connections=workers)
        )
        self._pool = ThreadPoolExecutor(workers)
        self._window = 4 * workers

    def __enter__(self) -> "HttpTransport":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def ask_all(self, asks: Iterable[Ask]) -> Iterator[Answer]:
        """Answers in the order of the questions; the coming ones are already on their way."""
        under_way: deque[Future[Answer]] = deque()
        for ask in asks:
            under_way.append(self._pool.submit(self.ask, ask))
            if len(under_way) >= self._window:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def ask(self, ask: Ask) -> Answer:
        self.asked[ask.vendor] += 1
        response = self._send(ask)
        if response.status_code == 304:
            return Answer(ask, None, ask.etag, same=True)
        if response.status_code == 200:
            return Answer(ask, response.content, response.headers.get("ETag"))
        said = self._said(response)
        if response.status_code in _ABSENT[ask.vendor]:
            return Answer(ask, None, note=f"{response.status_code}: {said}")
        raise VendorError(f"{ask.vendor} answered {response.status_code} to {ask.target}: {said}")

    def next_target(self, next_url: object) -> str | None:
        """Path and query of the next page, without whatever key it may carry; the host must be the vendor's."""
        if not isinstance(next_url, str) or not next_url:
            return None
        parts = urlsplit(next_url)
        if parts.netloc and parts.netloc not in BRANDS | {urlsplit(self.hosts.polygon).netloc}:
            raise ForeignHost(f"polygon's next_url names the foreign host {parts.netloc}: not followed")
        query = [(name, value) for name, value in parse_qsl(parts.query) if name.lower() != "apikey"]
        return f"{parts.path}?{urlencode(query)}"

    def _send(self, ask: Ask) -> httpx.Response:
        """The vendor's answer, asked for again while that may help. A body that stays unsound is handed on as it is:
        the parsers say what is wrong with it, and quarantine keeps it."""
        base = {"polygon": self.hosts.polygon, "cboe": self.hosts.cboe, "cme": self.hosts.databento}[ask.vendor]
        headers = {"If-None-Match": ask.etag} if ask.etag else {}
        auth = None
        if ask.vendor == "polygon":
            headers["Authorization"] = f"Bearer {self.hosts.polygon_key}"
        elif ask.vendor == "cme":
            auth = httpx.BasicAuth(self.hosts.databento_key, "")
        unsound = 0
        try:
            for attempt in stamina.retry_context(
                on=self._worth_waiting, attempts=self._attempts, timeout=180, wait_initial=self._first_wait_s,
                wait_max=30, wait_jitter=self._first_wait_s,
            ):  # fmt: skip
                with attempt:
                    response = self._client.request(
                        "GET" if ask.form is None else "POST", base.rstrip("/") + ask.target, headers=headers,
                        auth=auth, data=None if ask.form is None else dict(ask.form),
                    )  # fmt: skip
                    if response.status_code in _RETRIED:
                        raise _Busy(response)
                    if response.status_code == 200 and not _sound(ask, response.content) and unsound < UNSOUND_AGAIN:
                        unsound += 1
                        raise _Unsound
        except _Busy as busy:
            said = self._said(busy.response)
            raise VendorError(
                f"{ask.vendor} still answers {busy.response.status_code} to {ask.target} after {self._attempts} "
                f"attempts: {said}; run again later, what was received is kept"
            ) from None
        except httpx.RequestError as error:
            raise VendorError(
                f"{ask.vendor} cannot be reached for {ask.target}: {type(error).__name__}: {self._clean(str(error))}"
            ) from None
        return response

    def _worth_waiting(self, problem: Exception) -> bool | float:
        """Whether to ask again, and if known, in how many seconds. A quota counts by the minute."""
        if not isinstance(problem, _Busy):
            return isinstance(problem, httpx.RequestError | _Unsound)
        told = problem.response.headers.get("Retry-After", "")
        if told.isdigit():
            return float(min(int(told), 60))
        return self._quota_wait_s if problem.response.status_code == 429 else True

    def _said(self, response: httpx.Response) -> str:
        """The vendor's words from whichever field they are in."""
        try:
            document = response.json()
        except ValueError:
            return self._clean(response.text[:200])
        if isinstance(document, dict):
            detail = document.get("detail")
            inner = detail.get("message") if isinstance(detail, dict) else detail
            return self._clean(str(document.get("error") or document.get("message") or inner or document)[:300])
        return self._clean(str(document)[:200])

    def _clean(self, text: str) -> str:
        for key in (self.hosts.polygon_key, self.hosts.databento_key):
            text = text.replace(key, "…") if key else text
        return text
