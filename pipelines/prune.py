"""What a home may forget: rebuildable results past their stated retention, never what a record, a bundle or tonight's
story refers to. Raw bodies, facts, ledger, records, bundles, journals and the nights' pages are never looked at."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import failpoints
from pipelines.home import Home
from pipelines.settings import Retention

_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{16,64}(?![0-9a-f])")
_NIGHT = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


@dataclass(frozen=True)
class Thing:
    """One result that could be made again. `names` are the hashes by which it may be referred to."""

    kind: str
    path: Path
    names: frozenset[str]
    bytes: int
    written_ns: int


@dataclass(frozen=True)
class Plan:
    going: list[Thing]
    referred: list[Thing]  # past their retention, and kept because somebody refers to them

    def told(self, home: Home) -> dict[str, Any]:
        kinds = sorted({thing.kind for thing in self.going})
        return {
            "going": [{"kind": one.kind, "path": str(one.path.relative_to(home.root)), "bytes": one.bytes}
                      for one in self.going],
            "by_kind": {kind: {"count": sum(one.kind == kind for one in self.going),
                               "bytes": sum(one.bytes for one in self.going if one.kind == kind)} for kind in kinds},
            "bytes": sum(one.bytes for one in self.going),
            "kept_because_referred_to": [str(one.path.relative_to(home.root)) for one in self.referred],
        }  # fmt: skip


def plan(home: Home, keep: Retention) -> Plan:
    """What would go now. Reading only."""
    known = _referred_to(home)
    past = [*_older(_fits(home), _before_last_nights(home, keep.fits_nights)),
            *_beyond(_drift_pages(home, known), keep.drift_pages), *_beyond(_generations(home), keep.mart_generations),
            *_beyond(_panels(home), keep.panels)]  # fmt: skip
    referred = [thing for thing in past if thing.names & known]
    return Plan([thing for thing in past if not thing.names & known], referred)


def carry_out(home: Home, doomed: Plan) -> None:
    """Each thing leaves its place by one rename, so that a kill leaves it whole or gone; then the space is freed."""
    leaving = home.work / "pruned"
    with home.lock():
        if leaving.exists():  # what a killed run had taken away already
            shutil.rmtree(leaving)
        leaving.mkdir(parents=True)
        for number, thing in enumerate(doomed.going):
            os.replace(thing.path, leaving / f"{number}-{thing.path.name}")
            failpoints.reached("prune")
        shutil.rmtree(leaving)


def _referred_to(home: Home) -> set[str]:
    """Every hash in a record, a bundle's manifest, tonight's story, and the pointers to what is current."""
    told = [*home.records.glob("*/*.json"), *home.bundles.glob("*/manifest.json"), *home.work.glob("sections/*.json"),
            *home.work.glob("judgement/*.json"), home.marts / "current"]  # fmt: skip
    return {found for path in told if path.is_file() for found in _HASH.findall(path.read_text())}


def _fits(home: Home) -> Iterator[Thing]:
    """A fit is referred to by its digest, or by the hash of its weights."""
    for folder in _folders(home.work / "models"):
        weights = {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}
        yield _thing("fit", folder, {folder.name, *weights})


def _drift_pages(home: Home, known: set[str]) -> Iterator[Thing]:
    """A page is named by the beginning of its inputs' digest, which records hold whole."""
    whole = {name[:16]: name for name in known}
    for page in (home.reports / "drift").glob("*.html"):
        yield _thing("drift page", page, {page.stem, whole.get(page.stem, page.stem)})


def _generations(home: Home) -> Iterator[Thing]:
    """A generation is referred to by its name, or by a record that holds the digest of every mart in it."""
    records = [path.read_text() for path in home.records.glob("*/record.json")]
    for folder in _folders(home.marts):
        about = folder / "generation.json"  # what a build says about itself
        digests = json.loads(about.read_text())["digests"].values() if about.is_file() else []
        judged = any(all(digest in text for digest in digests) for text in records) if digests else False
        yield _thing("mart generation", folder, {folder.name, *(digests if judged else ())})


def _folders(place: Path) -> Iterator[Path]:
    """Those that are named by a digest; the pointer `current` begins like one and is none."""
    return (path for path in place.glob("[0-9a-f]*") if path.is_dir())


def _panels(home: Home) -> Iterator[Thing]:
    for path in (home.work / "panels").glob("*.npz"):
        yield _thing("panel", path, {path.stem})


def _thing(kind: str, path: Path, names: set[str]) -> Thing:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return Thing(kind, path, frozenset(names), sum(one.stat().st_size for one in files), path.stat().st_mtime_ns)


def _beyond(things: Iterator[Thing], count: int) -> list[Thing]:
    """All but the newest `count`."""
    return sorted(things, key=lambda one: (one.written_ns, one.path.name), reverse=True)[count:]


def _older(things: Iterator[Thing], than_ns: int) -> list[Thing]:
    return sorted((one for one in things if one.written_ns < than_ns), key=lambda one: one.path.name)


def _before_last_nights(home: Home, count: int) -> int:
    """When the last `count` nights began: a night ends with its page. The beginning of time where there were fewer."""
    pages = sorted(path.stat().st_mtime_ns for path in home.reports.glob(f"{_NIGHT}/index.html"))
    return pages[-count - 1] if len(pages) > count else 0


def print_plan(told: dict[str, Any]) -> None:
    for kind, one in told["by_kind"].items():
        print(f"{kind:16} {one['count']:>5}  {one['bytes'] / 1e6:>9.1f} MB")
    if told["kept_because_referred_to"]:
        kept = len(told["kept_because_referred_to"])
        print(f"kept although old: {kept}, because a record, a bundle or tonight's story refers to them")
    if not told["going"]:
        print("nothing is past its retention")
    elif told.get("done"):
        print(f"{told['bytes'] / 1e6:.1f} MB freed")
    else:
        print(f"{told['bytes'] / 1e6:.1f} MB could go; `nightdesk prune --yes` lets them go (--json lists them)")
