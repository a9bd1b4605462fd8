"""The features: of what the strategies read, the figures; of every other view a line, the catalogue having the rest."""

from collections.abc import Mapping
from typing import Any

from models.features.registry import DAILY
from pipelines.report import words
from pipelines.report.charts import histogram
from pipelines.report.html import Html, caption, note, paragraph, tag
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


def _missing(family: Mapping[str, Any]) -> float | None:
    shares = [words.finite(told.get("null_share")) for told in (family.get("features") or {}).values()]
    return max((share for share in shares if share is not None), default=None)


def _others(others: Mapping[str, dict[str, Any]]) -> list[Html]:
    """A line a view."""
    rows = [
        [
            tag("a", tag("code", name), href=f"features.html#{name}"), len(family.get("features") or {}),
            words.count(family.get("rows")), words.count(family.get("rebuilt")), words.percent(_missing(family)),
        ]
        for name, family in sorted(others.items())
    ]  # fmt: skip
    headers = ["View", "features", "rows", "rebuilt", "most missing"]
    return [tag("h3", "For research"), table(headers, rows, narrow=True)] if rows else []


def draw(story: Story) -> list[Html]:
    families = _families(story)
    read = {ref.partition(":")[0] for ref in DAILY}
    figures = [part for name, family in sorted(families.items()) if name in read for part in _family(name, family)]
    link = tag("a", "The catalogue", href="features.html")
    told = paragraph(link, " has every feature with its formula, its inputs, when it is known, and its shape.")
    return [told, *figures, *_others({name: family for name, family in families.items() if name not in read})]


PART = Part("features", "Features", "Features", "features", "no feature was computed", status, draw)
