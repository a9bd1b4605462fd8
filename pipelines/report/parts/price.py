"""The bias price tag: the Sharpe that each customary carelessness would have added."""

import math
from collections.abc import Mapping
from typing import Any

from pipelines.report import words
from pipelines.report.html import Html, caption
from pipelines.report.intervals import Interval, intervals

BIASES = {"zero_cost": "Zero cost", "survivors_only": "Survivors only", "unpurged": "Unpurged labels",
          "hindsight": "Adjusted with hindsight"}


def _tag_row(told: Mapping[str, Any]) -> Interval | None:
    added = words.finite(told.get("added"))
    if added is None:
        return None
    low, high = (words.finite(told.get(end)) for end in ("low", "high"))
    beside = ""
    if low is not None and high is not None and max(abs(low), abs(high)) >= 0.005:
        beside = f"{words.number(low)} to {words.number(high)}"
    return Interval(BIASES.get(str(told.get("bias")), str(told.get("bias"))), math.nan if low is None else low, added,
                    math.nan if high is None else high, words.number(added, 2, sign=added > 0.005),
                    "warn" if added > 0.05 else "quiet", beside)


def tags_of(section: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(section.get("tags") or []), *((section.get("refitted") or {}).get("tags") or [])]


def price(section: Mapping[str, Any]) -> list[Html]:
    """The bias price tag, wherever it is drawn."""
    rows = [row for row in map(_tag_row, tags_of(section)) if row is not None]
    if not rows:
        return []
    gone, market = section.get("names_gone"), (section.get("buy_and_hold") or {}).get("added")
    told = [f"{words.plural(gone, 'name')} of {words.count(section.get('names'))} stopped trading in the judged "
            f"sessions; a list of survivors would have added {words.number(market)} to buy and hold."
            if gone else "No name stopped trading in the judged sessions, so a list of survivors adds nothing."]
    refit = section.get("refitted") or {}
    told.append("Unpurged and with hindsight it was fitted anew on the night that let it through, "
                f"{words.day(refit.get('night'))}." if refit.get("tags") else
                "What needs fits of its own is measured when a strategy is let through.")
    return [
        intervals(rows, label="Sharpe that each bias would have added"),
        caption(f"Sharpe a year that each carelessness would have added to {section.get('strategy')}, with the 95 % "
                f"interval of the paired difference; {words.plural(section.get('sessions'), 'session')}, "
                f"{words.span(section.get('first'), section.get('last'))}. ", " ".join(told)),
    ]
