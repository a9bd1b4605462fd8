"""The top of the page: the verdict in words, the few figures one looks for first, and the night in one look."""

from typing import Any

from pipelines.report import words
from pipelines.report.html import Html, join, paragraph, tag
from pipelines.report.interval import drawdown, profit, sharpe_interval
from pipelines.report.parts import PARTS, gate
from pipelines.report.parts.curves import BENCHMARK
from pipelines.report.parts.part import Part
from pipelines.report.story import Story, verdict_of
from pipelines.store.leak.words import because, subject

BROKEN = "could not be drawn"
BROKEN_BY = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what a malformed section can raise
MOST_REASONS = 3


def _ledes(story: Story) -> list[Html]:
    """Why: every failure counts, but of many sentences the first few say enough up here."""
    reasons = [str(reason) for reason in story.get("verdict").get("reasons") or []]
    shown = reasons[: 1 if story.get("verdict").get("promoted") and len(reasons) > MOST_REASONS else MOST_REASONS]
    if not reasons:
        reasons = shown = _leaks(story)
    more = len(reasons) - len(shown)
    drawn = [paragraph(reason, class_="lede") for reason in shown]
    if more:
        link = tag("a", words.plural(more, "more reason"), href="#gate")
        drawn.append(paragraph("And ", link, " below, each with its figure.", class_="lede"))
    return drawn


def _leaks(story: Story) -> list[str]:
    """Where the night was stopped by the leak gate: the culprits, each with its first bad date."""
    if story.get("verdict"):
        return []
    return [
        f"{subject(one)}, decided at {words.moment(one.get('decision_time'))}, {because(one)}; first bad date "
        f"{words.day(one.get('first_bad_time'))}."
        for one in (story.get("leak").get("findings") or [])[:MOST_REASONS]
    ]


def _figures(story: Story) -> Html | None:
    one, verdict = story.chosen, story.get("verdict")
    if not one:
        return None
    low, high = sharpe_interval(one)
    held = min(drawdown(profit(story.get("judged").get("benchmark") or [])), default=None)
    spread = (
        f"95 %: {words.number(low, 1)} to {words.number(high, 1)}"
        if low is not None
        else "too few sessions for an interval"
    )
    counted = (verdict.get("figures") or {}).get("trials_n") or verdict.get("trials_n")
    turnover = words.percent(one.get("turnover_daily"), 0)
    told: list[tuple[str, Any, str]] = [
        ("Sharpe, net", words.number(one.get("sharpe_net")), spread),
        ("Deflated Sharpe", words.chance(one.get("dsr")), f"for N = {words.count(counted)} trials"),
        ("Worst drawdown", words.fall(one.get("max_drawdown")), f"{BENCHMARK.lower()} {words.percent(held)}"),
        ("Costs a day", f"{words.number(one.get('cost_bp_daily'), 1)} bp", f"turnover {turnover}"),
    ]  # fmt: skip
    cells = [tag("div", tag("dt", name), tag("dd", value, tag("small", beside))) for name, value, beside in told]
    name = one.get("name") or words.DASH
    return join(tag("dl", cells, class_="figures"), tag("p", f"{name}, judged on {story.sample}.", class_="sample"))


def _whole_name(story: Story, sentence: str) -> list[Any]:
    """A strategy's name is not to be broken at its hyphens."""
    name = str(story.get("verdict").get("strategy") or "")
    before, found, after = sentence.partition(name) if name else (sentence, "", "")
    return [before, tag("span", found, class_="name") if found else None, after]


def head(story: Story) -> Html:
    tone, stamp, sentence = verdict_of(story)
    last, planted = story.get("ingest").get("last_session"), gate.planted(story)
    after = f", after the session of {words.long_day(last)}" if last else ""
    seen = tag("a", "What the gate could see", href="#gate")
    return tag(
        "header",
        tag("p", tag("b", "Nightdesk"), f" · the night to {words.long_day(story.night)}{after}", class_="kicker"),
        tag("h1", tag("span", f"{stamp}.", class_=f"stamp {tone}"), " ", _whole_name(story, sentence)),
        _ledes(story),
        guarded(_figures, story),
        tag("p", planted, " ", seen, ".", class_="aside") if planted else None,
        _policy(story),
        class_=tone,
    )


def _policy(story: Story) -> Html | None:
    """Bars that nobody measured, or that are others than last time, are said before anything is believed of them."""
    told = story.get("verdict").get("gate") or {}
    changed, measured = told.get("changed_since_record"), told.get("calibrated")
    if not changed and measured is not False:
        return None
    words_ = f"The gate's bars are others than in record {changed}. " if changed else ""
    if measured is False:
        words_ += "Nobody measured how often these bars promote noise: nightdesk models calibrate does."
    return tag("p", words_, class_="aside")


def guarded(draw: Any, story: Story) -> Any:
    """A section that is not as agreed costs its own picture, never the page: it is said there, and its check fails."""
    try:
        return draw(story)
    except BROKEN_BY as error:
        return tag("p", f"This {BROKEN}: {type(error).__name__}: {error}.", class_="note")


def _state(part: Part, story: Story) -> tuple[str, str]:
    if not story.get(part.section):
        return "quiet", "skipped" if part.section in story.skipped else "not written"
    try:
        return part.status(story)
    except BROKEN_BY:
        return "bad", BROKEN


def strip(story: Story) -> Html:
    """Every chapter with its state, and the way to it."""
    items = []
    for part in PARTS:
        tone, text = _state(part, story)
        dot = tag("span", class_=f"dot {tone}", aria_hidden="true")
        items.append(tag("li", tag("a", dot, tag("b", part.short), tag("span", text), href=f"#{part.anchor}")))
    return tag("nav", tag("ol", items), aria_label="Chapters", class_="strip")
