"""The leak gate: every feature computed again on a lake that ends in the past, and compared bit for bit."""

from pipelines.report import words
from pipelines.report.html import Html, caption, paragraph, tag
from pipelines.report.parts.part import Part, mark, table
from pipelines.report.story import Story, Tone


def clean(story: Story) -> bool:
    leak = story.get("leak")
    return bool(leak.get("passed")) and leak.get("parity_passed") is not False


def status(story: Story) -> tuple[Tone, str]:
    if clean(story):
        return "good", "clean"
    findings = story.get("leak").get("findings") or []
    return "bad", words.plural(len(findings), "leak") if findings else "parity broken"


def draw(story: Story) -> list[Html]:
    leak = story.get("leak")
    times, findings = leak.get("decision_times") or [], leak.get("findings") or []
    passed = bool(leak.get("passed"))
    told = (
        "Not one value changed when all that was learnt later was taken away."
        if passed
        else "Some values were different when all that was learnt later was taken away: they had seen the future."
    )
    drawn = [paragraph(mark(passed), " ", told)]
    if findings:
        rows = [
            [
                tag("code", one.get("feature")),
                one.get("entity") or words.DASH,
                words.moment(one.get("first_bad_time")),
                words.moment(one.get("decision_time")),
            ]
            for one in findings
        ]
        drawn.append(table(["Feature", "Entity", "first bad time", "seen when deciding at"], rows, words=4))
    parity = leak.get("parity_passed")
    drawn.append(
        paragraph(
            mark(parity),
            " ",
            {
                True: "One row at a time, as live computes it, gives the same bits as all rows at once.",
                False: "One row at a time, as live computes it, does not give the same bits as all rows at once.",
            }.get(parity, "Whether live computes the same bits was not compared tonight."),
        )
    )
    drawn.append(
        caption(
            f"{words.count(leak.get('compared_values'))} values at {words.plural(len(times), 'decision time')}: "
            f"{words.listed([words.moment(time) for time in times])}; {words.duration(leak.get('seconds'))}."
        )
    )
    return drawn


PART = Part("leak", "Leak gate", "Leak gate", "leak", "whether a feature looks ahead was not checked", status, draw)
