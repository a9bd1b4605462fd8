"""Data health: what each vendor sent, what was refused and why, and how many rows the marts hold."""

from pipelines.report import words
from pipelines.report.charts import meter
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone

REASONS = {
    "bad_type": "a value of the wrong type",
    "missing_field": "a field that must be there was not",
    "bad_price": "a price that cannot be",
    "bad_range": "high, low, open and close contradict each other",
    "bad_volume": "a volume that cannot be",
    "bad_time": "a time outside its session",
    "bad_symbol": "a symbol that cannot be",
    "unknown_instrument": "no instrument of that name on that day",
    "duplicate": "the same fact twice in one body",
    "bad_print": "a price on another basis, as after a split",
    "schema_drift": "the body’s shape has changed",
    "not_data": "no data at all",
    "truncated": "the body ends too early",
    "batch_refused": "a body refused whole",
}


def _refused(story: Story) -> dict[str, int]:
    return story.get("ingest").get("quarantined") or {}


def status(story: Story) -> tuple[Tone, str]:
    n = sum(_refused(story).values())
    return ("warn", f"{words.plural(n, 'row')} held back") if n else ("good", "nothing held back")


def _vendors(story: Story) -> list[Html]:
    vendors = story.get("ingest").get("vendors") or {}
    rows = [
        [tag("b", name), *(words.count(told.get(key)) for key in ("requests", "new_bodies", "rows", "rejects"))]
        for name, told in sorted(vendors.items())
    ]
    return (
        [table(["Vendor", "requests", "new bodies", "rows", "rejected"], rows, narrow=True)]
        if rows
        else [note("No vendor was asked.")]
    )


def _quarantine(story: Story) -> list[Html]:
    refused = sorted(_refused(story).items(), key=lambda item: (-item[1], item[0]))
    if not refused:
        return [tag("h3", "Quarantine"), paragraph("No row was held back tonight.")]
    most = refused[0][1]
    rows = [
        [
            [tag("b", reason), tag("small", REASONS.get(reason, ""), class_="under")],
            meter(n / most, tone="warn"),
            words.count(n),
        ]
        for reason, n in refused
    ]
    return [
        tag("h3", "Quarantine"),
        table(["Reason", "", "rows"], rows, words=2, narrow=True),
        caption("Rows of tonight’s batch. The bodies they came from are kept as served: nothing is lost."),
    ]


def _marts(story: Story) -> list[Html]:
    warehouse = story.get("warehouse")
    marts = warehouse.get("marts") or {}
    rows = [
        [tag("b", name), words.count(told.get("rows")), tag("code", words.digest(told.get("digest")))]
        for name, told in sorted(marts.items())
    ]
    total = sum(words.finite(told.get("rows")) or 0 for told in marts.values())
    if not rows:
        return [tag("h3", "Marts"), note("No marts were built.")]
    return [
        tag("h3", "Marts"),
        table(["Mart", "rows", "digest"], rows, narrow=True),
        caption(f"Generation {warehouse.get('generation') or words.DASH}: {words.count(total)} rows, all versions."),
    ]


def draw(story: Story) -> list[Html]:
    return [*_vendors(story), *_quarantine(story), *_marts(story)]


PART = Part("data", "Data health", "Data", "ingest", "nothing is known of the data", status, draw)
