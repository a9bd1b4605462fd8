"""A chapter of the page: where its figures come from, its one-line state, and its drawing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report.html import Html, tag
from pipelines.report.story import Story, Tone


@dataclass(frozen=True)
class Part:
    """`missing` says what that means where the step wrote nothing."""

    anchor: str
    title: str
    short: str  # its name in the strip at the top
    section: str
    missing: str
    status: Callable[[Story], tuple[Tone, str]]
    draw: Callable[[Story], list[Html]]


def table(
    headers: Sequence[Any], rows: Sequence[Sequence[Any]], *, words: int = 1, class_: str = "", narrow: bool = False
) -> Html:
    """A table whose first `words` columns are text and the rest figures. It scrolls by itself on a narrow screen."""

    def cell(kind: str, index: int, value: Any) -> Html:
        return tag(kind, value, class_=None if index < words else "n", scope="col" if kind == "th" else None)

    head = tag("thead", tag("tr", [cell("th", i, value) for i, value in enumerate(headers)]))
    body = tag("tbody", [tag("tr", [cell("td", i, value) for i, value in enumerate(row)]) for row in rows])
    return tag(
        "div",
        tag("table", head, body, class_=class_ or None),
        class_="scroll narrow" if narrow else "scroll",
        tabindex="0",
    )


def facts(pairs: Sequence[tuple[str, Any]]) -> Html:
    """Name and value, one under another."""
    return tag("dl", [(tag("dt", name), tag("dd", value)) for name, value in pairs], class_="facts")


def mark(passed: bool | None) -> Html:
    """Passed or not, readable without colour."""
    glyph, word, tone = ("✓", "passed", "good") if passed else ("✕", "failed", "bad")
    if passed is None:
        glyph, word, tone = "·", "not run", "quiet"
    return tag("span", glyph, class_=f"mark {tone}", role="img", aria_label=word)
