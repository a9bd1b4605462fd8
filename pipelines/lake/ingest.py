"""One night's ingest: ask the source, keep what it says, and commit what is new as one batch of facts."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from pipelines.home import Home
from pipelines.lake import answers, batches, own_lists, raw
from pipelines.lake.landing import Landing
from pipelines.lake.schemas import DATASETS, VENDORS
from pipelines.lake.sources import Source, opened
from pipelines.literals import every_batch
from pipelines.progress import say, step
from pipelines.settings import Settings


@dataclass(frozen=True)
class VendorCount:
    requests: int
    new_bodies: int
    rows: int  # new versions of facts
    rejects: int


@dataclass(frozen=True)
class IngestResult:
    """What a night brought. `batch` is None, and `unchanged` true, where no source had anything new."""

    now: dt.datetime
    batch: int | None
    vendors: dict[str, VendorCount]
    rows: dict[str, int]
    changed_sessions: dict[str, list[dt.date]]
    quarantined: dict[str, int]
    first_load: bool
    last_session: dt.date | None
    failed: dict[str, str] = field(default_factory=dict)  # who was asked for what, and why it was not had
    stops: bool = False  # so much of it that nothing may be judged on the rest

    @property
    def not_had(self) -> str:
        """In a line: what is missing of tonight, and why."""
        return "; ".join(f"{what}: {why}" for what, why in self.failed.items())

    @property
    def unchanged(self) -> bool:
        return self.batch is None

    def section(self) -> dict[str, Any]:
        """The part of tonight's story that the report reads."""
        return {
            "now": self.now.isoformat(),
            "last_session": self.last_session.isoformat() if self.last_session else None,
            "batch": self.batch,
            "unchanged": self.unchanged,
            "first_load": self.first_load,
            "vendors": {vendor: vars(count) for vendor, count in self.vendors.items()},
            "rows": self.rows,
            "changed_sessions": {vendor: [str(day) for day in days] for vendor, days in self.changed_sessions.items()},
            "quarantined": self.quarantined,
            "failed": self.failed,
        }


def ingest(settings: Settings, home: Home, now: dt.datetime, source: Source | None = None) -> IngestResult:
    """Land everything the source has by `now` that the lake lacks. Killed anywhere, run it again: same bytes."""
    with home.lock(), step(f"ingest from {settings.source.partition(':')[0]}"):
        batches.begin(home)
        if source is not None:
            result = _ingest(settings, home, now, source)
        else:
            with opened(settings, home, now) as chosen:
                result = _ingest(settings, home, now, chosen)
        home.write_section("ingest", result.section())
        return result


def _ingest(settings: Settings, home: Home, now: dt.datetime, source: Source) -> IngestResult:
    held = raw.Held.read(home)
    first_load = not held.newest
    landing = Landing(home, held, now, settings.quarantine)
    landing.take(chain(own_lists.deliveries(settings, held, now), source.deliveries(held, now)))
    number, staged = batches.commit(home, landing, now)
    answers.forget(home, now, {(row["path"], row["sha256"]) for row in landing.receipts})
    requests = source.asked() or landing.answers
    rejects = Counter(row["vendor"] for row in landing.refused)
    vendors = {
        vendor: VendorCount(
            requests=requests.get(vendor, 0),
            new_bodies=landing.new_bodies[vendor],
            rows=sum(count for name, count in staged.rows.items() if DATASETS[name].vendor == vendor),
            rejects=rejects[vendor],
        )
        for vendor in VENDORS
    }
    _tell(vendors)
    if listed := staged.rows["borrow"]:
        say(f"    desk: {listed} new entries of what can be borrowed")
    return IngestResult(
        now=now,
        batch=number,
        vendors=vendors,
        rows=dict(sorted(staged.rows.items())),
        changed_sessions={vendor: sorted(staged.sessions.get(vendor, ())) for vendor in VENDORS},
        quarantined=dict(sorted(Counter(row["reason"] for row in landing.refused).items())),
        first_load=first_load,
        last_session=last_session(home),
        failed=source.trouble.failed,
        stops=source.trouble.stops,
    )


def _tell(vendors: Mapping[str, VendorCount]) -> None:
    for vendor, count in vendors.items():
        if count.requests == 0:
            say(f"    {vendor}: nothing was asked or found")
        elif count.new_bodies == 0:
            say(f"    {vendor}: {count.requests} answers, nothing new")
        else:
            news = f"{count.new_bodies} new bodies, {count.rows} new rows"
            refused = f", {count.rejects} rows in quarantine" if count.rejects else ""
            say(f"    {vendor}: {count.requests} answers, {news}{refused}")


def last_session(home: Home) -> dt.date | None:
    """The newest session of which the lake has a bar, else a chain, a trade or a bar of a future."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        for name in ("equity_bars", "option_chain", "futures_trades", "futures_ohlcv"):
            files = every_batch(home.facts, name)
            found = connection.execute("SELECT max(session) FROM read_parquet(?)", [files]).fetchall()[0][0]
            if found is not None:
                return found
    return None
