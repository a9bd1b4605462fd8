"""Which results were made of what has changed since: each asset's version, and the versions that it was made of."""

import json
from collections.abc import Mapping
from typing import Any

from pipelines import durable
from pipelines.home import Home

FILE = "versions.json"
VERSION, INPUT = "dagster/data_version", "dagster/input_data_version/"
OUTSIDE = "vendor/"  # feeds are partitioned and not ours: what they brought shows in the facts


def note(home: Home, tags_of: Mapping[str, Mapping[str, str]], *, whole: bool) -> None:
    """Keep what a run's materializations say of themselves; a whole night forgets assets that are no more."""
    made = {asset: {"version": tags[VERSION],
                    "of": {name.removeprefix(INPUT): version for name, version in sorted(tags.items())
                           if name.startswith(INPUT) and not name.startswith(INPUT + OUTSIDE)}}
            for asset, tags in tags_of.items() if VERSION in tags}  # fmt: skip
    if made:
        durable.write_json(home.work / FILE, made if whole else {**(_known(home) or {}), **made}, failpoint="versions")


def _known(home: Home) -> dict[str, Any] | None:
    path = home.work / FILE
    known: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return known


def stale(home: Home, now: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """Every asset that a change has reached or may reach, upstream first; None before the first night has told.

    `now` says what stands for itself, whoever made it: the facts, the marts, the tables of features. `changed` are the
    direct inputs that are other than they were; what only lies downstream of such an asset is `waiting` for it.
    """
    known = _known(home)
    if known is None:
        return None
    versions = {asset: told["version"] for asset, told in known.items()} | dict(now)
    found: dict[str, dict[str, Any]] = {}
    for asset in _upstream_first(known):
        of: dict[str, str] = known[asset]["of"]
        changed = sorted(name for name, version in of.items() if versions.get(name, version) != version)
        waiting = sorted(name for name in of if name in found)
        if changed or waiting:
            found[asset] = {"asset": asset, "changed": changed, "waiting": waiting}
    return list(found.values())


def _upstream_first(known: Mapping[str, Any]) -> list[str]:
    from graphlib import TopologicalSorter

    order = TopologicalSorter({asset: sorted(known[asset]["of"]) for asset in sorted(known)}).static_order()
    return [asset for asset in order if asset in known]
