"""What live did: orders, fills, costs and profit of each replayed session, or why it stayed flat."""

from pipelines.report import words
from pipelines.report.charts import columns
from pipelines.report.html import Html, caption, paragraph, tag
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone


def status(story: Story) -> tuple[Tone, str]:
    live = story.get("live")
    sessions = live.get("sessions") or []
    if live.get("flat_reason") or not sessions:
        return "quiet", "flat"
    profit = sum(words.finite(one.get("pnl")) or 0 for one in sessions)
    return "good" if profit >= 0 else "warn", words.money(profit, sign=True)


def draw(story: Story) -> list[Html]:
    live = story.get("live")
    sessions = live.get("sessions") or []
    drawn: list[Html] = []
    if live.get("flat_reason"):
        drawn.append(paragraph(f"Live stayed flat: {str(live['flat_reason']).rstrip('.')}."))
    if not sessions:
        return drawn or [paragraph("No session was traded.")]
    profit = sum(words.finite(one.get("pnl")) or 0 for one in sessions)
    costs = sum(words.finite(one.get("costs")) or 0 for one in sessions)
    start = words.finite(sessions[0].get("start_equity"))
    share = f" ({words.percent(profit / start, 2, sign=True)} of the capital at its start)" if start else ""
    drawn.append(
        paragraph(
            f"On paper: {words.money(profit, sign=True)}{share} in {words.plural(len(sessions), 'session')}, "
            f"after {words.money(costs)} of costs."
        )
    )
    if len(sessions) > 2:
        labels = [f"{day.day} {day:%b}" if (day := words.parse_day(one.get("session"))) else "" for one in sessions]
        drawn.append(
            columns(
                labels,
                [words.finite(one.get("pnl")) for one in sessions],
                height=170,
                show=lambda value: words.number(value / 1000, 0, sign=True) + "k",
                label="Profit of each session",
            )
        )
    rows = [
        [
            words.day(one.get("session")),
            words.count(one.get("orders")),
            words.count(one.get("fills")),
            words.number(one.get("pnl"), 0, sign=True),
            words.number(one.get("costs"), 0),
            words.count(one.get("end_equity")),
        ]
        for one in sessions
    ]
    drawn += [
        table(["Session", "orders", "fills", "profit, USD", "costs, USD", "equity after, USD"], rows),
        caption(
            "A paper account on recorded bars. Every order has a passport: ", tag("code", "nightdesk passport ID"), "."
        ),
    ]
    return drawn


PART = Part("live", "What live did", "Live", "live", "no session was replayed after this night", status, draw)
