"""The leak gate: every feature computed again on a lake that ends in the past, and compared bit for bit."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.report import words
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.parts.part import Part, mark, table
from pipelines.report.story import Story, Tone
from pipelines.store.leak.words import because

MOST_ROWS = 20


def clean(leak: Mapping[str, Any]) -> bool:
    return bool(leak.get("passed")) and leak.get("parity_passed") is not False


def status(story: Story) -> tuple[Tone, str]:
    if clean(story.get("leak")):
        learnt = _learnt_again(story)
        return ("good", "clean") if learnt.get("passed", True) else ("bad", "a model knew its future")
    findings = story.get("leak").get("findings") or []
    return "bad", words.plural(len(findings), "leak") if findings else "parity broken"


def _findings(findings: Sequence[Mapping[str, Any]]) -> list[Html]:
    """The first bad date of each culprit and why; entities beyond a screenful are counted."""
    rows = [
        [tag("code", one.get("feature")), one.get("entity") or words.DASH, words.moment(one.get("first_bad_time")),
         words.moment(one.get("decision_time")), because(one)]
        for one in findings[:MOST_ROWS]
    ]  # fmt: skip
    more = len(findings) - len(rows)
    headers = ["What", "Entity", "first bad time", "seen when deciding at", "why it is refused"]
    return [table(headers, rows, words=5), *([note(f"And {words.plural(more, 'more')}.")] if more else [])]


def _learnt_again(story: Story) -> Mapping[str, Any]:
    """The fold that was learnt again tonight; of a night on which nothing was judged it says nothing."""
    return story.get("model_leak") if story.get("judged") else {}


def _models(told: Mapping[str, Any]) -> list[Html]:
    if not told:
        return []
    fold = (f"Fold {words.count(told.get('fold'))} of {told.get('family') or words.DASH}, learnt again from nothing "
            f"but what was known on {words.day(told.get('session'))},")
    if told.get("passed"):
        return [paragraph(mark(True), f" {fold} is the same model, and says the same.")]
    return [paragraph(mark(False), f" {fold} is not what was judged."), *_findings(told.get("findings") or [])]


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
        *_models(_learnt_again(story)),
        caption(
            f"{words.count(leak.get('compared_values'))} values, recomputed from the facts known at "
            f"{words.plural(len(times), 'past decision')}: {moments}; {words.duration(leak.get('seconds'))}."
        ),
    ]


PART = Part("leak", "Leak gate", "Leak gate", "leak", "whether a feature looks ahead was not checked", status, draw)
