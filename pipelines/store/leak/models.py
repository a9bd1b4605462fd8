"""The leak gate over models: learn again from nothing but what was known at a decision, and every bit of what had been
said by then must stand.

A frozen model passes any test of its features although it was fitted on the future; so what is changed here is the
knowledge, and the fits are done again. A learner is anything that, given knowledge and a decision, says what it says:

    leak.model_check(leak.Walk("gbm", config), known, decisions, seed=7)

Three variants, as for features: what was learnt later is deleted, dealt out again, or blown up. What moved is named
with its first bad session, and so is the input that moved it, which tells what is wrong.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.splits import Split, purged
from pipelines.store.leak.facts import VARIANTS, Variant

Floats = NDArray[np.float64]
Part = Literal["outcomes", "unfinished labels", "features", "names"]
PARTS: tuple[Part, ...] = get_args(Part)  # in the order in which they are blamed: the worse first


@dataclass(frozen=True)
class Known:
    """What there is to learn from: decisions with their features, and returns from open to next open."""

    panel: FeaturePanel
    returns: Floats
    horizon: int  # opens that a label looks ahead


@dataclass(frozen=True)
class Told:
    """One thing that a learner says, and the decision at which it says it: a model's bytes, a score, a side."""

    what: str
    row: int
    value: bytes
    fitted: bool = False


class Learner(Protocol):
    def tell(self, known: Known, row: int) -> Iterable[Told]:
        """Everything said up to the decision at `row`, from what was known by then."""

    def splits(self, known: Known, row: int) -> Sequence[tuple[Split, NDArray[np.intp]]]:
        """What each fit up to `row` trained on and judged, and the lives of the labels it was given."""


@dataclass(frozen=True)
class ModelFinding:
    """What moved, since when, how it was seen, what moved it, and what that means."""

    what: str
    first_bad_time: str
    decision_time: str
    detector: str
    input: str
    reason: str

    def words(self) -> str:
        return f"{self.what}, first on {self.first_bad_time}: {self.reason} ({self.detector}; {self.input})."


def altered(known: Known, row: int, variant: Variant, chance: np.random.Generator,
            parts: Iterable[Part] = PARTS) -> Known:
    """Another future: what was not known at the decision at `row` deleted, dealt out again or blown up, all of it or
    these parts. Known are the features up to its row, and returns whose closing open lies before it."""
    panel, horizon = known.panel, known.horizon
    values, tradable, returns = panel.values.copy(), panel.tradable.copy(), known.returns.copy()
    begun = max(0, row - 1)  # the label of the session before is open until this session's own open
    spans = {"unfinished labels": slice(begun, begun + horizon), "outcomes": slice(begun + horizon, None)}
    for part in parts:
        if part == "features":
            values[row + 1 :] = _other(values[row + 1 :], variant, chance)
        elif part == "names":
            tradable[row + 1 :] = ~tradable[row + 1 :]
        else:
            returns[spans[part]] = _other(returns[spans[part]], variant, chance)
    if variant == "truncate" and {*PARTS} <= {*parts}:
        panel = panel.upto(row + 1)
        returns = returns[: row + 1]
        returns[begun:] = np.nan
        return Known(panel, returns, horizon)
    return Known(replace(panel, values=values, tradable=tradable), returns, horizon)


def _other(values: Floats, variant: Variant, chance: np.random.Generator) -> Floats:
    if variant == "truncate":
        return np.full(values.shape, np.nan)
    if variant == "scramble":
        return values[chance.permutation(len(values))][:, chance.permutation(values.shape[1])]
    known = values[np.isfinite(values)]
    return -7.0 * values + chance.standard_normal(values.shape) * (known.std() if len(known) else 0.0)


def model_check(learner: Learner, known: Known, decisions: Sequence[int], *, seed: int = 0,
                variants: Sequence[Variant] = VARIANTS) -> list[ModelFinding]:
    """One finding for each thing that moved; none, and no fit has seen a label that it should not, if all is well."""
    last = max(decisions)
    whole = {(one.what, one.row): one for one in learner.tell(known, last)}
    found = _unpurged(learner, known, last)
    named = {one.what for one in found}
    for row in sorted(decisions):
        for detector, other in _futures(known, row, seed, variants):
            moved = sorted((one for one in learner.tell(other, row) if _moved(whole, one)), key=lambda one: one.row)
            for first in moved:
                if first.what not in named:
                    named.add(first.what)
                    found.append(_finding(learner, known, first, row, detector, seed))
    return found


def _futures(known: Known, row: int, seed: int, variants: Sequence[Variant]) -> Iterator[tuple[str, Known]]:
    """All that comes later altered in each way; and outcomes alone turned round, so that whoever chose the best by them
    chooses the worst: a choice among few may well stand under any other change."""
    for variant in variants:
        yield variant, altered(known, row, variant, np.random.default_rng([seed, row, VARIANTS.index(variant)]))
    yield "extreme outcomes", altered(known, row, "extreme", np.random.default_rng([seed, row]), ("outcomes",))


def _moved(whole: dict[tuple[str, int], Told], one: Told) -> bool:
    held = whole.get((one.what, one.row))
    return held is None or held.value != one.value


def _unpurged(learner: Learner, known: Known, last: int) -> list[ModelFinding]:
    """The audit of intervals: no training label lives while a label of the sessions judged does."""
    found = []
    for split, lives in learner.splits(known, last):
        shared = len(split.train) - len(purged(split.train, split.test, lives))
        if shared and not found:
            day = str(known.panel.sessions[split.test[0]])
            found.append(ModelFinding(
                "training labels", day, day, "interval audit", "labels",
                f"{shared} training labels live while labels of the sessions judged do: they were not purged"))
    return found


def _finding(learner: Learner, known: Known, first: Told, row: int, detector: str, seed: int) -> ModelFinding:
    days = known.panel.sessions
    blamed, reason = _blame(learner, known, first, row, seed)
    return ModelFinding(first.what, str(days[first.row]), str(days[row]), detector, blamed, reason)


def _blame(learner: Learner, known: Known, first: Told, row: int, seed: int) -> tuple[str, str]:
    """The part of later knowledge that alone moves what was said by the decision at `row`."""
    def said(of: Known) -> dict[tuple[str, int], bytes]:
        return {(one.what, one.row): one.value for one in learner.tell(of, row)}

    place = (first.what, first.row)
    then = said(known)
    for part in PARTS:
        for variant in ("extreme", "scramble"):
            other = said(altered(known, row, variant, np.random.default_rng([seed, row]), (part,)))
            if other.get(place) != then.get(place):
                return f"{part} after {known.panel.sessions[row]}", _REASONS[part](first)
    return ("fits of later decisions",
            "what was said of a session is said otherwise by a model that was fitted on that session: not out of fold")


_REASONS: dict[Part, Callable[[Told], str]] = {
    "features": lambda one: (
        "fitted on features of sessions that came later: a scale, a selection or a parameter of the whole sample"
        if one.fitted else "made of sessions that came later: smoothed, or of the whole sample"),
    "names": lambda one: "knows which names would be tradable later",
    "outcomes": lambda one: (
        "fitted or chosen by the outcomes of the sessions that it is judged on" if one.fitted
        else "knows returns that came later"),
    "unfinished labels": lambda one: "fitted on labels that were not over yet: not purged" if one.fitted
    else "knows a return that was not over yet",
}
