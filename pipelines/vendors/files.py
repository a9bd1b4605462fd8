"""A folder in the `files` layout as a source: the vendors' bodies as served, later ones beside the first."""

import csv
import datetime as dt
import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.progress import say
from pipelines.vendors import folders
from pipelines.vendors.contents import MOST_BYTES
from pipelines.vendors.layout import Delivery, route

RECEIVED = "received.csv"
UNFINISHED = ".recording"  # lies in a recording until it is whole
_VERSION = re.compile(r"~(\d+)(?=$|\.[^/]*$)", re.ASCII)  # NAME~2, and kindly also NAME~2.json


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
        if (folder / UNFINISHED).exists():
            raise BadFolder(f"--source files:{folder}: this recording was interrupted; the same `nightdesk ingest "
                            f"--record {folder}` writes it anew")
        self.folder = folder

    def deliveries(self, now: dt.datetime) -> Iterator[Delivery]:
        noted = self._received()
        unread: Counter[str] = Counter()
        found: list[tuple[dt.datetime, str, int, Delivery]] = []
        seen: set[str] = set()
        for name, file in folders.files(self.folder):
            path, version = split_version(name)
            if name == RECEIVED:
                continue
            if route(path) is None:
                unread[path.rpartition("/")[0] or path] += 1
                continue
            sha256 = _sha256_of(file, name)
            if sha256 is None:
                continue
            seen |= {name, path}
            for moment in self._moments(name, path, sha256, noted):
                if moment is None or moment <= now:
                    delivery = Delivery(path, sha256, partial(_body, file, sha256), moment)
                    found.append((moment or dt.datetime.min.replace(tzinfo=dt.UTC), path, version, delivery))
        for place, count in sorted(unread.items()):
            say(f"    {place}: {count} file{'s' if count > 1 else ''} skipped, which nothing here reads")
        if unknown := sorted(set(noted) - seen):
            say(f"    {RECEIVED} lists {len(unknown)} that are not here, {unknown[0]!r} the first")
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
        if not os.path.lexists(table):
            return noted
        if not table.is_file():  # to open a pipe would be to wait for ever
            raise BadFolder(f"{table} is no file")
        number = 1
        try:
            with open(table, newline="", encoding="utf-8-sig") as lines:
                for number, row in enumerate(csv.DictReader(lines), start=2):
                    path, moment, sha256 = _noted(row, f"{table}, line {number}")
                    noted[path].append((moment, sha256))
        except OSError as problem:
            raise BadFolder(f"{table} cannot be read: {problem.strerror or problem}") from None
        except (UnicodeDecodeError, csv.Error):
            raise BadFolder(f"{table}, after line {number}: this is no CSV in UTF-8") from None
        return noted


def _noted(row: dict[str, Any], where: str) -> tuple[str, dt.datetime, str]:
    try:
        path, moment = row["path"], dt.datetime.fromisoformat(row["received_at"].strip())
        if path is None:
            raise KeyError("path")
        if moment.tzinfo is not None:
            return path, moment.astimezone(dt.UTC), (row.get("sha256") or "").strip().lower()
    except (KeyError, ValueError, AttributeError, OverflowError):
        raise BadFolder(f"{where}: path, received_at and sha256 are wanted") from None
    raise BadFolder(f"{where}: received_at has no time zone")


def _sha256_of(file: Path, name: str) -> str | None:
    """None, and said so, where there is nothing that could be read."""
    try:
        if file.stat().st_size > MOST_BYTES:
            say(f"    {name}: left out, it has more than {MOST_BYTES >> 20} MB, which no body has")
            return None
        with open(file, "rb") as body:
            return hashlib.file_digest(body, "sha256").hexdigest()
    except OSError as problem:
        say(f"    {name}: left out, it cannot be read: {problem.strerror or problem}")
        return None


def _body(file: Path, sha256: str) -> bytes:
    """The bytes that were hashed, and no others: a body is kept under its hash."""
    try:
        body = file.read_bytes()
    except OSError as problem:
        raise BadFolder(f"{file} cannot be read any more ({problem.strerror or problem}): run the same again") from None
    if hashlib.sha256(body).hexdigest() != sha256:
        raise BadFolder(f"{file} has changed while the folder was read: run the same again once it is whole")
    return body
