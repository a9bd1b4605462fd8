"""Decay: whether who holds the slot still earns what it was let through for. It asks for a search, no more."""

from typing import Any

from pipelines.report import words
from pipelines.report.charts import Line, line_chart
from pipelines.report.html import Html, caption, paragraph
from pipelines.report.parts.part import Part
from pipelines.report.story import Story, Tone


def status(story: Story) -> tuple[Tone, str]:
    told = story.get("decay")
    if told.get("alarm"):
        return "warn", f"alarm since {told.get('first_alarm')}"
    watched = len(told.get("sessions") or [])
    return ("good" if watched else "quiet"), f"{words.plural(watched, 'session')} watched"


def draw(story: Story) -> list[Html]:
    told = story.get("decay")
    sessions, statistic = told.get("sessions") or [], told.get("statistic") or []
    drawn: list[Html] = [paragraph(str(told.get("plain") or ""))]
    if len(sessions) > 1:
        level = [words.finite(told.get("level"))] * len(sessions)
        lines = [Line("level of an alarm", level, "bench"), Line("how much worse than healthy", statistic, "c1")]
        label = "The decay statistic since the strategy was let through, and the level of an alarm"
        drawn.append(line_chart(sessions, lines, label=label, height=150, about=3,
                                show=lambda value: words.number(value, 0)))
    if told.get("watched"):
        share = words.percent(told.get("folklore_false_alarms_a_look"), 0)
        drawn.append(caption(
            "A one-sided CUSUM of daily active returns in units of their own volatility. A look at whether the newest "
            f"figure lies one standard error below the old one would call a healthy strategy ill in {share} of looks"
            f"{_folklore(told)}."))
    return drawn


def _folklore(told: dict[str, Any]) -> str:
    """What that look says tonight, with its figures."""
    seen = told.get("folklore") or {}
    if seen.get("below") is None:
        return ""
    judged, error, live = (words.number(seen[name], 2) for name in ("judged", "error", "live"))
    return (f"; tonight it would say that it is {'ill' if seen['below'] else 'well'}: an annual Sharpe of {live} "
            f"since, {judged} judged, give or take {error}")


PART = Part("decay", "Decay", "Decay", "decay", "the champion was not watched", status, draw)
