"""One colour a strategy, the same in every picture and table of the page."""

import itertools
from typing import Any

from pipelines.report import words
from pipelines.report.html import Html, tag
from pipelines.report.story import Story

OTHER = "other"  # shared by candidates that are too many for a colour each
MOST_COLOURED = 3


def colours(story: Story) -> dict[str, str]:
    """The strategy under judgement is always the first colour; other candidates stand back, baselines are muted."""
    chosen = str(story.chosen.get("name"))
    rivals = [one for one in story.strategies if one.get("kind") == "candidate" and one.get("name") != chosen]
    candidates = itertools.cycle(["c2", "c3", "c4"] if len(rivals) <= MOST_COLOURED else [OTHER])
    baselines = itertools.cycle(["b1", "b2", "b3", "b4"])
    found = {chosen: "c1"}
    for one in story.strategies:
        if str(one.get("name")) not in found:
            found[str(one.get("name"))] = next(candidates if one.get("kind") == "candidate" else baselines)
    return found


def ordered(story: Story) -> list[dict[str, Any]]:
    """The strategy under judgement, then candidates, then baselines, each group by net Sharpe."""
    chosen = story.chosen.get("name")

    def rank(one: dict[str, Any]) -> tuple[bool, bool, float]:
        return one.get("name") != chosen, one.get("kind") != "candidate", -(words.finite(one.get("sharpe_net")) or -1e9)

    return sorted(story.strategies, key=rank)


def swatch(class_: str) -> Html:
    return tag("span", class_=f"swatch {class_}", aria_hidden="true")


def legend(entries: list[tuple[str, str, Any]]) -> Html:
    """Colour, name and, where there is one, a figure."""
    items = [tag("li", swatch(class_), name, tag("b", value) if value else None) for class_, name, value in entries]
    return tag("ul", items, class_="legend")
