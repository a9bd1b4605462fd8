"""Equity after costs and the depth below its last peak, beside the baselines and buy-and-hold."""

from collections.abc import Sequence

from pipelines.report import words
from pipelines.report.charts import Line, line_chart
from pipelines.report.html import Html, caption, tag
from pipelines.report.interval import growth_of_one
from pipelines.report.parts.hues import colours, legend, ordered
from pipelines.report.story import Story

BENCHMARK = "Buy and hold"


def drawdown(growth: Sequence[float]) -> list[float]:
    """How far below its highest value so far, the starting capital included."""
    peak, depths = 1.0, []
    for value in growth:
        peak = max(peak, value)
        depths.append(value / peak - 1)
    return depths


def _show(value: float) -> str:
    return words.percent(value, 0, sign=value > 0)


def draw(story: Story) -> list[Html]:
    judged, colour, chosen = story.get("judged"), colours(story), str(story.chosen.get("name"))
    sessions, held = judged.get("sessions") or [], growth_of_one(judged.get("benchmark") or [])
    grown = {str(one.get("name")): growth_of_one(one.get("equity") or []) for one in ordered(story)}
    lines = [Line(name, [value - 1 for value in grown[name]], colour[name]) for name in grown]
    depths = [Line(chosen, drawdown(grown.get(chosen, [])), "c1", area=True)]
    if held:
        lines.append(Line(BENCHMARK, [value - 1 for value in held], "bench"))
        depths.append(Line(BENCHMARK, drawdown(held), "bench"))
    gains = [(line.class_, line.name, _show(line.values[-1] or 0.0) if line.values else words.DASH) for line in lines]
    growth_label = "Cumulative net return of each strategy, and of buying and holding the same universe"
    depth_label = f"Drawdown of {chosen}, and of buying and holding the same universe"
    return [
        tag("h3", "Growth after costs"),
        legend(gains),
        line_chart(sessions, lines[::-1], show=_show, height=300, label=growth_label),
        tag("h3", "Depth below the last peak"),
        line_chart(sessions, depths[::-1], show=_show, height=150, about=3, label=depth_label),
        caption(
            f"{story.sample}. Every session is out of sample for the model that traded it; costs are charged on "
            "every fill. The same figures as a file: ",
            tag("a", "judged-equity.csv", href="judged-equity.csv"),
            ".",
        ),
    ]
