"""How the strategies would have done: pictures first, then the figures side by side, then by fold and by regime."""

from collections.abc import Mapping
from typing import Any

from pipelines.report import words
from pipelines.report.html import Html, caption, note, tag
from pipelines.report.interval import sharpe_interval
from pipelines.report.parts import curves, slices
from pipelines.report.parts.hues import colours, ordered, swatch
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone


def status(story: Story) -> tuple[Tone, str]:
    chosen = story.chosen
    return "good" if chosen else "quiet", f"net Sharpe {words.number(chosen.get('sharpe_net'))}"


def _row(one: Mapping[str, Any], class_: str) -> list[Any]:
    low, high = sharpe_interval(one)
    interval = tag("small", f"{words.number(low, 1)} to {words.number(high, 1)}") if low is not None else None
    kind = "candidate" if one.get("kind") == "candidate" else "baseline"
    return [
        [swatch(class_), tag("b", one.get("name") or words.DASH), " ", tag("small", kind)],
        [words.number(one.get("sharpe_net")), interval],
        words.number(one.get("sharpe_active")),
        words.number(one.get("sharpe_gross")),
        words.percent(one.get("annual_return")),
        words.fall(one.get("max_drawdown")),
        words.percent(one.get("turnover_daily"), 0),
        words.number(one.get("cost_bp_daily"), 1),
        words.chance(one.get("psr")),
        words.chance(one.get("dsr")),
    ]


def _compared(story: Story) -> list[Html]:
    colour = colours(story)
    figures = [
        "Sharpe, net",
        "active",
        "before costs",
        "a year",
        "drawdown",
        "turnover a day",
        "bp a day",
        "PSR",
        "DSR",
    ]
    rows = [_row(one, colour[str(one.get("name"))]) for one in ordered(story)]
    return [
        tag("h3", "Side by side"),
        table(["Strategy", *figures], rows, class_="wide"),
        caption(
            f"{story.sample}. Sharpe a year, in excess of cash, with its 95 % interval. Active: less beta times "
            "buy and hold. PSR: chance that the true active Sharpe is above zero; DSR: the same after paying for every "
            "trial. Costs are in basis points of the capital."
        ),
    ]


def draw(story: Story) -> list[Html]:
    if not story.strategies:
        return [note("No strategy was judged.")]
    return [*curves.draw(story), *_compared(story), *slices.folds(story), *slices.regimes(story)]


PART = Part("judged", "How it would have done", "Judged", "judged", "no strategy was judged", status, draw)
