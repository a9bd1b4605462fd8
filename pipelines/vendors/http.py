"""The one HTTP transport: connections reused, retries with jitter, conditional requests, keys in headers only."""

import ssl
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
from types import TracebackType

import httpx
import stamina

from pipelines.lake.schemas import VENDORS
from pipelines.progress import say
from pipelines.vendors import deadlines, replies
from pipelines.vendors.hosts import ForeignHost, Hosts, VendorClosed, VendorError, VendorSilent
from pipelines.vendors.pool import Job, PriorityPool, RequestPriority
from pipelines.vendors.rates import Rate
from pipelines.vendors.replies import Reply

# Its own notes of each retry would go to standard output, where a program may be reading one JSON document.
stamina.instrumentation.set_on_retry_hooks([])
Question = tuple[str, str, tuple[tuple[str, str], ...] | None, str | None]
RECENT_ANSWERS = 256
TOLD_FROM_S = 5.0  # a wait that a person at the screen would notice
UNSOUND_AGAIN = 2  # times that a body which is none is asked for again
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) nightdesk"  # Cboe's edge turns away what does not look like a browser
_RETRIED = {429, 500, 502, 503, 504}
__all__ = ["Answer", "Ask", "ForeignHost", "Hosts", "HttpTransport", "Pending", "VendorError"]
_ABSENT = {"polygon": {403, 404}, "cboe": {403, 404}, "cme": set[int](), "cme_site": {403, 404}}


class _Unsound(Exception):
    """A 200 whose body is none: a page for people, or half a document. The next one is often whole."""


class _Busy(Exception):
    def __init__(self, reply: Reply, wait_s: float) -> None:
        super().__init__(f"status {reply.status}")
        self.reply, self.wait_s = reply, wait_s


@dataclass(frozen=True)
class Ask:
    """One question: `target` is path and query on the vendor's host, `path` the body's name in the files layout."""

    vendor: str
    path: str
    target: str
    form: tuple[tuple[str, str], ...] | None = None
    etag: str | None = None
    site: str = ""  # another place of the vendor's, which gets no key


@dataclass(frozen=True)
class Answer:
    """`body` is None where nothing changed (`same`) or there is nothing (neither)."""

    ask: Ask
    body: bytes | None
    etag: str | None = None
    same: bool = False
    note: str = ""
    problem: VendorError | None = None  # why there is no answer, for who asked to be told
    date: str | None = None  # the vendor's clock, as HTTP writes it


def _sound(ask: Ask, body: bytes) -> bool:
    """Whether a body can be what was asked for, by its first and last bytes. What is charged for is never asked again
    on such a suspicion."""
    if ask.form is not None or not ask.path.endswith(".json"):
        return ask.form is not None or bool(body.strip())
    text = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n"), body[-64:].rstrip()
    return text[0][:1] in (b"{", b"[") and text[1][-1:] in (b"}", b"]")


@dataclass(frozen=True)
class Pending:
    """An answer under way. Several askers of one question share it, each under its own name."""

    ask: Ask
    future: Future[Answer]

    def result(self, timeout_s: float | None = None) -> Answer:
        return replace(self.future.result(timeout_s), ask=self.ask)


@lru_cache
def _trusted() -> ssl.SSLContext:
    """Whom this machine trusts. Read once: it takes longer than an answer."""
    return httpx.create_ssl_context()


class HttpTransport:
    """Asks vendors, each at most `workers` questions at a time and no oftener than `rates` says.

    `asked` counts questions by vendor; one that is under way, or was answered within the caller's `max_age_s`, is not
    asked again."""

    def __init__(
        self, hosts: Hosts, *, workers: int = 8, attempts: int = 6, first_wait_s: float = 0.2, quota_wait_s: float = 15,
        timeout_s: float = 60, rates: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.hosts = hosts
        self.remembered: Callable[[Ask], Answer | None] = lambda ask: None  # what need not be asked again
        self.asked = dict.fromkeys(VENDORS, 0)
        self._attempts, self._first_wait_s, self._quota_wait_s = attempts, first_wait_s, quota_wait_s
        sizes = {vendor: workers if vendor == "polygon" else min(workers, 4) for vendor in VENDORS}
        limits = httpx.Limits(max_connections=sum(sizes.values()), max_keepalive_connections=sum(sizes.values()))
        headers = {"User-Agent": _AGENT, "Accept-Encoding": replies.ACCEPTED}
        self._client = httpx.Client(timeout=timeout_s, headers=headers, limits=limits, verify=_trusted())
        self._deadline = deadlines.bound(self._client, timeout_s)
        self._pools = {vendor: PriorityPool[Answer](size) for vendor, size in sizes.items()}
        self._rates = {vendor: Rate((rates or {}).get(vendor, "")) for vendor in VENDORS}
        self._window = 4 * workers
        self._lock = threading.RLock()
        self._under_way: dict[Question, Job[Answer]] = {}
        self._recent: OrderedDict[Question, tuple[float, Future[Answer]]] = OrderedDict()

    def __enter__(self) -> "HttpTransport":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for pool in self._pools.values():
            pool.shutdown()
        self._client.close()

    def ask_all(self, asks: Iterable[Ask], *, go_on: bool = False) -> Iterator[Answer]:
        """Answers in the order of the questions; the coming ones are already on their way. With `go_on`, one that could
        not be had is an answer with a problem, and the others are asked all the same."""
        under_way: deque[Pending] = deque()
        for ask in asks:
            under_way.append(self.submit(ask))
            if len(under_way) >= self._window:
                yield self._had(under_way.popleft(), go_on)
        while under_way:
            yield self._had(under_way.popleft(), go_on)

    def _had(self, pending: Pending, go_on: bool) -> Answer:
        try:
            return pending.result()
        except VendorError as problem:
            if not go_on:
                raise
            return Answer(pending.ask, None, problem=problem)

    def ask(self, ask: Ask) -> Answer:
        """Somebody waits for this one: it goes before what was queued."""
        return self.submit(ask, RequestPriority.HIGH).result()

    def submit(
        self, ask: Ask, priority: RequestPriority = RequestPriority.NORMAL, *, max_age_s: float = 0.0
    ) -> Pending:
        answer = self.remembered(ask)
        if answer is not None and _sound(ask, answer.body or b""):  # else the vendor may be well again by now
            known: Future[Answer] = Future()
            known.set_result(answer)
            return Pending(ask, known)
        question: Question = (ask.site or ask.vendor, ask.target, ask.form, ask.etag)
        pool = self._pools[ask.vendor]
        with self._lock:
            at, recent = self._recent.get(question, (float("-inf"), None))
            if recent is not None and time.monotonic() - at <= max_age_s:
                return Pending(ask, recent)
            job = self._under_way.get(question)
            if job is None:
                self.asked[ask.vendor] += 1
                job = self._under_way[question] = pool.submit(lambda: self._answer(ask), priority)
                job.future.add_done_callback(lambda done: self._landed(question, done, keep=max_age_s > 0))
            else:
                pool.hurry(job, priority)
        return Pending(ask, job.future)

    def _landed(self, question: Question, done: Future[Answer], *, keep: bool) -> None:
        with self._lock:
            self._under_way.pop(question, None)
            if keep and not done.cancelled() and done.exception() is None:
                self._recent[question] = (time.monotonic(), done)
                while len(self._recent) > RECENT_ANSWERS:
                    self._recent.popitem(last=False)

    def _answer(self, ask: Ask) -> Answer:
        reply = self._send(ask)
        if reply.status == 304 and ask.etag:
            return Answer(ask, None, ask.etag, same=True)
        if reply.status == 200:
            key = self.hosts.polygon_key if ask.vendor == "polygon" else ""
            etag = reply.etag if self.hosts.clean(reply.etag or "") == reply.etag else None
            return Answer(ask, self.hosts.without_keys(reply.body, key), etag, date=reply.headers.get("Date"))
        said = reply.said(self.hosts)
        if reply.status in _ABSENT[ask.site or ask.vendor]:
            return Answer(ask, None, note=f"{reply.status}: {said}")
        kind = VendorClosed if reply.status == 401 else VendorError
        raise kind(f"{ask.vendor} answered {reply.status} to {ask.target}: {said}")

    def next_target(self, next_url: object) -> str | None:
        """Path and query of the next page, without whatever key it may carry; the host must be the vendor's."""
        return self.hosts.next_target(next_url)

    def _send(self, ask: Ask) -> Reply:
        """The vendor's answer, asked for again while that may help. A body that stays unsound is handed on as it is:
        the parsers say what is wrong with it, and quarantine keeps it."""
        headers = {"If-None-Match": ask.etag} if ask.etag else {}
        auth = None
        if ask.vendor == "polygon":
            headers["Authorization"] = f"Bearer {self.hosts.in_a_header('polygon_key')}"
        elif ask.vendor == "cme" and not ask.site:
            auth = httpx.BasicAuth(self.hosts.in_a_header("databento_key"), "")
        address, unsound = self.hosts.base(ask.site or ask.vendor) + ask.target, 0
        try:
            for attempt in stamina.retry_context(
                on=self._worth_waiting, attempts=self._attempts, timeout=180, wait_initial=self._first_wait_s,
                wait_max=30, wait_jitter=self._first_wait_s,
            ):  # fmt: skip
                with attempt:
                    self._rates[ask.vendor].take()
                    self._deadline.begin()
                    with self._client.stream(
                        "GET" if ask.form is None else "POST", address, headers=headers, auth=auth,
                        data=None if ask.form is None else dict(ask.form),
                    ) as response:  # fmt: skip
                        reply = replies.read(response, ask.path)
                    if reply.status in _RETRIED:
                        raise _Busy(reply, self._pause(ask.vendor, reply))
                    if reply.status == 200 and not _sound(ask, reply.body) and unsound < UNSOUND_AGAIN:
                        unsound += 1
                        raise _Unsound
        except _Unsound:
            pass  # there was no attempt left
        except _Busy as busy:
            raise VendorSilent(
                f"{ask.vendor} still answers {busy.reply.status} to {ask.target} after {self._attempts} "
                f"attempts: {busy.reply.said(self.hosts)}; run again later, what was received is kept"
            ) from None
        except replies.TooMuch as refusal:
            raise VendorError(f"{ask.vendor}'s answer to {ask.target} is not taken: {refusal}") from None
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise VendorSilent(
                f"{ask.vendor} cannot be reached for {ask.target}: {type(error).__name__}: "
                f"{self.hosts.clean(str(error))}"
            ) from None
        return reply

    def _worth_waiting(self, problem: Exception) -> bool | float:
        """Whether to ask again, and if known, in how many seconds. A quota counts by the minute."""
        if isinstance(problem, _Busy):
            return problem.wait_s or True
        return isinstance(problem, httpx.RequestError | _Unsound)

    def _pause(self, vendor: str, reply: Reply) -> float:
        """Seconds to wait if they are known. A quota holds for everybody who asks this vendor, so all of them wait."""
        told_s = reply.told_wait_s()
        wait_s = told_s or 0.0
        if reply.status == 429:
            wait_s = self._quota_wait_s if told_s is None else told_s
            self._rates[vendor].pause(wait_s)
        if wait_s >= TOLD_FROM_S:
            say(f"    {vendor} is busy ({reply.status}): asking again in {wait_s:.0f} s")
        return wait_s
