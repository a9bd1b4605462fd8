"""Pictures that only a tear sheet has: months as tiles, a curve over round figures, intervals side by side."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report import words
from pipelines.report.charts import ABOVE, BELOW, UNITS, Line, Scale, Show, framed, through
from pipelines.report.html import Html, tag

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DEEPEST_SHADE = 72  # per cent of the hue that the largest month gets


def _tile(month: int, value: float | None, largest: float) -> Html:
    if value is None:
        return tag("div", tag("i", MONTHS[month - 1]), tag("b", "·"), class_="tile none")
    shade = round(DEEPEST_SHADE * min(abs(value) / largest, 1.0)) if largest > 0.0 else 0
    shown = words.number(value * 100, 1, sign=value > 0)
    return tag("div", tag("i", MONTHS[month - 1]), tag("b", shown), style=f"--shade-of:{shade}%",
               class_="tile up" if value >= 0 else "tile down")


def months(by_year: Mapping[int, Mapping[int, float]], *, label: str) -> Html:
    """Twelve tiles a year, darker where more was made or lost, six in a row on a phone; the year's sum beside."""
    largest = max((abs(value) for year in by_year.values() for value in year.values()), default=0.0)
    rows = []
    for year, known in sorted(by_year.items()):
        total = math.fsum(known.values())
        head = tag("div", tag("b", year), tag("span", words.percent(total, 1, sign=total > 0)), class_="year")
        rows.append(tag("div", head, tag("div", [_tile(month, known.get(month), largest) for month in range(1, 13)],
                                         class_="tiles"), class_="of-year"))
    return tag("div", rows, class_="months", role="img", aria_label=label)


@dataclass(frozen=True)
class Dot:
    """A measured point with its error; positions are in the units of the two axes."""

    x: float
    y: float
    error: float = 0.0
    told: str = ""


def curve(
    marks: Sequence[tuple[float, str]], lines: Sequence[tuple[Line, Sequence[float]]] = (), dots: Sequence[Dot] = (), *,
    label: str, height: int = 240, show: Show = str, about: int = 4, edge: float = 0.04,
) -> Html:
    """Lines and dots over a numeric axis whose `marks` (value, text) are written under it. Each line has its own x."""
    ends = [[dot.y - dot.error, dot.y + dot.error] for dot in dots]
    scale = Scale.over([*(line.values for line, _ in lines), *ends], height)
    every = [*(x for _, xs in lines for x in xs), *(dot.x for dot in dots), *(x for x, _ in marks)]
    if scale is None or not every:
        return tag("p", "Nothing to draw.", class_="note")
    low, high = min(every), max(every)
    width = (high - low) or 1.0

    def at(x: float) -> float:
        return (edge + (1.0 - 2.0 * edge) * (x - low) / width) * 100.0

    paths = [tag("path", tag("title", line.name), d=through([at(x) * UNITS / 100 for x in xs], line.values, scale),
                 class_=f"line {line.class_}") for line, xs in lines]
    drawn = [mark for dot in dots for mark in _dot(dot, scale, at)]
    under = [tag("text", text, x=f"{at(x):.1f}%", y=height - 4, text_anchor="middle",
                 class_="mark odd" if number % 2 and len(marks) > 6 else "mark")
             for number, (x, text) in enumerate(marks)]
    return framed(scale, paths, [*drawn, *under], label=label, height=height, show=show, about=about)


def _dot(dot: Dot, scale: Scale, at: Any) -> list[Html]:
    x = f"{at(dot.x):.2f}%"
    mark = tag("circle", tag("title", dot.told) if dot.told else None, cx=x, cy=scale.y(dot.y), r=4, class_="dot-mark")
    if not dot.error:
        return [mark]
    return [tag("line", x1=x, x2=x, y1=scale.y(dot.y - dot.error), y2=scale.y(dot.y + dot.error), class_="whisker"),
            mark]


def bars(middles: Sequence[float], counts: Sequence[int], *, label: str, ends: tuple[str, str],
         height: int = 150) -> Html:
    """How values are spread around zero: columns left of it are losses."""
    top, slot = max(counts, default=0) or 1, 100 / max(len(counts), 1)
    plot = height - ABOVE - BELOW
    drawn = []
    for number, (middle, count) in enumerate(zip(middles, counts, strict=True)):
        size = max(round(plot * count / top, 1), 0.0)
        drawn.append(tag("rect", tag("title", f"{count}"), x=f"{number * slot + slot * 0.07:.2f}%",
                         width=f"{slot * 0.86:.2f}%", y=ABOVE + plot - size, height=size,
                         class_="column c1" if middle >= 0 else "column loss"))
    base = ABOVE + plot
    axis = [tag("line", x1="0", x2="100%", y1=base, y2=base, class_="zero"),
            *(tag("text", text, x=x, y=height - 4, class_="mark", text_anchor=anchor)
              for text, x, anchor in ((ends[0], "0", "start"), ("0", "50%", "middle"), (ends[1], "100%", "end")))]
    return tag("div", tag("svg", *drawn, *axis, class_="plot", height=height, aria_hidden="true"), class_="chart",
               role="img", aria_label=label)
