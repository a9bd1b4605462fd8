"""What to ask the vendors tonight: everything once, then what is new, and the last sessions again for corrections."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import quote

from pipelines.home import Home
from pipelines.lake import answers, more_asks, raw, tick_asks
from pipelines.lake.answers import Answers
from pipelines.lake.company_asks import Companies
from pipelines.lake.plan import Plan
from pipelines.lake.trouble import Trouble
from pipelines.progress import say
from pipelines.vendors.contents import Unusable
from pipelines.vendors.flatfiles import Bucket, Listed
from pipelines.vendors.hosts import VendorError
from pipelines.vendors.http import Answer, Ask, HttpTransport
from pipelines.vendors.layout import Delivery
from pipelines.vendors.paging import Followed, next_url
from pipelines.vendors.polygon import results

ASKED_AGAIN = 10  # sessions whose corrections are looked for each night
_REST = "polygon/rest"
# Pages are named so that what is listed now has the last word over what was delisted.
_LISTS = {
    "v3/reference/tickers/delisted": "/v3/reference/tickers?active=false&limit=1000",
    "v3/reference/tickers/listed": "/v3/reference/tickers?active=true&limit=1000",
    "stocks/v1/splits/all": "/stocks/v1/splits?limit=1000",
    "stocks/v1/dividends/all": "/stocks/v1/dividends?limit=1000",
}


@dataclass
class VendorPull:
    """Tonight's questions and their answers as deliveries, received at `now`."""

    home: Home
    transport: HttpTransport
    plan: Plan
    held: raw.Held
    now: dt.datetime
    bucket: Bucket | None = None
    trouble: Trouble = field(default_factory=Trouble)
    _flat_days: dict[str, frozenset[dt.date]] = field(default_factory=dict)  # kind of flat file -> days there are
    _days: dict[str, bytes] = field(default_factory=dict)  # tonight's bodies that name the tickers of minute bars

    _ticks: tuple[dt.date, ...] = field(init=False)

    def __post_init__(self) -> None:  # by what was held before tonight
        seen = self.plan.days[-self.plan.catch_up :] if self.plan.catch_up else ()
        self._ticks = tuple(sorted({*self.plan.ticks, *tick_asks.missed(self.held, seen)}))

    def deliveries(self) -> Iterator[Delivery]:
        known = Answers.read(self.home, self.now)
        self.transport.remembered = known.find
        companies = Companies(self.plan.symbols)
        for stem, target in _LISTS.items():
            yield from self._list(stem, target, companies if stem.startswith("v3/reference/tickers") else None)
        yield from self._answers(
            "changes of ticker", companies.event_asks(self.home, self.held, self._ask), needed=True)  # fmt: skip
        if self.plan.more.companies:
            asks = companies.overview_asks(self.held, self._ask, self.plan.days[-1])
            yield from self._answers("what companies do", asks)
        try:
            yield from self._flat_files(known)
        except VendorError as problem:
            self.trouble.meet("flat files", "days and minutes", problem)
        yield from self._answers("days", self.day_asks(), needed=True, some=True)
        yield from self._answers("minute bars", self._minute_asks())
        yield from self._answers("option chains", self.chain_asks())
        extras = {tick_asks.SCHEMAS[schema] for schema in self.plan.extras}
        for what, asks in self.tick_asks_by_kind():
            yield from self._answers(what, asks, extra=what in extras)
        for symbol in self.plan.more.snapshots:
            stem = more_asks.snapshot_stem(symbol, self.plan.days[-1])
            if not self.held.sound(f"{_REST}/{stem}-0001.json"):
                yield from self._list(stem, more_asks.snapshot_target(symbol), needed=False)
        for what, asks in self.more_asks():
            yield from self._answers(what, asks)

    def more_asks(self) -> Iterator[tuple[str, list[Ask]]]:
        return more_asks.by_kind(self.plan.more, self.plan.days, self.held, self._ask)

    def flat_files(self) -> list[Listed]:
        """Those whose newest body is not held: of days not seen yet, or republished under another ETag."""
        wanted: list[Listed] = []
        for kind in self.plan.more.flatfiles if self.bucket is not None else ():
            days = self.plan.days if "/day_" in kind else self.plan.minutes
            listed = self.bucket.listed(kind, days[0], days[-1]) if self.bucket is not None and days else []
            self._flat_days[kind] = frozenset(one.day for one in listed)
            wanted += [one for one in listed if not self.held.sound(one.path)
                       or self.held.newest[one.path].get("etag") != one.etag]  # fmt: skip
        return wanted

    def _flat_files(self, known: Answers) -> Iterator[Delivery]:
        missing, told, closed = [], 0, list[Listed]()
        for one in self.flat_files():
            had = known.body(one.path, one.key)
            if had and had[1] == one.etag:
                yield _flat(one, had[0], self.now)
            else:
                missing.append(one)
        for one, body in self.bucket.bodies(missing) if self.bucket is not None else ():
            if body is None:
                closed.append(one)
                continue
            yield _flat(one, body, self.now)
            told += 1
            if told % 50 == 0:
                say(f"    flat files: {told} of {len(missing)}")
        if closed:  # what a plan does not hold as a file it may hold as an answer
            for kind, days in self._flat_days.items():
                self._flat_days[kind] = days - {one.day for one in closed if one.key.startswith(f"{kind}/")}
            say(f"    flat files: {len(closed)} of {len(missing)} are listed and not in the plan ({closed[0].day} to "
                f"{closed[-1].day}): asked for otherwise; a later coverage.start asks for less")  # fmt: skip

    def day_asks(self) -> list[Ask]:
        """One body a day for the whole market; for named symbols, one a month and symbol. A day with a flat file of
        its own needs neither."""
        if not self.plan.symbols:
            flat = self._flat_days.get(more_asks.FLAT_DAYS, frozenset())
            return [self._day_ask(day) for day in self._wanted(self.plan.days, self._day_path) if day not in flat]
        months = {(day.year, day.month): day.replace(day=1) for day in self.plan.days}
        recent = {(day.year, day.month) for day in self.plan.days[-ASKED_AGAIN:]}
        asks = [(month in recent, self._month_ask(symbol, first))
                for symbol in self.plan.symbols for month, first in months.items()]  # fmt: skip
        return [ask for again, ask in asks if again or not self.held.sound(ask.path)]

    def chain_asks(self) -> list[Ask]:
        return [
            self._chain_ask(symbol, day)
            for symbol in self.plan.chain_symbols
            for day in self._wanted(self.plan.chains, partial(_chain_path, symbol))
        ]

    def tick_asks(self) -> list[Ask]:
        """A second question of these is never conditional, and the vendor charges for each: one good body is enough."""
        plan = self.plan
        wanted = tick_asks.asks(plan.roots, plan.schemas + plan.extras, self._ticks, plan.days, self.now)
        return [ask for ask in wanted if not self.held.sound(ask.path)]

    def tick_asks_by_kind(self) -> list[tuple[str, list[Ask]]]:
        """What to say of them, and the questions."""
        asks = self.tick_asks()
        return [(tick_asks.SCHEMAS[schema], [ask for ask in asks if tick_asks.schema_of(ask.path) == schema])
                for schema in self.plan.schemas + self.plan.extras]  # fmt: skip

    def _wanted(self, days: tuple[dt.date, ...], path_of: Any) -> list[dt.date]:
        recent = set(self.plan.days[-ASKED_AGAIN:])
        return [day for day in days if day in recent or not self.held.sound(path_of(day))]

    def _ask(self, vendor: str, path: str, target: str) -> Ask:
        """Conditional where the held body answered the same question, and well."""
        held = self.held.newest.get(path, {}) if self.held.sound(path) else {}
        return Ask(vendor, path, target, etag=held.get("etag") if held.get("url") == target else None)

    def _list(
        self, stem: str, target: str, companies: Companies | None = None, *, needed: bool = True
    ) -> Iterator[Delivery]:
        """A list counts whole or not at all: of half a one, the next pull could not tell what is new from what this one
        did not get to. Its pages are kept as they come, and that run goes on behind them."""
        if self.trouble.is_closed("polygon"):
            return
        pages: list[Delivery] = []
        try:
            for answer in self._pages(stem, target):
                if companies is not None:
                    companies.collect(_rows(self._body(answer)))
                for page in self._delivered(answer):
                    pages.append(page if page.body is None else self._kept(page))
        except VendorError as problem:
            self.trouble.meet("polygon", f"list {stem}", problem, needed=needed)
            return
        yield from pages

    def _kept(self, page: Delivery) -> Delivery:
        assert page.body is not None
        raw.keep_bodies(self.home, {page.sha256: page.body()})
        answers.note(self.home, [page], self.now)
        return replace(page, body=partial(raw.read_body, self.home, page.sha256))

    def _pages(self, stem: str, target: str) -> Iterator[Answer]:
        following: str | None = target
        number, followed = 1, Followed(stem, target)
        while following:
            answer = self.transport.ask(self._ask("polygon", f"{_REST}/{stem}-{number:04d}.json", following))
            # A page that leads astray is not kept: remembered, it would stop every run for hours.
            following = followed.on(self.transport.next_target(next_url(self._body(answer))))
            if answer.body is None and not answer.same:
                say(f"    {stem}: page {number} is not there ({answer.note}); the list is taken as it is")
            yield answer
            number += 1

    def _body(self, answer: Answer) -> bytes:
        if answer.same:
            return raw.read_body(self.home, self.held.newest[answer.ask.path]["sha256"])
        return answer.body or b""

    def _day_path(self, day: dt.date) -> str:
        return f"{_REST}/v2/aggs/grouped/locale/us/market/stocks/{day}.json"

    def _day_ask(self, day: dt.date) -> Ask:
        return self._ask(
            "polygon", self._day_path(day), f"/v2/aggs/grouped/locale/us/market/stocks/{day}?adjusted=false"
        )

    def _month_ask(self, symbol: str, first: dt.date) -> Ask:
        """A month has one path all along, and its question ends with the last closed session: no half day comes in."""
        following = (first + dt.timedelta(days=31)).replace(day=1)
        last = following - dt.timedelta(days=1)
        stem = f"v2/aggs/ticker/{quote(symbol, safe='')}/range/1/day"
        begins, ends = max(first, self.plan.days[0]), min(last, self.plan.days[-1])
        target = f"/{stem}/{begins}/{ends}?adjusted=false&sort=asc&limit=50000"
        return self._ask("polygon", f"{_REST}/{stem}/{first}/{last}.json", target)

    def _minute_asks(self) -> Iterator[Ask]:
        """For every named symbol; where questions cost nothing, for all that the day's own body names."""
        recent = set(self.plan.days[-ASKED_AGAIN:])
        flat = self._flat_days.get(more_asks.FLAT_MINUTES, frozenset())
        for day in (day for day in self.plan.minutes if day not in flat):
            for ticker in self.plan.symbols or (self.traded_on(day) if self.plan.archive else ()):
                inner = f"v2/aggs/ticker/{quote(ticker, safe='')}/range/1/minute/{day}/{day}"
                path = f"{_REST}/{inner}.json"
                if day in recent or not self.held.sound(path):
                    yield self._ask("polygon", path, f"/{inner}?adjusted=false&sort=asc&limit=50000")

    def traded_on(self, day: dt.date) -> list[str]:
        path = self._day_path(day)
        held = self.held.newest.get(path)
        body = self._days.get(path) or (raw.read_body(self.home, held["sha256"]) if held else b"")
        return sorted({row["T"] for row in _rows(body) if isinstance(row.get("T"), str)})

    def _chain_ask(self, symbol: str, day: dt.date) -> Ask:
        past = f"?session={day}" if self.plan.archive else ""
        return self._ask("cboe", _chain_path(symbol, day), f"/api/global/delayed_quotes/options/{symbol}.json{past}")

    def _answers(self, what: str, asks: Any, *, needed: bool = False, extra: bool = False,
                 some: bool = False) -> Iterator[Delivery]:  # fmt: skip
        """Ask these side by side; long work says how far it is, and who does not answer is met and left alone. With
        `some`, a plan that holds none of them is no answer either."""
        counted, absent, note = 0, 0, ""
        asked = (ask for ask in asks if not self.trouble.is_closed(ask.site or ask.vendor))
        for answer in self.transport.ask_all(asked, go_on=True):
            if answer.problem is not None:
                place = answer.ask.site or answer.ask.vendor
                self.trouble.meet(place, what, answer.problem, needed=needed, extra=extra)
                continue
            counted += 1
            if answer.body is None and not answer.same:
                absent, note = absent + 1, answer.note
            if counted % 250 == 0:
                say(f"    {what}: {counted} answers")
            yield from self._delivered(answer)
        if absent:
            say(f"    {what}: {absent} of {counted} not there (last: {note})")
        if some and absent and absent == counted and note.startswith("403"):
            refusal = VendorError(f"the plan holds none of the {counted} that were asked for: {note}")
            self.trouble.meet(answer.ask.vendor, what, refusal, needed=needed)

    def _delivered(self, answer: Answer) -> Iterator[Delivery]:
        ask = answer.ask
        if answer.same:
            sha256 = self.held.newest[ask.path]["sha256"]
            yield Delivery(ask.path, sha256, None, self.now, answer.etag, ask.target)
        elif answer.body is not None:
            body = answer.body
            if "/grouped/" in ask.path and ask.path[-15:-5] >= str(min(self.plan.minutes, default="9")):
                self._days[ask.path] = body
            yield Delivery(ask.path, raw.sha256_of(body), lambda: body, self.now, answer.etag, ask.target)


def _flat(one: Listed, body: bytes, now: dt.datetime) -> Delivery:
    return Delivery(one.path, raw.sha256_of(body), lambda: body, now, one.etag, one.key)


def _chain_path(symbol: str, day: dt.date) -> str:
    return f"cboe/options/{symbol}/{day}.json"


def _rows(body: bytes) -> list[dict[str, Any]]:
    try:
        return [row for row in results(body) if isinstance(row, dict)]
    except Unusable:
        return []
