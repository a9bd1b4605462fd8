"""One colour a strategy, the same in every picture and table of the page."""

import itertools
from typing import Any

from pipelines.report import words
from pipelines.report.html import Html, tag
from pipelines.report.story import Story


def colours(story: Story) -> dict[str, str]:
    """The strategy under judgement is always the first colour; baselines are muted."""
    chosen = str(story.chosen.get("name"))
    rest = {"c": itertools.cycle(["c2", "c3", "c4"]), "b": itertools.cycle(["b1", "b2", "b3", "b4"])}
    found = {chosen: "c1"}
    for one in story.strategies:
        if str(one.get("name")) not in found:
            found[str(one.get("name"))] = next(rest["c" if one.get("kind") == "candidate" else "b"])
    return found


def ordered(story: Story) -> list[dict[str, Any]]:
    """The strategy under judgement, then candidates, then baselines, each group by net Sharpe."""
    chosen = story.chosen.get("name")

    def rank(one: dict[str, Any]) -> tuple[bool, bool, float]:
        return one.get("name") != chosen, one.get("kind") != "candidate", -(words.finite(one.get("sharpe_net")) or -1e9)

    return sorted(story.strategies, key=rank)


def legend(entries: list[tuple[str, str, Any]]) -> Html:
    """Colour, name and, where there is one, a figure."""
    items = [tag("li", swatch(class_), name, tag("b", value) if value else None) for class_, name, value in entries]
    return tag("ul", items, class_="legend")


def swatch(class_: str) -> Html:
    return tag("span", class_=f"swatch {class_}", aria_hidden="true")
