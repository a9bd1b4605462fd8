"""Drift: how far tonight's features lie from those the models were trained on. An alarm, never a veto by itself."""

import os.path
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pipelines.report import words
from pipelines.report.charts import meter
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone

# Where a step measured no level of its own: the customary reading of a population stability index.
CUSTOMARY_ALARM = 0.25


def status(story: Story) -> tuple[Tone, str]:
    alarms = story.get("drift").get("alarms") or []
    return ("warn", words.plural(len(alarms), "alarm")) if alarms else ("good", "no alarm")


def _link(story: Story) -> Html | None:
    """Evidently's page lies under the same folder; only a relative path is ever linked."""
    target = str(story.get("drift").get("evidently_html") or "")
    if not target or os.path.isabs(target) or ".." in target.split("/"):
        return None
    href = quote(os.path.relpath(target, story.night))
    return paragraph("Evidently’s own page shows the distributions side by side: ", tag("a", "open it", href=href), ".")


def _usual(told: Mapping[str, Any]) -> float:
    return words.finite(told.get("unusual_level")) or CUSTOMARY_ALARM


def _far(told: Mapping[str, Any]) -> float:
    """How far it has moved, in units of what is usual for it."""
    if "psi" in told:
        return (words.finite(told.get("psi")) or 0.0) / _usual(told)
    return abs(words.finite(told.get("shift")) or 0.0) / (words.finite(told.get("shift_level")) or 1.0)


def _bar(told: Mapping[str, Any]) -> Html:
    return meter(_far(told) / 2, tone="bad" if told.get("alarm") else "good", marks=(0.5,))


def _row(name: str, told: Mapping[str, Any]) -> list[Any]:
    outside = words.percent(told.get("outside_training_range"))
    return [tag("code", name), _bar(told), words.number(told.get("psi"), 3), words.number(_usual(told), 3),
            words.number(told.get("kl"), 3), words.number(told.get("shift")), words.chance(told.get("p_value")),
            outside]


def _beside(title: str, told: Mapping[str, Any]) -> list[Html]:
    """What the models say, and what they leave unexplained: the same figures, fewer of them."""
    if not told:
        return []
    rows = [[tag("b", name), _bar(one), words.number(one.get("psi"), 3), words.number(one.get("shift")),
             words.number(one.get("shift_level")), words.chance(one.get("p_value"))] for name, one in told.items()]
    headers = ["", "", "PSI", "mean moved by", "unusual beyond", "chance"]
    return [tag("h3", title), table(headers, rows, words=2)]


def draw(story: Story) -> list[Html]:
    drift = story.get("drift")
    features, alarms = drift.get("features") or {}, [str(alarm) for alarm in drift.get("alarms") or []]
    ordered = sorted(features.items(), key=lambda item: (-_far(item[1]), item[0]))
    told = f"Alarm: {words.listed(alarms)}." if alarms else "Nothing has moved further than it does by itself."
    rows = [_row(name, one) for name, one in ordered]
    headers = ["Feature", "", "PSI", "unusual above", "KL", "mean moved by", "chance", "out of range"]
    recent, before = drift.get("current_sessions"), drift.get("reference_sessions")
    compared = "recent sessions against those before"
    if words.finite(recent) is not None:
        compared = f"the last {words.plural(recent, 'session')} against the {words.count(before)} before them"
    past = words.finite(drift.get("past_windows"))
    worth = f", measured on {words.number(past, 0)} such stretches that do not overlap" if past else ""
    return [
        paragraph(told),
        table(headers, rows, words=2) if rows else note("No feature was compared."),
        *_beside("What the models said", drift.get("predictions") or {}),
        *_beside("What they left unexplained", drift.get("residuals") or {}),
        _link(story) or note("Evidently’s own page was not written."),
        caption(
            f"Population stability index (PSI), KL divergence and the shift of the mean in standard deviations, of "
            f"{compared}. The stroke in each bar is what a figure reaches by itself in one calm stretch of a "
            f"hundred{worth}. Chance: that calm data move so far in any of the figures. An alarm needs both, a chance "
            "under 1 % and a place among those that can be called when at most one in twenty calls may be false. Out "
            "of range: recent values that were never seen before. An alarm is a line here; it stops nothing by itself."
        ),
    ]


PART = Part("drift", "Drift", "Drift", "drift", "drift was not measured", status, draw)
