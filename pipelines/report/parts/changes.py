"""What changed tonight: sessions that arrived or were revised, and what had to be rebuilt because of them."""

from pipelines.report import words
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone

MANY = 8  # more changed sessions than this are told as a range


def status(story: Story) -> tuple[Tone, str]:
    ingest = story.get("ingest")
    if ingest.get("unchanged"):
        return "quiet", "nothing new"
    changed = {day for days in (ingest.get("changed_sessions") or {}).values() for day in days}
    return "good", words.plural(len(changed), "day")


def _told(days: list[str], last: str) -> str:
    days = sorted(days)
    if not days:
        return "nothing new"
    if len(days) > MANY:
        return f"{words.plural(len(days), 'day')}, {words.span(days[0], days[-1])}"
    new = [words.day(day) for day in days if day >= last]
    revised = [words.day(day) for day in days if day < last]
    told = [f"new: {words.listed(new)}"] if new else []
    return "; ".join([*told, f"revised or late: {words.listed(revised)}"] if revised else told)


def _arrived(story: Story) -> list[Html]:
    ingest, first = story.get("ingest"), story.get("ingest").get("first_load")
    last = str(ingest.get("last_session") or "")
    if ingest.get("unchanged"):
        return [paragraph("Every vendor gave the same answers as before, so nothing was landed.")]
    changed = ingest.get("changed_sessions") or {}
    rows = [[tag("b", name), _told(list(days), last)] for name, days in sorted(changed.items())]
    lead = f"Batch {ingest.get('batch') or words.DASH} brings the lake up to {words.long_day(last)}."
    lead += " It is the first load: everything is new." if first else ""
    return [
        paragraph(lead),
        table(["Vendor", "Days that facts came for"], rows, words=2, narrow=True) if rows else note("No day."),
        *([caption("Also the days of listings, splits and dividends, some of them still to come.")] if first else []),
    ]


def _rebuilt(story: Story) -> list[str]:
    told = []
    warehouse, features = story.get("warehouse"), story.get("features").get("families") or {}
    if warehouse:
        marts = words.plural(len(warehouse.get("marts") or {}), "mart")
        generation = warehouse.get("generation") or words.DASH
        told.append(
            f"Warehouse: generation {generation} stands as it was."
            if warehouse.get("unchanged")
            else f"Warehouse: generation {generation}, {marts} in {words.duration(warehouse.get('seconds'))}."
        )
    still = {name: family for name, family in features.items() if family.get("unchanged")}
    if len(still) > MANY:
        rows = words.plural(sum(family.get("rows") or 0 for family in still.values()), "row")
        told.append(f"Features: {words.plural(len(still), 'table')} of {len(features)} unchanged, {rows}.")
    anew = {name: family for name, family in features.items()
            if not family.get("unchanged") and family.get("rebuilt") == family.get("rows")}
    if len(anew) > MANY:  # a first night, or other code: one line says it
        rows = words.plural(sum(family.get("rows") or 0 for family in anew.values()), "row")
        told.append(f"Features: every row of {words.plural(len(anew), 'table')} rebuilt, {rows}.")
    for name, family in sorted(features.items()):
        if any(len(alike) > MANY and name in alike for alike in (anew, still)):
            continue
        rows = words.plural(family.get("rows"), "row")
        if family.get("unchanged"):
            told.append(f"Features {name}: unchanged, {rows}.")
        else:
            told.append(f"Features {name}: {words.count(family.get('rebuilt'))} of {rows} rebuilt.")
    for name, family in sorted((story.get("training").get("families") or {}).items()):
        folds = family.get("folds") or []
        if family.get("skipped"):
            told.append(f"{name.upper()}: skipped.")
            continue
        cached = sum(bool(fold.get("cached")) for fold in folds)
        told.append(
            f"{name.upper()}: {len(folds) - cached} of {words.plural(len(folds), 'fold')} fitted anew"
            + (f", {cached} taken from an earlier night with the same inputs." if cached else ".")
        )
    return told


def draw(story: Story) -> list[Html]:
    rebuilt = _rebuilt(story)
    return [
        *_arrived(story),
        tag("ul", [tag("li", line) for line in rebuilt], class_="plain")
        if rebuilt
        else note("No later step said what it rebuilt."),
    ]


PART = Part(
    "changes", "What changed tonight", "Changes", "ingest", "nothing is known of what the vendors sent", status, draw
)
