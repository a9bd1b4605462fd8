"""A source that tells what a test wants, and short ways to read what the lake made of it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines import settings
from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.facts import read_dataset
from pipelines.lake.ingest import IngestResult, ingest
from pipelines.lake.trouble import Trouble
from pipelines.vendors.layout import Delivery
from tests import OWN


class Told:
    """Deliveries at given times; a body of None confirms the one before it."""

    def __init__(self, *deliveries: tuple[str, dt.datetime | None, bytes | None]) -> None:
        self.told = deliveries

    def deliveries(self, held: raw.Held, now: dt.datetime) -> Iterator[Delivery]:
        for path, moment, body in self.told:
            if body is None:
                yield Delivery(path, held.newest[path]["sha256"], None, moment)
            else:
                yield Delivery(path, raw.sha256_of(body), lambda body=body: body, moment)

    def asked(self) -> Mapping[str, int]:
        return {}

    @property
    def trouble(self) -> Trouble:
        return Trouble()


def at(day: int, hour: int = 6, minute: int = 0, *, month: int = 7) -> dt.datetime:
    return dt.datetime(2025, month, day, hour, minute, tzinfo=dt.UTC)


def land(folder: Path, *deliveries: tuple[str, dt.datetime | None, bytes | None], now: dt.datetime) -> IngestResult:
    """Ingest these into the home at `folder`."""
    return ingest(settings.load({"home": str(folder)}, environment=OWN), Home(folder), now, Told(*deliveries))


def versions(folder: Path, dataset: str, *columns: str) -> list[tuple[Any, ...]]:
    """Rows of a dataset in the order in which they count."""
    table = read_dataset(Home(folder), dataset).sort_by([("available_at", "ascending"), (columns[0], "ascending")])
    return list(zip(*(table[name].to_pylist() for name in columns), strict=True))
