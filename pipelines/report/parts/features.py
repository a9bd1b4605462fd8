"""The features, family by family: how much is missing, where the values lie, and their shape where it was counted."""

from collections.abc import Mapping
from typing import Any

from pipelines.report import words
from pipelines.report.charts import histogram
from pipelines.report.html import Html, caption, note, tag
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone


def _families(story: Story) -> Mapping[str, dict[str, Any]]:
    return story.get("features").get("families") or {}


def status(story: Story) -> tuple[Tone, str]:
    n = sum(len(family.get("features") or {}) for family in _families(story).values())
    rebuilt = sum(words.finite(family.get("rebuilt")) or 0 for family in _families(story).values())
    return "good", f"{n}, {words.count(rebuilt)} rows rebuilt" if rebuilt else f"{n}, unchanged"


def _counts(told: Mapping[str, Any]) -> list[float]:
    shape = told.get("histogram") or told.get("hist") or []
    return list(shape.get("counts") or []) if isinstance(shape, Mapping) else list(shape)


def _family(name: str, family: Mapping[str, Any]) -> list[Html]:
    features = family.get("features") or {}
    if not features:
        return [tag("h3", name), note("No figures about its features were written.")]
    shapes = any(_counts(told) for told in features.values())
    rows = []
    for feature, told in features.items():
        share = words.finite(told.get("null_share"))
        shape = [histogram(_counts(told), label=f"Shape of {feature}") if _counts(told) else None] if shapes else []
        rows.append(
            [
                tag("code", feature),
                *shape,
                words.percent(share),
                *(words.figure(told.get(key)) for key in ("mean", "std", "p01", "p99")),
            ]
        )
    headers = ["Feature", *(["shape"] if shapes else []), "missing", "mean", "deviation", "1 %", "99 %"]
    return [
        tag("h3", name),
        table(headers, rows, class_="wide"),
        caption(
            f"{words.count(family.get('rows'))} rows with all their versions; the figures are of the newest. Digest "
            f"{words.digest(family.get('digest'))}."
        ),
    ]


def draw(story: Story) -> list[Html]:
    return [part for name, family in sorted(_families(story).items()) for part in _family(name, family)]


PART = Part("features", "Features", "Features", "features", "no feature was computed", status, draw)
