"""Where everything of one desk lies, and the lock that keeps a second writer out."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import durable

LAYOUT_VERSION = 1
_held: dict[str, int] = {}  # homes this process has locked, however spelt, so that a command may call a job


class HomeBusy(RuntimeError):
    """Another process writes in this home."""


class HomeLayout(RuntimeError):
    """The home was written by another layout of Nightdesk."""


@dataclass(frozen=True)
class Home:
    """The folders of a home. Reading needs no lock; whoever writes holds `lock()`."""

    root: Path

    @property
    def raw(self) -> Path:  # bodies/ by hash, facts/batch-*/ typed rows with two clocks
        return self.root / "lake" / "raw"

    @property
    def facts(self) -> Path:
        return self.raw / "facts"

    @property
    def quarantine(self) -> Path:
        return self.root / "lake" / "quarantine"

    @property
    def marts(self) -> Path:
        return self.root / "lake" / "marts"

    @property
    def features(self) -> Path:
        return self.root / "lake" / "features"

    @property
    def work(self) -> Path:
        """Rebuildable results, named by the digest of what went in: fold models, scores, sections of the report."""
        return self.root / "work"

    def __getattr__(self, name: str) -> Path:
        if name in {"feast", "mlflow", "dagster", "ledger", "records", "keys", "bundles", "journal", "reports",
                    "calibration"}:
            return self.root / name
        raise AttributeError(name)

    @property
    def misnamed(self) -> bool:
        """Addresses of databases end at the first two; DuckDB cannot escape the third."""
        return bool(set("?#\\") & set(str(self.root)))

    def prepare(self) -> "Home":
        """Make the home, or check that we understand the one that is there."""
        if self.misnamed:
            raise HomeLayout(f"{self.root}: no home can have ?, # or \\ in its path; use another --home")
        stamp = self.root / "layout.json"
        if stamp.exists():
            found = self.layout()
            if found != LAYOUT_VERSION:
                raise HomeLayout(
                    f"{self.root} has layout {found}, this Nightdesk knows {LAYOUT_VERSION}: use another --home, or "
                    "the version that wrote it" if found is not None else
                    f"{stamp} cannot be read, so {self.root} may be no home: use another --home, or restore that file "
                    "from a backup")
        else:
            if self.root.exists() and not self.root.is_dir():
                raise HomeLayout(f"{self.root} is a file: a home is a folder, name one with --home")
            if (self.root / ".git").exists():
                raise HomeLayout(f"{self.root} is a checkout: a home wants a folder of its own, such as "
                                 f"{self.root / '.nightdesk'}")
            self.root.mkdir(parents=True, exist_ok=True)
            durable.write_json(stamp, {"layout": LAYOUT_VERSION})
        return self

    def layout(self) -> int | None:
        """The version that wrote this home; None where its stamp cannot be read."""
        try:
            return int(json.loads((self.root / "layout.json").read_text())["layout"])
        except (ValueError, KeyError, TypeError):
            return None

    def section(self, name: str) -> Path:
        """A part of tonight's story, as JSON: written by its step, read by the report."""
        return self.work / "sections" / f"{name}.json"

    def write_section(self, name: str, value: dict[str, Any]) -> None:
        durable.write_json(self.section(name), value, failpoint="section")

    def read_section(self, name: str) -> dict[str, Any]:
        path = self.section(name)
        return json.loads(path.read_text()) if path.exists() else {}

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold this home for writing; nested use in one process is one holding."""
        one = os.path.realpath(self.root)
        if one in _held:
            _held[one] += 1
            try:
                yield
            finally:
                _held[one] -= 1
            return
        self.prepare()
        with open(self.root / "lock", "a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                holder = handle.read().strip() or "another process"
                raise HomeBusy(
                    f"{self.root} is being written by process {holder}; wait for it or use another --home"
                ) from None
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            _held[one] = 1
            try:
                yield
            finally:
                del _held[one]
