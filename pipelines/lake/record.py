"""Write the lake's bodies as a folder in the files layout, so that a recording is a source."""

import csv
import datetime as dt
import io
import os
import shutil
from pathlib import Path

from pipelines import durable
from pipelines.home import Home
from pipelines.lake import raw
from pipelines.progress import step
from pipelines.vendors.files import RECEIVED, UNFINISHED, versioned


class NotEmpty(ValueError):
    """The folder holds something already: a recording is written into an empty one."""


def record(home: Home, folder: Path) -> int:
    """Every body of every path, later ones as NAME~2, NAME~3, and received.csv with each time each was received. A
    recording that was interrupted is no source, and is begun again."""
    _begin(folder)
    with step(f"record into {folder}"):
        names: dict[str, dict[str, str]] = {}  # path -> sha256 -> file
        listed: list[tuple[str, dt.datetime, str]] = []
        written = 0
        for row in sorted(raw.receipts(home).to_pylist(), key=lambda row: (row["received_at"], row["path"])):
            versions = names.setdefault(row["path"], {})
            sha256 = row["sha256"]
            if sha256 not in versions:
                versions[sha256] = versioned(row["path"], len(versions) + 1)
                file = folder / versions[sha256]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(raw.read_body(home, sha256))
                written += 1
            listed.append((versions[sha256], row["received_at"], sha256))
        out = io.StringIO(newline="")
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["path", "received_at", "sha256"])
        lines.writerows((file, moment.isoformat(), sha256) for file, moment, sha256 in listed)
        durable.write_atomic(folder / RECEIVED, out.getvalue().encode(), failpoint="recorded")
        os.sync()  # one for thousands of bodies
        (folder / UNFINISHED).unlink()
        durable.fsync_path(folder)
    return written


def refuse_full(folder: Path) -> list[Path]:
    """What an interrupted recording has left there; anything else is not ours to write over."""
    there = list(folder.iterdir()) if folder.exists() else []
    if there and folder / UNFINISHED not in there:
        raise NotEmpty(f"{folder} is not empty: name a new folder for the recording")
    return there


def _begin(folder: Path) -> None:
    """An empty folder, marked as being written; what lies in a marked one is what was left of an earlier attempt."""
    there = refuse_full(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / UNFINISHED).touch()
    for left in there:
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        elif left.name != UNFINISHED:
            left.unlink()
