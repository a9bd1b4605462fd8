"""The ladder: on which rung who holds the slot stands, what the next one asks, and what each rung can honestly say."""

from typing import Any

from pipelines.report import words
from pipelines.report.html import Html, caption, note, paragraph, tag
from pipelines.report.parts.part import Part, mark, table
from pipelines.report.story import Story, Tone

AT_MOST = ("refused_orders", "slippage", "loss_bound", "paper_drawdown")
MONEY = {"shadow": "on paper only", "canary": "with a stated share of the account", "champion": "with its whole share"}


def status(story: Story) -> tuple[Tone, str]:
    told = story.get("ladder")
    if told.get("waiting"):
        return "warn", "waits for approval"
    return ("good", str(told["rung"])) if told.get("rung") else ("quiet", "nobody on it")


def _check(one: dict[str, Any]) -> Html:
    name = str(one.get("name") or "").replace("_", " ").capitalize()
    said = tag("div", tag("b", name), tag("p", one.get("plain") or ""))
    unit = " ×" if one.get("name") == "fresh_evidence" and one.get("value") is not None else ""  # times as likely
    side = "at most" if one.get("name") in AT_MOST else "at least"
    bar = tag("small", f"{side} {words.limit(one['threshold'])}{unit}") if one.get("threshold") is not None else None
    return tag("li", mark(bool(one.get("passed")) or None), said,
               tag("div", tag("b", words.figure(one.get("value")) + unit), bar, class_="n"))


def _next(told: dict[str, Any]) -> list[Html]:
    above = told.get("next") or {}
    if not above:
        return []
    open_ = [one for one in above.get("checks") or [] if not one.get("passed")]
    lead = (f"The next rung, {above.get('rung')}, gives it {words.percent(above.get('capital_share'), 0)} of the "
            f"account. {words.plural(len(open_), 'answer')} of {len(above.get('checks') or [])} "
            f"{'is' if len(open_) == 1 else 'are'} still open.")  # fmt: skip
    return [paragraph(lead), tag("ol", [_check(one) for one in above.get("checks") or []], class_="checks")]


def draw(story: Story) -> list[Html]:
    told = story.get("ladder")
    rung = told.get("rung")
    drawn = [paragraph(f"{told.get('strategy')} stands on the rung ", tag("b", str(rung)),
                       f": it trades {MONEY.get(str(rung), '')}.") if rung else note("Nobody holds the slot.")]
    if told.get("waiting"):
        drawn.append(paragraph(tag("b", "To approve: "), f"record {told['waiting']} waits for a person: ",
                               tag("code", f"nightdesk models approve {told['waiting']}"), " or ",
                               tag("code", f"nightdesk models reject {told['waiting']}"), "."))
    rows = [[tag("b", str(one["rung"]).capitalize()), one["question"], one["cannot_say"]]
            for one in told.get("rungs") or []]
    return [*drawn, *_next(told), table(["Rung", "What it asks", "What it cannot say"], rows, words=3),
            caption(f"Preset {told.get('preset')}. Sessions are counted from the journal, on the rung below.")]


PART = Part("ladder", "The ladder", "Ladder", "ladder", "nobody asked on which rung the strategy stands", status, draw)
