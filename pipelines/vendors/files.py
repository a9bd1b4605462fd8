"""A folder in the `files` layout as a source: the vendors' bodies as served, later ones beside the first."""

import csv
import datetime as dt
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from pipelines.progress import say
from pipelines.vendors.layout import Delivery, route

RECEIVED = "received.csv"
_VERSION = re.compile(r"~(\d+)(?=$|\.[^/]*$)")  # NAME~2, and kindly also NAME~2.json


class BadFolder(ValueError):
    """A source folder that cannot be read, and why."""


def split_version(name: str) -> tuple[str, int]:
    """The path a body belongs to, and whether it is the first, second … body of it."""
    match = _VERSION.search(name)
    return (name[: match.start()] + name[match.end() :], int(match.group(1))) if match else (name, 1)


def versioned(path: str, number: int) -> str:
    return path if number == 1 else f"{path}~{number}"


class FilesTransport:
    """Deliveries of a folder in the order in which they were received, up to `now`."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadFolder(f"--source files:{folder}: there is no such folder")
        self.folder = folder

    def deliveries(self, now: dt.datetime) -> Iterator[Delivery]:
        noted = self._received()
        unread: Counter[str] = Counter()
        found: list[tuple[dt.datetime, str, int, Delivery]] = []
        for file in sorted(self.folder.rglob("*")):
            name = file.relative_to(self.folder).as_posix()
            path, version = split_version(name)
            if not file.is_file() or name == RECEIVED:
                continue
            if route(path) is None:
                unread[path.rpartition("/")[0] or path] += 1
                continue
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
            for moment in self._moments(name, path, sha256, noted):
                if moment is None or moment <= now:
                    delivery = Delivery(path, sha256, file.read_bytes, moment)
                    found.append((moment or dt.datetime.min.replace(tzinfo=dt.UTC), path, version, delivery))
        for place, count in sorted(unread.items()):
            say(f"    {place}: {count} file{'s' if count > 1 else ''} skipped, which nothing here reads")
        found.sort(key=lambda entry: entry[:3])
        yield from (entry[3] for entry in found)

    def _moments(
        self, name: str, path: str, sha256: str, noted: dict[str, list[tuple[dt.datetime, str]]]
    ) -> list[dt.datetime | None]:
        """When this body was received, each time that it was. A body without a note has the modelled time. The note
        may name a later body by its file, or by the path that it answers and its hash."""
        matching: list[dt.datetime | None] = [moment for moment, sha in noted.get(name, []) if sha in ("", sha256)]
        if name != path:
            matching += [moment for moment, sha in noted.get(path, []) if sha == sha256]
        if matching:
            return matching
        if name in noted:
            say(f"    {name} is not the body that {RECEIVED} lists: read without its time of receipt")
        return [None]

    def _received(self) -> dict[str, list[tuple[dt.datetime, str]]]:
        table = self.folder / RECEIVED
        noted: dict[str, list[tuple[dt.datetime, str]]] = defaultdict(list)
        if not table.exists():
            return noted
        with open(table, newline="", encoding="utf-8") as lines:
            for number, row in enumerate(csv.DictReader(lines), start=2):
                try:
                    moment = dt.datetime.fromisoformat(row["received_at"])
                    noted[row["path"]].append((moment, row.get("sha256") or ""))
                except (KeyError, ValueError, TypeError):
                    raise BadFolder(f"{table}, line {number}: path, received_at and sha256 are wanted") from None
                if moment.tzinfo is None:
                    raise BadFolder(f"{table}, line {number}: received_at has no time zone")
        return noted
