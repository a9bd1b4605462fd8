"""Profit after costs and the depth below its last peak, beside the baselines and buy-and-hold."""

from pipelines.report import words
from pipelines.report.charts import Line, line_chart
from pipelines.report.html import Html, caption, tag
from pipelines.report.interval import drawdown, profit
from pipelines.report.parts.hues import OTHER, colours, legend, ordered
from pipelines.report.story import Story

BENCHMARK = "Buy and hold"


def _show(value: float) -> str:
    return words.percent(value, 0, sign=value > 0)


def _entries(lines: list[Line]) -> list[tuple[str, str, str]]:
    """What each line ended at; candidates that share a colour are one entry."""
    ends = {line.name: line.values[-1] or 0.0 for line in lines if line.values}
    others = sorted(ends[line.name] for line in lines if line.class_ == OTHER and line.name in ends)
    entries = [(line.class_, line.name, _show(ends[line.name])) for line in lines
               if line.class_ != OTHER and line.name in ends]  # fmt: skip
    if others:
        told = f"{_show(others[0])} to {_show(others[-1])}"
        entries.insert(1, (OTHER, words.plural(len(others), "other candidate"), told))
    return entries


def draw(story: Story) -> list[Html]:
    judged, colour, chosen = story.get("judged"), colours(story), str(story.chosen.get("name"))
    sessions, held = judged.get("sessions") or [], profit(judged.get("benchmark") or [])
    earned = {str(one.get("name")): profit(one.get("equity") or []) for one in ordered(story)}
    lines = [Line(name, values, colour[name]) for name, values in earned.items()]
    depths = [Line(chosen, drawdown(earned.get(chosen, [])), "c1", area=True)]
    if held:
        lines.append(Line(BENCHMARK, held, "bench"))
        depths.append(Line(BENCHMARK, drawdown(held), "bench"))
    profit_label = "Cumulative net profit of each strategy, and of buying and holding the same universe"
    depth_label = f"Drawdown of {chosen}, and of buying and holding the same universe"
    return [
        tag("h3", "Profit after costs, of the capital"),
        legend(_entries(lines)),
        line_chart(sessions, lines[::-1], show=_show, height=300, label=profit_label),
        tag("h3", "Depth below the last peak, of the capital"),
        line_chart(sessions, depths[::-1], show=_show, height=150, about=3, label=depth_label),
        caption(
            f"{story.sample}. Every session is out of sample for the model that traded it, costs are charged on every "
            "fill, and every session trades the same capital: profit is set aside, losses are made good. The same "
            "figures as a file: ",
            tag("a", "judged-equity.csv", href="judged-equity.csv"),
            ".",
        ),
    ]
