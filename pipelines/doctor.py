"""What stands in the way of tonight's run: one finding a thing, each with plain advice. Keys are never shown."""

import datetime as dt
import fcntl
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pipelines import home as home_module
from pipelines import settings as settings_module
from pipelines.evidence import keys
from pipelines.home import Home
from pipelines.settings import Settings

LEAST_FREE_GB, WISE_FREE_GB = 1.0, 5.0
SKEW_S = 120.0
STALE_DAYS = 4  # a long weekend and a day
CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"


@dataclass(frozen=True)
class Finding:
    """`problem` keeps a night from running or being trusted, `advice` does not, `untested` was not looked at."""

    name: str
    state: Literal["ok", "advice", "problem", "untested"]
    found: str
    advice: str = ""


def examine(
    overrides: Mapping[str, Any] | None, environment: Mapping[str, str], *, online: bool = False
) -> dict[str, Any]:
    """All findings and all settings with their origin. Nothing is written; only `online` asks anybody anything."""
    from pipelines import doctor_vendors

    settings = settings_module.load(overrides, environment=environment)
    home = Home(settings.home)
    findings = [_python(), *_versions(), *_disk(home), _layout(home), _lock(home), _private(home), _clock(home),
                _night(home, settings), *_gaps(home),
                *doctor_vendors.findings(settings, environment, online=online)]  # fmt: skip
    origins = settings_module.origins(overrides, environment=environment)
    return {
        "healthy": all(finding.state != "problem" for finding in findings),
        "home": str(home.root),
        "findings": [asdict(finding) for finding in findings],
        "settings": {name: {"value": value, "origin": origin} for name, (value, origin) in origins.items()},
    }


def _python() -> Finding:
    return Finding("python", "ok", ".".join(map(str, sys.version_info[:3])))


def pins(text: str) -> dict[str, str]:
    """Names and versions of a constraints file, those that hold on this machine."""
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate():
                found[wanted.name] = next(iter(wanted.specifier)).version
    return found


def _versions() -> Iterator[Finding]:
    if not CONSTRAINTS.is_file():
        yield Finding("versions", "untested", "constraints.txt lies beside the source only")
        return
    try:
        wanted = pins(CONSTRAINTS.read_text())
    except ModuleNotFoundError as missing:
        yield Finding("versions", "advice", f"{missing.name} is not installed", "pip install 'nightdesk[night]'")
        return
    installed = {re.sub(r"[-_.]+", "-", one.name).lower(): one.version for one in metadata.distributions()}
    other = [f"{name} {installed[name]} (tested with {version})" for name, version in wanted.items()
             if name in installed and installed[name].partition("+")[0] != version.partition("+")[0]]  # fmt: skip
    absent = [name for name in wanted if name not in installed]
    told = f"{len(wanted) - len(other) - len(absent)} of {len(wanted)} packages as tested"
    if other or absent:
        some = ", ".join([*other, *(f"{name} not installed" for name in absent)][:5])
        yield Finding("versions", "advice", f"{told}; {some}", "`make install` brings the tested versions")
    else:
        yield Finding("versions", "ok", told)


def _disk(home: Home) -> Iterator[Finding]:
    place = next(path for path in (home.root, *home.root.parents) if path.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    used_gb = sum(path.stat().st_size for path in home.root.rglob("*") if path.is_file()) / 1e9
    found = f"{free_gb:.1f} GB free, the home holds {used_gb:.2f} GB"
    if free_gb < LEAST_FREE_GB:
        yield Finding("disk", "problem", found, "make room: `nightdesk prune` shows what may go")
    elif free_gb < WISE_FREE_GB:
        yield Finding("disk", "advice", found, "`nightdesk prune` shows what may go")
    else:
        yield Finding("disk", "ok", found)


def _layout(home: Home) -> Finding:
    if home.root.exists() and not home.root.is_dir():
        return Finding("home", "problem", f"{home.root} is a file", "a home is a folder: name one with --home")
    if home.misnamed:
        return Finding("home", "problem", f"{home.root} has ?, # or \\ in its path", "name another one with --home")
    if not (home.root / "layout.json").exists():
        return Finding("home", "advice", f"no home at {home.root} yet", "`nightdesk nightly` makes one")
    layout = home.layout()
    if layout is None:
        return Finding("home", "problem", f"{home.root / 'layout.json'} cannot be read", "restore it from a backup")
    if layout != home_module.LAYOUT_VERSION:
        advice = "use another --home, or the version of Nightdesk that wrote it"
        return Finding("home", "problem", f"layout {layout}, this one knows {home_module.LAYOUT_VERSION}", advice)
    if not os.access(home.root, os.W_OK):
        return Finding("home", "problem", f"{home.root} cannot be written", "give this user the folder")
    return Finding("home", "ok", f"{home.root}, layout {layout}")


def _lock(home: Home) -> Finding:
    path = home.root / "lock"
    if not path.exists():
        return Finding("lock", "ok", "nobody writes")
    with open(path) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = handle.read().strip() or "unknown"
            return Finding("lock", "advice", f"process {holder} writes in this home", "wait for it, or end it")
    return Finding("lock", "ok", "nobody writes")


def _private(home: Home) -> Finding:
    """The keys that sign records and bundles are for their owner's eyes."""
    path = home.keys / keys.PRIVATE
    if not path.exists():
        return Finding("signing key", "ok", "none yet")
    if path.stat().st_mode & 0o077:
        return Finding("signing key", "problem", f"{path} can be read by others", f"chmod 600 {path}")
    return Finding("signing key", "ok", "for its owner only")


def _clock(home: Home) -> Finding:
    """Without asking anybody: nothing in the home can have been written later than now."""
    newest = max((path.stat().st_mtime for path in home.root.glob("work/**/*.json")), default=0.0)
    ahead_s = newest - time.time()
    if ahead_s > SKEW_S:
        return Finding("clock", "problem", f"the home was written {ahead_s:.0f} s in the future of this clock",
                       "set the machine's clock (NTP): receipts and as-of reads hang on it")  # fmt: skip
    return Finding("clock", "ok", f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S} UTC")


def _gaps(home: Home) -> Iterator[Finding]:
    """What the last night was not given, and what it missed of what the exchange's calendar says was there."""
    for what, why in (home.read_section("ingest").get("failed") or {}).items():
        yield Finding("not had", "problem", f"{what}: {why}",
                      "mend what it names and run again: what is missing is asked for, the rest is there")  # fmt: skip
    told = home.read_section("completeness")
    if told.get("gaps"):
        missing = ", ".join(f"{count} of {name}" for name, count in told["missing"].items())
        newest = told["newest"][0]
        yield Finding("completeness", "advice", f"missing by the calendar: {missing}; newest {newest['session']} "
                      f"({newest['mart']}, {newest['named']})", "the report's data health lists it; ask the vendor, or "
                      "lay the missing files beside the others and run again")  # fmt: skip
    elif told:
        yield Finding("completeness", "ok", "nothing is missing by the calendar")


def _night(home: Home, settings: Settings) -> Finding:
    path = home.work / "night.json"
    if not path.exists():
        return Finding("last night", "advice", "none yet", "`nightdesk nightly` does one")
    told = json.loads(path.read_text())
    moment = dt.datetime.fromisoformat(told["now"])
    act = home.read_section("verdict").get("act", "no verdict yet")
    if not told.get("complete"):
        return Finding("last night", "advice", f"{moment:%Y-%m-%d %H:%M} UTC, not complete",
                       "`nightdesk nightly` goes on where it stopped")
    if settings.source == "vendors" and dt.datetime.now(dt.UTC) - moment > dt.timedelta(days=STALE_DAYS):
        return Finding("last night", "advice", f"{moment:%Y-%m-%d %H:%M} UTC, {act}",
                       "the schedule runs while `nightdesk ui` is open; or run `nightdesk nightly`")
    return Finding("last night", "ok", f"{moment:%Y-%m-%d %H:%M} UTC, complete: {act}")
