"""The catalogue of features: what the registry declares, and where a home's values lie."""

import datetime as dt
from typing import Any

from models.features.feature import Block, Feature
from models.features.registry import DAILY, FEATURES
from pipelines.home import Home
from pipelines.store.feast_objects import DAILY_SERVICE
from pipelines.store.sources import SOURCES

# From when on a session's row can be read, by the facts it is made of: the words for pipelines/lake/clocks.py.
KNOWN_FROM = {
    "equity_bars": "15 minutes after the session's close; an action counts from midnight New York of its ex-date",
    "option_chain": "the chain's own time",
    "option_snapshots": "the snapshot's own time",
    "futures_trades": "15 minutes after the trade date's last trade, once its volume profile stands",
    "index_levels": "15 minutes after the close",
    "market_statistics": "15 minutes after the close",
    "order_flow": "15 minutes after the minute's end", "futures_bars": "15 minutes after the minute's end",
}
MINUTES = frozenset({"tape"})  # panels whose bars are minutes; the others' are sessions
RESTATED = "a correction, from its receipt"


def availability(feature: Feature) -> str:
    """From when on a row of this feature counts as known."""
    source = SOURCES[feature.cells]
    rules = dict.fromkeys(KNOWN_FROM[fact] for fact in source.facts or source.marts)
    return "; ".join([*rules, RESTATED])


def entry(feature: Feature, figures: dict[str, Any] | None = None) -> dict[str, Any]:
    """One feature in words that a program reads too; `figures` are those of a home's newest rows."""
    kernel = feature.kernel.fill if isinstance(feature.kernel, Block) else feature.kernel
    told: dict[str, Any] = {
        "name": feature.name, "ref": feature.ref, "view": feature.view, "version": feature.version,
        "family": feature.family, "entity": feature.entity, "formula": feature.description,
        "inputs": list(feature.inputs), "cells": feature.cells, "marts": list(SOURCES[feature.cells].marts),
        "look_back": feature.look_back, "bar": "minute" if feature.cells in MINUTES else "session",
        "staleness_days": feature.staleness / dt.timedelta(days=1),
        "availability": availability(feature), "bounds": list(feature.bounds) if feature.bounds else None,
        "owner": feature.owner, "services": [DAILY_SERVICE] if feature.ref in DAILY else [],
        "kernel": f"{kernel.__module__}.{kernel.__qualname__}",
    }  # fmt: skip
    return told | ({"distribution": figures} if figures else {})


def entries(home: Home | None = None) -> list[dict[str, Any]]:
    """Every feature; with the figures of a home where it has some."""
    families = home.read_section("features").get("families", {}) if home else {}
    return [entry(one, families.get(one.view, {}).get("features", {}).get(one.name)) for one in FEATURES]


def as_yaml(told: list[dict[str, Any]]) -> str:
    """The same, to read and to compare from night to night; shapes are for pages."""
    import yaml

    plain = [{**one, **({"distribution": {name: value for name, value in one["distribution"].items()
                                          if name != "histogram"}} if "distribution" in one else {})}
             for one in told]  # fmt: skip
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the same text, ten times as fast
    text = yaml.dump({"features": plain}, Dumper=dumper, sort_keys=False, width=120, allow_unicode=True,
                     default_flow_style=None)  # fmt: skip
    return str(text)
