"""Pictures as inline SVG that fill any width: positions in per cent, text in pixels, strokes that never scale."""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipelines.report.html import Html, tag
from pipelines.report.words import parse_day

UNITS = 1000  # both sides of a stretched view box
BELOW = 22  # pixels for the dates under a plot
ABOVE = 14  # pixels for what stands on the highest value
Show = Callable[[float], str]


@dataclass(frozen=True)
class Line:
    name: str
    values: Sequence[float | None]
    class_: str  # colour and weight, from the style sheet
    area: bool = False  # filled down from zero


@dataclass(frozen=True)
class Scale:
    """Values to pixels; zero is always inside."""

    low: float
    high: float
    height: int
    below: int = BELOW

    @classmethod
    def over(cls, rows: Sequence[Sequence[float | None]], height: int, below: int = BELOW) -> "Scale | None":
        known = [v for row in rows for v in row if v is not None and math.isfinite(v)]
        low, high = min([*known, 0.0]), max([*known, 0.0])
        return cls(low, high if high > low else low + 1.0, height, below) if known else None

    @property
    def plot(self) -> int:
        return self.height - ABOVE - self.below

    def y(self, value: float) -> float:
        return round(ABOVE + (self.high - value) / (self.high - self.low) * self.plot, 1)


STEPS = (1, 2, 5, 10)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round values between low and high: 1, 2 or 5 times a power of ten apart, and closer where only two would be."""
    power = 10.0 ** math.floor(math.log10((high - low) / about))
    at = next(n for n, m in enumerate(STEPS) if (high - low) / (power * m) <= about)

    def every(step: float) -> list[float]:
        return [round(step * i, 10) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]

    found = every(power * STEPS[at])
    return found if len(found) > 2 or not at else every(power * STEPS[at - 1])


def date_ticks(days: Sequence[dt.date], most: int = 6) -> list[tuple[int, str]]:
    """The first session of every 1st, 2nd, 3rd, 6th or 12th month, with a label as `Jul ’24`."""
    starts = [i for i, day in enumerate(days) if i and day.month != days[i - 1].month]
    for every in (1, 2, 3, 6, 12, 24, 60, 120):
        chosen = [i for i in starts if (days[i].year * 12 + days[i].month - 1) % every == 0]
        if len(chosen) <= most:
            return [(i, f"{days[i]:%b} ’{days[i]:%y}") for i in chosen]
    return []


def through(places: Sequence[float], values: Sequence[float | None], scale: Scale) -> str:
    """A line's path, from gap to gap; places are in the units across."""
    pen, parts = "M", []
    for place, value in zip(places, values, strict=True):
        if value is None or not math.isfinite(value):
            pen = "M"
            continue
        depth = (scale.high - value) / (scale.high - scale.low)
        parts.append(f"{pen}{place:.1f},{depth * UNITS:.1f}")
        pen = "L"
    return "".join(parts)


def framed(scale: Scale, paths: Sequence[Html], over: Sequence[Html], *, label: str, height: int, show: Show,
           about: int) -> Html:
    """Paths on a grid of round values, whose marks stand in a gutter of their own; `over` is drawn in pixels."""
    marks = ticks(scale.low, scale.high, about)
    gutter = [tag("text", show(mark), x="100%", y=scale.y(mark) + 4, class_="mark", text_anchor="end")
              for mark in marks]
    grid = [tag("line", x1="0", x2="100%", y1=scale.y(mark), y2=scale.y(mark), class_="zero" if mark == 0 else "grid")
            for mark in marks]
    inner = tag("svg", *paths, x="0", y=ABOVE, width="100%", height=scale.plot, viewBox=f"0 0 {UNITS} {UNITS}",
                preserveAspectRatio="none", overflow="visible")
    return tag(
        "div", tag("svg", *gutter, class_="gutter", height=height, aria_hidden="true"),
        tag("svg", *grid, inner, *over, class_="plot", height=height, aria_hidden="true"),
        class_="chart", role="img", aria_label=label)


def _dates(sessions: Sequence[str], height: int) -> list[Html]:
    drawn, days = [], [parse_day(session) or dt.date.min for session in sessions]
    for index, text in date_ticks(days):
        at = index / (len(sessions) - 1) * 100
        anchor = "start" if at < 6 else "end" if at > 94 else "middle"
        x, top = f"{at:.1f}%", height - BELOW
        drawn.append(tag("line", x1=x, x2=x, y1=top, y2=top + 4, class_="zero"))
        drawn.append(tag("text", text, x=x, y=height - 4, class_="mark", text_anchor=anchor))
    return drawn


def line_chart(
    sessions: Sequence[str], lines: Sequence[Line], *, label: str, height: int = 280, show: Show = str, about: int = 4
) -> Html:
    """Lines over sessions on one scale, its marks in a gutter of their own. `label` says in words what is seen."""
    scale = Scale.over([line.values for line in lines], height)
    if scale is None or len(sessions) < 2:
        return tag("p", "Too few sessions to draw.", class_="note")
    zero = scale.high / (scale.high - scale.low) * UNITS
    paths = []
    for line in lines:
        last = max(len(line.values) - 1, 1)
        path = through([place * UNITS / last for place in range(len(line.values))], line.values, scale)
        if line.area:
            paths.append(tag("path", d=f"{path}L{UNITS},{zero:.1f}L0,{zero:.1f}Z", class_=f"area {line.class_}"))
        paths.append(tag("path", tag("title", line.name), d=path, class_=f"line {line.class_}"))
    return framed(scale, paths, _dates(sessions, height), label=label, height=height, show=show, about=about)


def columns(
    labels: Sequence[str],
    values: Sequence[float | None],
    *,
    label: str,
    height: int = 200,
    others: Sequence[Line] = (),
    show: Show = str,
) -> Html:
    """One column a label; `others` are strokes at their own height, to compare with."""
    under = BELOW + (ABOVE if any((value or 0.0) < 0 for value in values) else 0)  # room for figures under the axis
    scale = Scale.over([values, *(line.values for line in others)], height, under)
    if scale is None:
        return tag("p", "Nothing to draw.", class_="note")
    slot, sparse = 100 / len(labels), max(1, math.ceil(len(labels) / 12))
    bars, strokes, texts = [], [], []
    for i, (text, value) in enumerate(zip(labels, values, strict=True)):
        left, middle = i * slot, f"{(i + 0.5) * slot:.2f}%"
        if value is not None and math.isfinite(value):
            top, bottom = scale.y(max(value, 0.0)), scale.y(min(value, 0.0))
            box = {"x": f"{left + slot * 0.22:.2f}%", "width": f"{slot * 0.56:.2f}%", "y": top}
            title = tag("title", f"{text}: {show(value)}")
            bars.append(tag("rect", title, **box, height=max(round(bottom - top, 1), 1), class_="column c1"))
            if i % sparse == 0:
                at = top - 4 if value >= 0 else bottom + 12
                texts.append(tag("text", show(value), x=middle, y=at, class_="value", text_anchor="middle"))
        for line in others:
            other = line.values[i] if i < len(line.values) else None
            if other is not None and math.isfinite(other):
                ends = {"x1": f"{left + slot * 0.12:.2f}%", "x2": f"{left + slot * 0.88:.2f}%"}
                title = tag("title", f"{line.name}, {text}: {show(other)}")
                strokes.append(
                    tag("line", title, **ends, y1=scale.y(other), y2=scale.y(other), class_=f"tick {line.class_}")
                )
        if i % sparse == 0:
            class_ = "mark odd" if i // sparse % 2 and len(labels) > 6 else "mark"  # a phone shows every other one
            texts.append(tag("text", text, x=middle, y=height - 4, class_=class_, text_anchor="middle"))
    axis = tag("line", x1="0", x2="100%", y1=scale.y(0.0), y2=scale.y(0.0), class_="zero")
    plot = tag("svg", *bars, axis, *strokes, *texts, class_="plot", height=height, aria_hidden="true")
    return tag("div", plot, class_="chart", role="img", aria_label=label)


def histogram(counts: Sequence[float], *, label: str) -> Html:
    """A thumbnail of a distribution, the size of a word."""
    top, slot = max(counts, default=0) or 1, UNITS / max(len(counts), 1)
    bars = [f"M{i * slot:.1f} {UNITS}V{UNITS * (1 - c / top):.1f}h{slot * 0.86:.1f}V{UNITS}z"
            for i, c in enumerate(counts) if c]  # fmt: skip
    stretched = {"viewBox": f"0 0 {UNITS} {UNITS}", "preserveAspectRatio": "none"}
    return tag("svg", tag("path", d="".join(bars)), class_="thumb", role="img", aria_label=label, **stretched)


def meter(share: float | None, *, tone: str = "", marks: Sequence[float] = ()) -> Html:
    """A bar of 0 to 1 across its cell, with thin lines where thresholds stand."""
    width = min(max(share or 0.0, 0.0), 1.0) * 100
    lines = [tag("i", style=f"left:{min(mark, 1.0) * 100:.1f}%") for mark in marks]
    bar = tag("b", style=f"width:{width:.1f}%")
    return tag("span", bar, *lines, class_=f"meter {tone}".strip(), aria_hidden="true")
