"""The judged sessions cut two ways: by walk-forward fold, and by the regime that was believed before the open."""

import math
from collections.abc import Mapping
from typing import Any

from pipelines.report import words
from pipelines.report.charts import Line, columns
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.parts.hues import colours, legend, ordered
from pipelines.report.parts.part import table
from pipelines.report.story import Story

SHARES = ("share", "return", "max_drawdown", "turnover", "hit_rate")
FIRST = ("sessions", "share", "sharpe", "sharpe_net", "sharpe_active")


def _sharpes(strategy: Mapping[str, Any]) -> list[float | None]:
    return [words.finite(fold.get("sharpe")) for fold in strategy.get("folds") or []]


def _month(first: Any, index: int) -> str:
    day = words.parse_day(first)
    return f"{day:%b} ’{day:%y}" if day else str(index + 1)


def folds(story: Story) -> list[Html]:
    chosen, colour, name = story.chosen, colours(story), str(story.chosen.get("name"))
    sharpes = _sharpes(chosen)
    if not sharpes:
        return [tag("h3", "Fold by fold"), note("No figures fold by fold were written.")]
    months = [_month(fold.get("first"), i) for i, fold in enumerate(chosen["folds"])]
    baselines = [one for one in ordered(story) if one.get("kind") != "candidate" and one.get("name") != name]
    others = [Line(str(one.get("name")), _sharpes(one), colour[str(one.get("name"))]) for one in baselines]
    good = sum((value or 0.0) > 0 for value in sharpes)
    entries = [("c1", name, None), *((line.class_, line.name, None) for line in others)]
    swing = math.sqrt(252 * len(sharpes) / max(len(story.get("judged").get("sessions") or []), 1))
    label = f"Net Sharpe of {name} in each fold"
    return [
        tag("h3", "Fold by fold"),
        paragraph(f"Net Sharpe in each walk-forward fold: above zero in {good} of {len(sharpes)}."),
        legend(entries),
        columns(months, sharpes, others=others, show=lambda value: words.number(value, 1), label=label),
        caption(
            f"{len(sharpes)} folds of {story.sample}; each begins in the month under it. A fold is short: by chance "
            f"alone its figure swings by about {swing:.1f} either way."
        ),
    ]


def _shown(key: str, value: Any) -> str:
    if key == "max_drawdown":
        return words.fall(value)
    if key.startswith(SHARES):
        return words.percent(value)
    return words.count(value) if key in {"sessions", "days", "n"} else words.number(value)


def regimes(story: Story) -> list[Html]:
    found = story.chosen.get("by_regime") or {}
    if not found:
        return [tag("h3", "By regime"), note("No figures by regime were written.")]
    by_state = {state: told if isinstance(told, Mapping) else {"sharpe": told} for state, told in found.items()}
    keys = list(dict.fromkeys(key for told in by_state.values() for key in told))
    keys = [key for key in FIRST if key in keys] + [key for key in keys if key not in FIRST]
    rows = [[tag("b", str(state).replace("_", " ")), *(_shown(key, told.get(key)) for key in keys)]
            for state, told in by_state.items()]
    return [
        tag("h3", "By regime"),
        table(["State", *(key.replace("_", " ").replace("sharpe", "Sharpe") for key in keys)], rows, narrow=True),
        caption(
            f"{story.chosen.get('name')}, {story.sample}. The state of a session is what was believed before it "
            "opened: filtered forward, never smoothed with what came later."
        ),
    ]
