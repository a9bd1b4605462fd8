"""Measured figures with their intervals, one under another on a common scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.report.html import Html, tag


@dataclass(frozen=True)
class Interval:
    name: str
    low: float
    middle: float
    high: float
    shown: str
    tone: str = "c1"
    beside: str = ""  # in small, under the figure


def intervals(rows: Sequence[Interval], *, label: str, heading: str = "") -> Html:
    """One line a row on a common scale, zero marked: the band is the interval, the dot what was measured."""
    known = [value for row in rows for value in (row.low, row.middle, row.high) if math.isfinite(value)]
    low, high = min([*known, 0.0]), max([*known, 0.0])
    width = (high - low) or 1.0

    def at(value: float) -> float:
        return 2.0 + 96.0 * (value - low) / width

    lines = []
    for row in rows:
        band = []
        if math.isfinite(row.low) and math.isfinite(row.high):
            band = [tag("line", x1=f"{at(row.low):.1f}%", x2=f"{at(row.high):.1f}%", y1=9, y2=9,
                        class_=f"band {row.tone}")]
        zero = tag("line", x1=f"{at(0.0):.1f}%", x2=f"{at(0.0):.1f}%", y1=0, y2=18, class_="zero")
        point = tag("circle", cx=f"{at(row.middle):.1f}%", cy=9, r=4.5, class_=f"point {row.tone}")
        picture = tag("svg", zero, *band, point, class_="interval", height=18, aria_hidden="true")
        lines.append((row.name, picture, [row.shown, tag("small", row.beside) if row.beside else None]))
    body = tag("tbody", [tag("tr", tag("th", name, scope="row"), tag("td", picture, class_="drawn"),
                             tag("td", shown, class_="n")) for name, picture, shown in lines])
    return tag("table", tag("caption", heading) if heading else None, body, class_="intervals", aria_label=label)
