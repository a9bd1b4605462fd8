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


def _failed(story: Story) -> dict[str, str]:
    return story.get("ingest").get("failed") or {}


def status(story: Story) -> tuple[Tone, str]:
    if failed := _failed(story):
        return "bad", f"{words.plural(len(failed), 'kind')} of data not had"
    n = sum(_refused(story).values())
    gaps = words.finite(story.get("completeness").get("gaps")) or 0
    missing = f"{words.plural(int(gaps), 'gap')}" if gaps else ""
    held = f"{words.plural(n, 'row')} held back" if n else "nothing held back"
    return ("warn", ", ".join(filter(None, (held, missing)))) if n or gaps else ("good", held)


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


def _not_had(story: Story) -> list[Html]:
    """What vendors did not give, though the settings ask for it."""
    rows = [[tag("b", what), tag("span", why[:300])] for what, why in _failed(story).items()]
    return [table(["Not had tonight", "why"], rows, words=2, narrow=True),
            caption("The next run asks for it again. Everything else was asked and landed.")] if rows else []


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


KINDS = {"session": "no row of that session", "names": "listed, and without a bar",
         "minutes": "nobody has a bar"}


def _gaps(story: Story) -> list[Html]:
    """What the calendar says should be there; a night from before this was looked at says nothing of it."""
    told = story.get("completeness")
    if not told:
        return []
    newest = told.get("newest") or []
    if not newest:
        return [tag("h3", "Completeness"), paragraph("Nothing is missing that the exchange’s calendar says was there.")]
    rows = [
        [tag("b", gap.get("session")), f"{gap.get('mart')}, {gap.get('subject')}",
         [f"{words.count(gap.get('missing'))} of {words.count(gap.get('expected'))} {gap.get('kind')}",
          tag("small", f"{KINDS.get(gap.get('kind'), '')}: {gap.get('named')}", class_="under")]]
        for gap in newest
    ]
    most = words.finite(told.get("gaps")) or 0
    rest = f"The newest {len(rows)} of {words.count(most)}. " if most > len(rows) else ""
    return [
        tag("h3", "Completeness"),
        table(["Session", "of", "missing"], rows, words=3, narrow=True),
        caption(f"{rest}Holidays, early closes and halts are no gap. Nothing waits for what is missing."),
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
    return [*_vendors(story), *_not_had(story), *_quarantine(story), *_gaps(story), *_marts(story)]


PART = Part("data", "Data health", "Data", "ingest", "nothing is known of the data", status, draw)
