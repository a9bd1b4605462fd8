"""Answers of a run that was killed before its commit: the next run takes them from the lake and asks only for the rest.

Their bodies are kept by hash as they come, so a line each is enough. So a list of a thousand pages goes on at the page
where it ended, and a charged body is not bought twice.
"""

import datetime as dt
import json
import os
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Any

from pipelines import durable
from pipelines.home import Home
from pipelines.lake import raw
from pipelines.vendors.http import Answer, Ask
from pipelines.vendors.layout import Delivery

FRESH = dt.timedelta(hours=6)  # a cursor of a page lives about as long
PAID_FRESH = dt.timedelta(days=7)
_FILE = "answered.jsonl"


@dataclass
class Answers:
    """What the last run, if it was not committed, had already been told."""

    home: Home
    now: dt.datetime
    _known: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, home: Home, now: dt.datetime) -> "Answers":
        answers, file = cls(home, now), home.work / _FILE
        for line in file.read_text().splitlines() if file.exists() else []:
            try:
                row = json.loads(line)
                answers._known[row["path"], row["url"]] = {**row, "at": dt.datetime.fromisoformat(row["at"])}
            except (ValueError, KeyError, TypeError):
                continue  # the line at which the run was killed
        return answers

    def body(self, path: str, url: str, *, paid: bool = False) -> tuple[bytes, str | None] | None:
        """Body and ETag of a question answered a short while ago."""
        row = self._known.get((path, url))
        if row is None or not dt.timedelta(0) <= self.now - row["at"] <= (PAID_FRESH if paid else FRESH):
            return None
        try:
            return raw.read_body(self.home, row["sha256"]), row["etag"]
        except FileNotFoundError:
            return None

    def find(self, ask: Ask) -> Answer | None:
        found = self.body(ask.path, ask.target, paid=ask.form is not None)
        return Answer(ask, found[0], found[1]) if found else None


def note(home: Home, told: Iterable[Delivery], now: dt.datetime) -> None:
    """A line for each of these answers, whose bodies are on disk."""
    rows = [{"path": one.path, "url": one.url, "sha256": one.sha256, "etag": one.etag, "at": now.isoformat()}
            for one in told if one.url is not None]  # fmt: skip
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    if lines:
        home.work.mkdir(parents=True, exist_ok=True)
        with open(home.work / _FILE, "a", encoding="utf-8") as out:
            out.write(lines)
            out.flush()
            os.fsync(out.fileno())


def forget(home: Home, now: dt.datetime, landed: Container[tuple[str, str]]) -> None:
    """Path and hash of what is committed: its receipts say the same, and better. What a list that broke off had told
    stays known, for as long as anything does."""
    known = Answers.read(home, now)._known.values()
    left = [{**row, "at": row["at"].isoformat()} for row in known
            if (row["path"], row["sha256"]) not in landed and now - row["at"] <= PAID_FRESH]  # fmt: skip
    if left:
        durable.write_atomic(home.work / _FILE, "".join(json.dumps(row) + "\n" for row in left).encode())
    else:
        (home.work / _FILE).unlink(missing_ok=True)
