"""Puts the page together and publishes it: same sections, same bytes."""

import datetime as dt
from pathlib import Path

from pipelines import durable
from pipelines.home import Home
from pipelines.report import catalogue, front, weekly, words
from pipelines.report.export import judged_csv
from pipelines.report.html import Html, note, paragraph, raw, tag
from pipelines.report.parts import PARTS, leak
from pipelines.report.parts.part import Part
from pipelines.report.story import SECTIONS, Story, verdict_of
from pipelines.settings import Settings
from pipelines.store.catalogue import entries

AFTER_THE_LEAK_GATE = ("training", "judged", "model_leak", "drift", "decay", "verdict", "bundle", "baselines", "ladder",
                       "price_tag", "tear_sheets")
STYLE = Path(__file__).with_name("page.css")


def tell(home: Home, settings: Settings, now: dt.datetime) -> Story:
    """Tonight's story, as far as it was written. A section that says it is of another night is not tonight's."""
    sections = {name: home.read_section(name) for name in SECTIONS}
    stale = [name for name, told in sections.items() if told.get("now", now.isoformat()) != now.isoformat()]
    if sections["leak"] and not leak.clean(sections["leak"]):  # it blocks: what comes after it is of an earlier night
        stale += AFTER_THE_LEAK_GATE
    tonight = {name: told for name, told in sections.items() if name not in stale}
    skipped = {name: str(told["skipped"]) for name, told in tonight.items() if told.get("skipped")}
    told = {name: section for name, section in tonight.items() if name not in skipped}
    return Story(now, settings.source, settings.seed, told, skipped)


def headline(story: Story) -> str:
    _, stamp, sentence = verdict_of(story)
    return f"{stamp}: {sentence}"


def _chapter(part: Part, story: Story) -> Html | None:
    if not story.get(part.section):
        return None
    return tag("section", tag("h2", part.title), front.guarded(part.draw, story), id=part.anchor)


def untold(story: Story) -> list[str]:
    """Chapters that should have been written and were not, or not as agreed. Live comes later, a bundle may not."""
    excused = {"live", "twin", *story.skipped, *([] if story.get("verdict").get("promoted") else ["bundle"])}
    broken = [part.title for part in PARTS if front.BROKEN in (_chapter(part, story) or "")]
    return broken + [part.title for part in PARTS if part.section not in excused and not story.get(part.section)]


def _untold(story: Story) -> Html | None:
    """What is missing is said, in one place: a step that did not run, or did not finish."""
    missing = [part for part in PARTS if not story.get(part.section)]
    why = {part.title: story.skipped.get(part.section) or f"{part.missing}." for part in missing}
    lines = [tag("li", tag("b", part.title), f": {why[part.title]}", id=part.anchor) for part in missing]
    told = note("These steps had nothing to do tonight, did not run, or did not finish.")
    return tag("section", tag("h2", "Not written tonight"), told, tag("ul", lines, class_="plain")) if missing else None


def compose(story: Story) -> str:
    """The whole page as text. It needs no other file, no script and no network."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Nightdesk {story.night}: {headline(story)}"),
        tag("style", raw(STYLE.read_text())),
    )
    colophon = paragraph(
        f"Nightdesk, {words.moment(story.now.isoformat())}, source {story.source}, seed {story.seed}. Every figure is "
        "what the night’s steps wrote down; what was not measured is not printed. Paper trading only. ",
        tag("a", "The week so far", href=f"../{weekly.name_of(story.now.date())}/index.html"), ".",
    )
    chapters = tag("main", [_chapter(part, story) for part in PARTS], _untold(story))
    body = tag("body", front.head(story), front.strip(story), chapters, tag("footer", colophon))
    return "<!doctype html>\n" + tag("html", head, "\n", body, lang="en") + "\n"


def render(home: Home, settings: Settings, now: dt.datetime) -> Path:
    """Write tonight's page and the files beside it; `reports/latest` names the night once all of it is there."""
    story = tell(home, settings, now)
    folder = home.reports / story.night
    durable.write_atomic(folder / "judged-equity.csv", judged_csv(story), failpoint="report")
    page = catalogue.compose(entries(home))
    durable.write_atomic(folder / "features.html", page.encode(), failpoint="report")
    durable.write_atomic(folder / "index.html", compose(story).encode(), failpoint="report")
    weekly.render(home, now.date())
    durable.write_atomic(home.reports / "latest", f"{story.night}\n".encode(), failpoint="report")
    return folder / "index.html"


def latest(home: Home) -> Path | None:
    """The newest page, or None before the first night."""
    pointer = home.reports / "latest"
    return home.reports / pointer.read_text().strip() / "index.html" if pointer.exists() else None
