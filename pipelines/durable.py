"""Publication that survives a kill: stage, fsync, rename, fsync the directory. The only writers of what must last."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from pipelines import failpoints

STAGING = ".{}.staging"


def fsync_path(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_atomic(path: Path, data: bytes, *, failpoint: str = "file", mode: int = 0o644) -> None:
    """Replace `path` whole or not at all. Failpoints: `<failpoint>.staged` and `<failpoint>.renamed`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.staged")
    fd = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(fd, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except OSError:  # on a full disk what is half written would take the room that is missing
        staged.unlink(missing_ok=True)
        raise
    failpoints.reached(f"{failpoint}.staged")
    os.replace(staged, path)
    failpoints.reached(f"{failpoint}.renamed")
    fsync_path(path.parent)


def write_json(path: Path, value: Any, *, failpoint: str = "file") -> None:
    """Canonical enough to hash: sorted keys, no spaces lost to taste, newline at the end."""
    write_atomic(path, (json.dumps(value, sort_keys=True, indent=1) + "\n").encode(), failpoint=failpoint)


def fresh_staging(parent: Path, name: str) -> Path:
    """An empty folder beside the final one; what an earlier, killed attempt left is thrown away."""
    staging = parent / STAGING.format(name)
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    return staging


def publish_dir(staging: Path, final: Path, *, failpoint: str) -> None:
    """Make a staged folder visible in one rename. Failpoints: `<failpoint>.staged` and `<failpoint>.renamed`."""
    for path in sorted(staging.rglob("*")):
        fsync_path(path)
    fsync_path(staging)
    failpoints.reached(f"{failpoint}.staged")
    if final.exists():  # a rerun that reproduced what is already there
        shutil.rmtree(final)
    os.replace(staging, final)
    failpoints.reached(f"{failpoint}.renamed")
    fsync_path(final.parent)
