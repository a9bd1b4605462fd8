"""The leak gate: every feature computed again on a lake that ends in the past, and compared bit for bit."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.report import words
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.parts.part import Part, mark, table
from pipelines.report.story import Story, Tone

MOST_ROWS = 20


def clean(leak: Mapping[str, Any]) -> bool:
    return bool(leak.get("passed")) and leak.get("parity_passed") is not False


def status(story: Story) -> tuple[Tone, str]:
    if clean(story.get("leak")):
        return "good", "clean"
    findings = story.get("leak").get("findings") or []
    return "bad", words.plural(len(findings), "leak") if findings else "parity broken"


def _findings(findings: Sequence[Mapping[str, Any]]) -> list[Html]:
    """The first bad date of each culprit; entities beyond a screenful are counted."""
    rows = [
        [tag("code", one.get("feature")), one.get("entity") or words.DASH, words.moment(one.get("first_bad_time")),
         words.moment(one.get("decision_time")), one.get("input") or words.DASH]
        for one in findings[:MOST_ROWS]
    ]  # fmt: skip
    more = len(findings) - len(rows)
    headers = ["Feature", "Entity", "first bad time", "seen when deciding at", "moved by"]
    return [table(headers, rows, words=5), *([note(f"And {words.plural(more, 'more')}.")] if more else [])]


def draw(story: Story) -> list[Html]:
    leak = story.get("leak")
    times, findings = leak.get("decision_times") or [], leak.get("findings") or []
    passed, parity = bool(leak.get("passed")), leak.get("parity_passed")
    told = "Not one value changed when all that was learnt later was taken away."
    if not passed:
        told = "Some values changed when all that was learnt later was taken away: they had seen the future."
    same = "Whether live computes the same bits was not compared tonight."
    if parity is not None:
        same = "One row at a time, as live computes it, gives the same bits as all rows at once."
    if parity is False:
        broken = words.listed([str(name) for name in leak.get("parity_broken") or ["some feature"]])
        same = f"One row at a time, as live computes it, {broken} does not give the same bits as all rows at once."
    moments = words.listed([words.moment(time) for time in times])
    return [
        paragraph(mark(passed), " ", told),
        *(_findings(findings) if findings else []),
        paragraph(mark(parity), " ", same),
        caption(
            f"{words.count(leak.get('compared_values'))} values, recomputed from the facts known at "
            f"{words.plural(len(times), 'past decision')}: {moments}; {words.duration(leak.get('seconds'))}."
        ),
    ]


PART = Part("leak", "Leak gate", "Leak gate", "leak", "whether a feature looks ahead was not checked", status, draw)
