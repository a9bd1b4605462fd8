"""The twin: what live made beside what judgement makes of the same session, and the difference by cause."""

from pipelines.report import words
from pipelines.report.html import Html, caption, paragraph, tag
from pipelines.report.parts.part import Part, table
from pipelines.report.story import Story, Tone

CAUSES = ("data revised", "feature", "score", "timing", "fill price", "cost", "limit", "manual")


def status(story: Story) -> tuple[Tone, str]:
    sessions = story.get("twin").get("sessions") or []
    if not sessions:
        return "quiet", "nothing to compare"
    difference = words.finite(sessions[-1].get("difference")) or 0.0
    return ("good", "to the cent") if not difference else ("warn", words.money(difference, sign=True))


def draw(story: Story) -> list[Html]:
    told = story.get("twin")
    sessions = told.get("sessions") or []
    since = [one.get("session") for one in story.get("live").get("sessions") or []]
    if not sessions and since:  # traded after the night that this page is of
        return [paragraph(f"The session of {words.day(since[-1])} is compared by the next night, which has its bars.")]
    drawn: list[Html] = [paragraph(str(told.get("plain") or ""))]
    if not sessions:
        return drawn
    newest = sessions[-1]
    market = words.finite(newest.get("market_return"))
    beta = market * (words.finite(newest.get("net_exposure_usd")) or 0.0) if market is not None else None
    live, costs = words.finite(newest.get("live")) or 0.0, words.finite(newest.get("costs")) or 0.0
    drawn.append(table(
        ["Session", "live, USD", "of it the market", "active", "costs", "judged, USD", "difference"],
        [[words.day(newest.get("session")), _usd(live), _usd(beta), _usd(None if beta is None else live - beta + costs),
          _usd(-costs), _usd(newest.get("judged")), _usd(newest.get("difference"))]]))
    parts = newest.get("parts") or {}
    named = newest.get("named") or {}
    rows = [[cause, _usd(parts.get(cause)), "; ".join(named.get(cause, [])) or "–"] for cause in CAUSES
            if parts.get(cause) or named.get(cause)]
    if rows:
        drawn.append(table(["Cause", "USD", "what it was"], rows))
    if len(sessions) > 1:
        drawn.append(table(["Session", "live", "judged", "difference", "largest cause"], [
            [words.day(one.get("session")), _usd(one.get("live")), _usd(one.get("judged")), _usd(one.get("difference")),
             _largest(one.get("parts") or {})] for one in reversed(sessions[:-1])]))
    drawn.append(caption(
        "One session settled again and again from the same opening book, each time with one more thing as live had it. "
        "The market's part is net exposure times the universe's return; a finding here is looked into with ",
        tag("code", "nightdesk passport ID"), "."))
    return drawn


def _usd(value: object) -> str:
    number = words.finite(value)
    return "unknown" if number is None else words.number(number, 2, sign=True)


def _largest(parts: dict[str, float]) -> str:
    cause = max(parts, key=lambda one: abs(parts[one]), default="")
    return cause if cause and parts[cause] else "none"


PART = Part("twin", "Live against its judgement", "Twin", "twin", "the last live session was not looked back on",
            status, draw)
