"""How the strategies would have done: pictures first, then the figures side by side, then by fold and by regime."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pipelines.report import words
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.interval import sharpe_interval
from pipelines.report.parts import curves, price, slices
from pipelines.report.parts.hues import colours, ordered, swatch
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone


def status(story: Story) -> tuple[Tone, str]:
    chosen = story.chosen
    return "good" if chosen else "quiet", f"net Sharpe {words.number(chosen.get('sharpe_net'))}"


def sheets(story: Story) -> dict[str, str]:
    """Strategy → its tear sheet, from this page; only what lies beside it is ever linked."""
    found = {}
    for one in story.get("tear_sheets").get("sheets") or []:
        night, _, path = str(one.get("path") or "").partition("/")
        if night == story.night and path and ".." not in path.split("/") and not path.startswith("/"):
            found[str(one.get("name"))] = quote(path)
    return found


def _row(one: Mapping[str, Any], class_: str, sheet: str | None) -> list[Any]:
    low, high = sharpe_interval(one)
    interval = tag("small", f"{words.number(low, 1)} to {words.number(high, 1)}") if low is not None else None
    kind, name = "candidate" if one.get("kind") == "candidate" else "baseline", one.get("name") or words.DASH
    return [
        [swatch(class_), tag("b", tag("a", name, href=sheet) if sheet else name), " ", tag("small", kind)],
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
    linked = sheets(story)
    rows = [_row(one, colour[str(one.get("name"))], linked.get(str(one.get("name")))) for one in ordered(story)]
    return [
        tag("h3", "Side by side"),
        table(["Strategy", *figures], rows, class_="wide"),
        caption(
            f"{story.sample}. Sharpe a year, in excess of cash, with its 95 % interval. Active: less beta times "
            "buy and hold. PSR: chance that the true active Sharpe is above zero; DSR: the same after paying for every "
            "trial. Costs are in basis points of the capital."
        ),
        *_files(story),
    ]


def _files(story: Story) -> list[Html]:
    """A strategy on a page of its own, and the numbers behind it."""
    chosen = sheets(story).get(str(story.chosen.get("name")))
    if chosen is None:
        return []
    files = story.get("tear_sheets").get("files") or {}
    links = [[", ", tag("a", f"{name}.parquet", href=f"{name}.parquet")] for name in files]
    return [paragraph(tag("a", f"The tear sheet of {story.chosen.get('name')}", href=chosen),
                      "; each candidate’s name leads to its own. As files: ", *(links[0][1:] if links else ["none"]),
                      *links[1:], ".")]


def _price(story: Story) -> list[Html]:
    drawn = price.price(story.get("price_tag"))
    return [tag("h3", "What carelessness would have added"), *drawn] if drawn else []


def draw(story: Story) -> list[Html]:
    if not story.strategies:
        return [note("No strategy was judged.")]
    narrow = story.get("judged").get("narrow")
    why = [note(narrow, " Regimes were fitted and rules judged.")] if narrow else []
    return [*why, *curves.draw(story), *_compared(story), *_price(story),
            *slices.folds(story), *slices.regimes(story)]


PART = Part("judged", "How it would have done", "Judged", "judged", "no strategy was judged", status, draw)
