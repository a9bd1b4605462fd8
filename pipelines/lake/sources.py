"""Where tonight's bodies come from: the sandbox, a folder in the files layout, or the vendors themselves."""

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipelines import calendars
from pipelines.home import Home
from pipelines.lake import forecast, raw
from pipelines.lake.asks import VendorPull
from pipelines.lake.more_asks import FLAT_MINUTES, More
from pipelines.lake.plan import Plan
from pipelines.lake.tick_asks import EXTRAS, SCHEMAS
from pipelines.lake.trouble import Trouble
from pipelines.progress import say
from pipelines.settings import Coverage, Settings
from pipelines.vendors.cme_details import ROOTS
from pipelines.vendors.files import FilesTransport
from pipelines.vendors.flatfiles import Bucket, FlatFiles
from pipelines.vendors.hosts import Hosts, VendorError
from pipelines.vendors.http import HttpTransport
from pipelines.vendors.layout import Delivery

if TYPE_CHECKING:
    from pipelines.sandbox import Outline

CAUGHT_UP = 10  # sessions back in which a night may have been missed
FIRST_LOAD_SESSIONS = 500  # what Polygon's free plan looks back: two years
STATISTICS_SESSIONS = 60  # what the sandbox's archive of the exchange's daily statistics looks back
_NEEDED = "set MASSIVE_API_KEY (or POLYGON_API_KEY) for equities and DATABENTO_API_KEY for futures"


class SourceError(ValueError):
    """A source that cannot be used, and what to do about it."""


class Source(Protocol):
    """Deliveries in the order in which they were received, how many questions they took, by vendor, and what trouble
    there was."""

    def deliveries(self, held: raw.Held, now: dt.datetime) -> Iterator[Delivery]: ...

    def asked(self) -> Mapping[str, int]: ...

    @property
    def trouble(self) -> Trouble: ...


class HttpSource:
    """Vendors over HTTP, and their flat files. `max_usd` is what a night may cost; None where nothing is charged."""

    def __init__(
        self, home: Home, transport: HttpTransport, plan: Plan, max_usd: float | None = None,
        bucket: Bucket | None = None,
    ) -> None:  # fmt: skip
        self.home, self.transport, self.plan, self.max_usd, self.bucket = home, transport, plan, max_usd, bucket
        self.trouble = Trouble()

    def deliveries(self, held: raw.Held, now: dt.datetime) -> Iterator[Delivery]:
        pull = VendorPull(self.home, self.transport, self.plan, held, now, self.bucket, self.trouble)
        if self.max_usd is not None:
            try:
                pull, usd = forecast.affordable(pull, self.transport, self.max_usd)
            except VendorError as problem:  # what tells no price is not bought, and the others are asked all the same
                self.trouble.meet("cme", "price of the night", problem)
                pull, usd = replace(pull, plan=replace(pull.plan, roots=())), {}
            forecast.refuse_beyond(sum(usd.values()), self.max_usd)
        return pull.deliveries()

    def forecast(self, held: raw.Held, now: dt.datetime) -> list[forecast.Line]:
        """What tonight would ask for. Only the price of what is charged is asked, which is free."""
        pull = VendorPull(self.home, self.transport, self.plan, held, now, self.bucket)
        if self.max_usd is None:
            return list(forecast.lines(pull))
        return forecast.priced(pull, self.transport, self.max_usd)

    def asked(self) -> Mapping[str, int]:
        flat = self.bucket.asked if self.bucket else 0
        return {**self.transport.asked, "polygon": self.transport.asked["polygon"] + flat}


class FilesSource:
    def __init__(self, folder: Path) -> None:
        self.transport = FilesTransport(folder)
        self.trouble = Trouble()

    def deliveries(self, held: raw.Held, now: dt.datetime) -> Iterator[Delivery]:
        """Where nobody noted when a body came, it has the modelled time; but one that follows a body which an earlier
        run read was not there then, so that it counts from now."""
        read_before = frozenset(held.newest)
        for delivery in self.transport.deliveries(now):
            known = (delivery.path, delivery.sha256) in held.bodies
            if delivery.received_at is None and delivery.path in read_before and not known:
                delivery = replace(delivery, received_at=now)
            yield delivery

    def asked(self) -> Mapping[str, int]:
        return {}


def sandbox_plan(settings: Settings, market: "Outline", now: dt.datetime) -> Plan:
    """All that the embedded market has published by now; its archive of past chains included."""
    from pipelines.sandbox import futures, options

    days = tuple(market.sessions[: market.latest(now) + 1])
    sizes = settings.sandbox
    many = sizes.incidents == "many"
    chains = _of(days, options.chain_sessions(market))
    statistics = min(STATISTICS_SESSIONS, len(chains))
    return Plan(
        days=days,
        minutes=_of(days, market.by_minute),
        chains=chains,
        ticks=_of(days, futures.tick_sessions(market)),
        roots=sizes.roots,
        schemas=("trades", *EXTRAS) if many else ("trades",),
        archive=True,
        more=More(cboe_indices=("SPX", "VIX"), statistics=statistics, details=sizes.roots, companies=True)
        if many else More(companies=True),
    )


def _of(days: tuple[dt.date, ...], numbers: Iterable[int]) -> tuple[dt.date, ...]:
    return tuple(days[number] for number in numbers if number < len(days))


@contextmanager
def _sandbox(settings: Settings, home: Home, now: dt.datetime) -> Iterator[Source]:
    from pipelines import sandbox

    with sandbox.served(settings, now) as served:
        hosts = Hosts(served.polygon, served.cboe, served.databento, served.key, served.key, cme_site=served.databento)
        with HttpTransport(hosts, **settings.asking.model_dump()) as transport:
            yield HttpSource(home, transport, sandbox_plan(settings, sandbox.outline(settings), now))


@contextmanager
def _vendors(settings: Settings, home: Home, now: dt.datetime, environment: Mapping[str, str]) -> Iterator[Source]:
    hosts = Hosts.from_environment(environment)
    missing = [] if hosts.polygon_key else ["MASSIVE_API_KEY"]
    missing += [] if hosts.databento_key or not settings.coverage.roots else ["DATABENTO_API_KEY"]
    flat = bool(settings.coverage.flatfiles)
    missing += ["MASSIVE_S3_ACCESS_KEY_ID and MASSIVE_S3_SECRET_ACCESS_KEY"] if flat and not (
        hosts.flatfiles_id and hosts.flatfiles_secret) else []
    if missing:
        raise SourceError(f"--source vendors: {' and '.join(missing)} not in the environment; {_NEEDED}")
    last = calendars.last_closed_session(now)
    plan = vendors_plan(settings.coverage, last)
    with HttpTransport(hosts, rates=settings.rates.model_dump(), **settings.asking.model_dump()) as transport:
        source = HttpSource(home, transport, plan, settings.spend.max_usd)
        if flat:
            try:
                source.bucket = FlatFiles(hosts)
            except VendorError as problem:
                source.trouble.meet("flat files", "the bucket", problem)
        yield source


def vendors_plan(coverage: Coverage, last: dt.date) -> Plan:
    """What the settings cover. Cboe publishes the newest chain only, and every day of trades is charged for: both start
    today. Minute bars of the whole market are a flat file's work, not ten thousand questions'."""
    if coverage.start is None:
        days = tuple(calendars.previous_sessions(last, FIRST_LOAD_SESSIONS))
    else:
        days = tuple(calendars.sessions(coverage.start, last))
    if not days:
        raise SourceError(f"coverage.start {coverage.start} is after the last closed session, {last}")
    chains = coverage.chains if "cboe" in coverage.accept_terms else ()
    if coverage.chains and not chains:
        say("    cboe: not asked, because its delayed quotes are undocumented and for personal use; where that is "
            "yours, set coverage.accept_terms=cboe")  # fmt: skip
    by_minute = bool(coverage.symbols) or FLAT_MINUTES in coverage.flatfiles
    minutes = min(len(days), coverage.minute_sessions) if by_minute else 0
    return Plan(
        days=days, minutes=days[len(days) - minutes :], chains=days[-1:], ticks=days[-1:], catch_up=CAUGHT_UP,
        symbols=coverage.symbols,
        chain_symbols=chains, roots=coverage.roots, schemas=_schemas(coverage),
        extras=() if coverage.schemas else EXTRAS, more=_more(coverage, len(days)),
    )  # fmt: skip


def _schemas(coverage: Coverage) -> tuple[str, ...]:
    if unknown := sorted(set(coverage.schemas) - set(SCHEMAS)):
        raise SourceError(f"coverage.schemas: nothing is read of {', '.join(unknown)}; read are {', '.join(SCHEMAS)}")
    return tuple(dict.fromkeys(coverage.schemas)) or ("trades",)


def _more(coverage: Coverage, sessions: int) -> More:
    """What is named beyond the usual, less what its terms were not accepted for."""
    wanted = {"cboe": bool(coverage.cboe_indices or coverage.statistics), "cme": bool(coverage.details)}
    accepted = {vendor: vendor in coverage.accept_terms for vendor in wanted}
    for vendor, asked in wanted.items():
        if asked and not accepted[vendor]:
            say(f"    {vendor}: coverage names what its site tells without documentation; where its terms allow you "
                f"that, set coverage.accept_terms={vendor}")  # fmt: skip
    if unknown := sorted(set(coverage.details) - set(ROOTS.values())):
        known = ", ".join(sorted(ROOTS.values()))
        raise SourceError(f"coverage.details: no product number is known of {', '.join(unknown)}; known are {known}")
    return More(
        flatfiles=coverage.flatfiles, snapshots=coverage.snapshots, indices=coverage.indices,
        cboe_indices=coverage.cboe_indices if accepted["cboe"] else (),
        statistics=sessions if coverage.statistics and accepted["cboe"] else 0,
        details=coverage.details if accepted["cme"] else (), holidays=True, companies=coverage.companies,
    )  # fmt: skip


@contextmanager
def opened(
    settings: Settings, home: Home, now: dt.datetime, environment: Mapping[str, str] | None = None
) -> Iterator[Source]:
    """The source that the settings name, ready to be asked."""
    if settings.source == "sandbox":
        with _sandbox(settings, home, now) as source:
            yield source
    elif settings.source.startswith("files:"):
        yield FilesSource(Path(settings.source.removeprefix("files:")).expanduser())
    else:
        with _vendors(settings, home, now, os.environ if environment is None else environment) as source:
            yield source
