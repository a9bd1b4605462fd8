"""A finding as a sentence: what, of whom, since when, how it was seen, and what moved it. The same everywhere that a
refusal is told: the gate's reasons and its record, the checks, the report."""

from collections.abc import Mapping
from typing import Any

from pipelines.store.leak.compare import ROW

HOW = {
    "truncate": "changes when what was learnt after the decision is taken away",
    "scramble": "changes when what was learnt after the decision is dealt out otherwise",
    "extreme": "changes when what was learnt after the decision is blown up",
    "extreme outcomes": "changes when the outcomes that came after the decision are turned round",
    "clock audit": "bears another time than the facts that it is made of",
    "presence audit": "has a value where there is nothing to make it of",
    "interval audit": "was learnt from labels that overlap those it is judged on",
}


def subject(found: Mapping[str, Any]) -> str:
    """'ret_5 of BBG…'; of a whole row its table is named."""
    feature = str(found.get("feature"))
    if feature == ROW:
        feature = f"A row of {found['view']}" if found.get("view") else "A row"
    elif feature.startswith("("):
        feature = f"The cell {feature.strip('()')}"
    return f"{feature} of {found.get('entity') or 'every entity'}"


def because(found: Mapping[str, Any]) -> str:
    """Why it is refused, and what moved it: 'changes when …; moved by daily_bars.close'."""
    why = str(found.get("reason") or "") or HOW.get(str(found.get("detector")), "depends on what was only known later")
    return f"{why}; moved by {found['input']}" if found.get("input") else why


def in_words(found: Mapping[str, Any]) -> str:
    return f"{subject(found)}, first on {found.get('first_bad_time')}: {because(found)}."
