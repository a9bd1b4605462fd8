"""Steps whose answer stands: what was made, beside the digest of all that it was made from.

Asked the same again, by the same code over the same files, a step reads what it told and does nothing."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import models
from pipelines import durable
from pipelines.digest import json_digest
from pipelines.home import Home
from pipelines.settings import Settings

# Whose release may change a figure or a picture.
LIBRARIES = (
    "numpy", "scipy", "pandas", "pyarrow", "duckdb", "lightgbm", "torch", "hmmlearn", "evidently", "matplotlib",
)  # fmt: skip


@lru_cache
def code() -> str:
    """Digest of all the code that a night runs: whatever changes in it, every step is done again."""
    told = hashlib.sha256(" ".join(f"{name} {_version(name)}" for name in LIBRARIES).encode())
    for root in (Path(__file__).parent, Path(models.__file__).parent):
        for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".toml"}):
            told.update(path.relative_to(root.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not there"


def question(home: Home, settings: Settings, now: dt.datetime, *more: Any) -> str:
    """Digest of what every step looks at: settings, moment, marts and code; and of what this one does besides."""
    chosen = settings.model_dump(mode="json", exclude={"home", "now"})
    return json_digest([chosen, now.isoformat(), home.read_section("warehouse").get("marts"), code(), *more])


def answer(home: Home, name: str, asked: str) -> Any:
    """What a step told of the same question, if all that it wrote is as it left it; else None."""
    try:
        held = json.loads(_note(home, name).read_text())
        same = held["asked"] == asked and all(_digest(home.root / path) == digest
                                              for path, digest in held["files"].items())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return held["told"] if same else None


def keep(home: Home, name: str, asked: str, told: Any, files: Iterable[Path] = ()) -> None:
    """Note an answer once all of `files`, which it goes with, are written."""
    written = {path.relative_to(home.root).as_posix(): _digest(path) for path in files}
    durable.write_json(_note(home, name), {"asked": asked, "files": written, "told": told}, failpoint="kept")


def _note(home: Home, name: str) -> Path:
    return home.work / "kept" / f"{name}.json"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
