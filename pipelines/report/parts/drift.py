"""Drift: how far tonight's features lie from those the models were trained on. An alarm, never a veto by itself."""

import os.path
from urllib.parse import quote

from pipelines.report import words
from pipelines.report.charts import meter
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone

NOTICE, ALARM = 0.1, 0.25  # the customary reading of a population stability index
FULL = 0.5  # a bar across the whole cell


def status(story: Story) -> tuple[Tone, str]:
    alarms = story.get("drift").get("alarms") or []
    return ("warn", words.plural(len(alarms), "alarm")) if alarms else ("good", "no alarm")


def _link(story: Story) -> Html | None:
    """Evidently's page lies under the same folder; only a relative path is ever linked."""
    target = story.get("drift").get("evidently_html")
    if not target or os.path.isabs(target) or ".." in str(target).split("/"):
        return None
    return paragraph(
        "Evidently’s own page, distribution by distribution: ",
        tag("a", os.path.basename(target), href=quote(os.path.relpath(target, story.night))),
        ".",
    )


def draw(story: Story) -> list[Html]:
    drift = story.get("drift")
    features, alarms = drift.get("features") or {}, drift.get("alarms") or []
    ordered = sorted(features.items(), key=lambda item: (-(words.finite(item[1].get("psi")) or 0.0), item[0]))
    rows = []
    for name, told in ordered:
        psi = words.finite(told.get("psi"))
        tone = "bad" if told.get("alarm") else "warn" if (psi or 0) >= NOTICE else "good"
        rows.append(
            [
                tag("code", name),
                meter((psi or 0.0) / FULL, tone=tone, marks=(NOTICE / FULL, ALARM / FULL)),
                words.number(psi, 3),
            ]
        )
    told = (
        f"Alarm: {words.listed([str(alarm) for alarm in alarms])}."
        if alarms
        else "No feature has drifted far enough to alarm."
    )
    return [
        paragraph(told),
        table(["Feature", "", "PSI"], rows, words=2) if rows else note("No feature was compared."),
        _link(story) or note("Evidently’s own page was not written."),
        caption(
            "Population stability index of recent sessions against the training sample. The strokes stand at "
            f"{NOTICE} and {ALARM}, where one usually takes notice and alarm."
        ),
    ]


PART = Part("drift", "Drift", "Drift", "drift", "drift was not measured", status, draw)
