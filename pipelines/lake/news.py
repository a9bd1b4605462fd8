"""Which sessions came new since the graph was last told: by state, so that no kill and no ingest alone loses one."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from pipelines import durable
from pipelines.home import Home
from pipelines.lake import raw
from pipelines.lake.schemas import DATASETS, VENDORS


@dataclass(frozen=True)
class News:
    """The sessions that batches up to `batch` touched and nobody was told of; `first` where that is all there is."""

    batch: int
    first: bool
    sessions: dict[str, list[dt.date]]  # by vendor


def untold(home: Home) -> News:
    """What is to be told. Telling twice after a kill does no harm."""
    known = _told_up_to(home)
    new = [batch for batch in raw.batches(home) if _number(batch) > known]
    sessions: dict[str, set[dt.date]] = {vendor: set() for vendor in VENDORS}
    for batch in new:
        for dataset in DATASETS.values():
            path = batch / f"{dataset.name}.parquet"
            if dataset.dated_by and path.exists():
                column = pq.read_table(path, columns=[dataset.dated_by])[dataset.dated_by]
                sessions[dataset.vendor].update(column.unique().to_pylist())
    newest = _number(new[-1]) if new else known
    return News(newest, known == 0, {vendor: sorted(days) for vendor, days in sessions.items()})


def told(home: Home, news: News) -> None:
    """The graph knows now."""
    if news.batch != _told_up_to(home):
        durable.write_json(_path(home), {"batch": news.batch}, failpoint="news")


def _path(home: Home) -> Path:
    return home.work / "told.json"


def _told_up_to(home: Home) -> int:
    return int(json.loads(_path(home).read_text())["batch"]) if _path(home).exists() else 0


def _number(batch: Path) -> int:
    return int(batch.name.removeprefix("batch-"))
