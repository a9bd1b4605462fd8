"""What vendors do wrong, on demand: a schedule says which answers are spoiled, how, and how many times."""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ALWAYS = 10**9
SLOW_PIECES = 5
HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>"
KINDS = {
    "429": "too many requests, without a word of when to come back",
    "429-after": "too many requests, with Retry-After",
    "5xx": "any of 500 to 599, by its number",
    "cut": "the connection ends within the body",
    "truncated": "a body that is short though its length says it is whole",
    "slow": "a body that trickles",
    "html": "a page for people, with status 200",
    "drift": "every field of every row under a new name",
    "malformed": "every fortieth row with words where a number belongs",
}
_RULE = re.compile(r"(?P<kind>[\w-]+)(@(?P<where>[^*,\s]+))?(\*(?P<times>\d+|always))?")


class BadSchedule(ValueError):
    """A schedule of faults that cannot be read."""


@dataclass(frozen=True)
class Rule:
    """Spoil the first `times` answers to each question in which `where` occurs."""

    kind: str
    where: str
    times: int

    @property
    def status(self) -> int | None:
        return int(self.kind[:3]) if self.kind[:3].isdecimal() else None


def parse(schedule: str) -> tuple[Rule, ...]:
    """`503@/grouped/*2, html@_SPX`: kind, part of the question (path, query and form), times for each question."""
    rules = []
    for text in filter(None, (part.strip() for part in schedule.split(","))):
        match = _RULE.fullmatch(text)
        kind = match["kind"] if match else ""
        if match is None or not (kind in KINDS or re.fullmatch(r"5\d\d", kind)):
            raise BadSchedule(f"fault '{text}' is not known: write KIND@PART*TIMES with one of {', '.join(KINDS)}")
        times = match["times"] or "1"
        rules.append(Rule(kind, match["where"] or "", ALWAYS if times == "always" else int(times)))
    return tuple(rules)


class Faults:
    """Counts by question, not by time, so that threads change nothing about who is hit."""

    def __init__(self, schedule: str = "") -> None:
        self._rules = parse(schedule)
        self._done: Counter[tuple[int, str]] = Counter()
        self._lock = threading.Lock()

    def next(self, question: str) -> Rule | None:
        """What to do wrong with this answer, if anything; the first rule that is not used up."""
        with self._lock:
            for place, rule in enumerate(self._rules):
                if rule.where in question and self._done[place, question] < rule.times:
                    self._done[place, question] += 1
                    return rule
        return None


def spoil(kind: str, body: bytes) -> bytes:
    """The body as this fault leaves it. Drift and malformed rows are for JSON; binary bodies pass them unharmed."""
    if kind == "html":
        return HTML
    if kind == "truncated":
        return body[: len(body) // 2]
    if kind == "drift":
        return _each_row(body, lambda place, row: {f"{name}_v2": value for name, value in row.items()})
    if kind == "malformed":
        return _each_row(body, lambda place, row: _with_words(row) if place % 40 == 0 else row)
    return body


def _with_words(row: dict[str, Any]) -> dict[str, Any]:
    return {name: "n/a" if type(value) in (int, float) else value for name, value in row.items()}


def _each_row(body: bytes, change: Callable[[int, dict[str, Any]], dict[str, Any]]) -> bytes:
    try:
        document = json.loads(body)
    except ValueError:
        return body
    holder = document.get("data", document)
    for name in ("results", "options"):
        if isinstance(holder.get(name), list):
            holder[name] = [change(place, row) for place, row in enumerate(holder[name])]
    return json.dumps(document).encode()
