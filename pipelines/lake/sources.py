"""Where tonight's bodies come from: the sandbox, a folder in the files layout, or the vendors themselves."""

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipelines import calendars
from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.asks import Plan, VendorPull
from pipelines.settings import Settings
from pipelines.vendors.files import FilesTransport
from pipelines.vendors.hosts import Hosts
from pipelines.vendors.http import HttpTransport
from pipelines.vendors.layout import Delivery

if TYPE_CHECKING:
    from pipelines.sandbox import Market

FIRST_LOAD_SESSIONS = 500  # what Polygon's free plan looks back: two years
_NEEDED = "set MASSIVE_API_KEY (or POLYGON_API_KEY) for equities and DATABENTO_API_KEY for futures"


class SourceError(ValueError):
    """A source that cannot be used, and what to do about it."""


class Source(Protocol):
    """Deliveries in the order in which they were received, and how many questions they took, by vendor."""

    def deliveries(self, held: raw.Held, now: dt.datetime) -> Iterator[Delivery]: ...

    def asked(self) -> Mapping[str, int]: ...


class HttpSource:
    def __init__(self, home: Home, transport: HttpTransport, plan: Plan) -> None:
        self.home, self.transport, self.plan = home, transport, plan

    def deliveries(self, held: raw.Held, now: dt.datetime) -> Iterator[Delivery]:
        return VendorPull(self.home, self.transport, self.plan, held, now).deliveries()

    def asked(self) -> Mapping[str, int]:
        return self.transport.asked


class FilesSource:
    def __init__(self, folder: Path) -> None:
        self.transport = FilesTransport(folder)

    def deliveries(self, held: raw.Held, now: dt.datetime) -> Iterator[Delivery]:
        return self.transport.deliveries(now)

    def asked(self) -> Mapping[str, int]:
        return {}


def sandbox_plan(settings: Settings, market: "Market", now: dt.datetime) -> Plan:
    """All that the embedded market has published by now; its archive of past chains included."""
    days = tuple(market.sessions[: market.latest(now) + 1])
    sizes, base = settings.sandbox, market.base
    return Plan(
        days=days,
        minutes=days[base:],
        chains=days[max(1, base + 1 - sizes.chain_sessions) :],
        ticks=days[max(1, base + 1 - sizes.tick_sessions) :],
        archive=True,
    )


@contextmanager
def _sandbox(settings: Settings, home: Home, now: dt.datetime) -> Iterator[Source]:
    from pipelines import sandbox

    market = sandbox.generate(settings)
    faults = settings.faults
    with sandbox.serve(market, now, faults=faults.schedule, slow_s=faults.slow_s) as served:
        hosts = Hosts(served.polygon, served.cboe, served.databento, served.key, served.key)
        with HttpTransport(hosts) as transport:
            yield HttpSource(home, transport, sandbox_plan(settings, market, now))


@contextmanager
def _vendors(settings: Settings, home: Home, now: dt.datetime, environment: Mapping[str, str]) -> Iterator[Source]:
    hosts = Hosts.from_environment(environment)
    missing = [] if hosts.polygon_key else ["MASSIVE_API_KEY"]
    missing += [] if hosts.databento_key else ["DATABENTO_API_KEY"]
    if missing:
        raise SourceError(f"--source vendors: {' and '.join(missing)} not in the environment; {_NEEDED}")
    last = calendars.last_closed_session(now)
    days = tuple(calendars.previous_sessions(last, FIRST_LOAD_SESSIONS))
    # Cboe publishes the newest chain only, and every day of trades is charged for: both start today. Minute bars of
    # the whole market are a flat file's work, not ten thousand questions'.
    plan = Plan(days=days, minutes=(), chains=days[-1:], ticks=days[-1:])
    with HttpTransport(hosts, rates=settings.rates.model_dump()) as transport:
        yield HttpSource(home, transport, plan)


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
    elif settings.source == "vendors":
        with _vendors(settings, home, now, os.environ if environment is None else environment) as source:
            yield source
    else:
        raise SourceError(f"--source {settings.source} is not known: sandbox, files:DIR or vendors")
