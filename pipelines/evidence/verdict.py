"""From judged returns to a verdict, and from a record back to the same verdict: one function for the night and for
whoever checks it years later."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.validation.gate import Evidence, GatePolicy, Health, Verdict, judge, judge_refresh
from pipelines.evidence import reserve
from pipelines.evidence.judged import RETURNS, TOLD, JudgedNight
from pipelines.evidence.records import Record, Records

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """What the gate was asked: which act, over which candidates, on how many trials."""

    attempted: str  # 'promote' or 'refresh'
    chosen: str  # key of the candidate
    judged: tuple[str, ...]  # keys of all that the search looked at, the chosen one among them
    trials_n: int
    seed: int


def champion_returns(champion: Record, night: JudgedNight) -> Floats:
    """The champion's active returns as its record has them, on tonight's sessions; NaN where it was not judged."""
    then = night_of(champion)
    aligned = np.full(len(night.sessions), np.nan)
    _, now_at, then_at = np.intersect1d(night.sessions, then.sessions, return_indices=True)
    aligned[now_at] = then.series["active"][then_at, then.column(champion.content["key"])]
    return aligned


def night_of(record: Record) -> JudgedNight:
    """The judged returns that a record names by digest."""
    return JudgedNight.from_files({name: record.evidence(name) for name in (RETURNS, TOLD)})


def evidence_of(question: Question, night: JudgedNight, champion: Record | None, health: Health) -> Evidence:
    """What the gate is shown."""
    columns = [night.column(key) for key in question.judged]
    chosen = night.column(question.chosen)
    return Evidence(
        names=tuple(night.candidates[at]["name"] for at in columns),
        active=np.ascontiguousarray(night.series["active"][:, columns]),
        active_stressed=np.ascontiguousarray(night.series["active_stressed"][:, chosen]),
        chosen=columns.index(chosen),
        champion_active=None if champion is None else champion_returns(champion, night),
        trials_n=question.trials_n, health=health, seed=question.seed,
        regimes=night.regimes if len(night.regimes) == len(night.sessions) else None)


def reach(question: Question, night: JudgedNight, champion: Record | None, health: Health,
          policy: GatePolicy) -> Verdict:
    evidence = evidence_of(question, night, champion, health)
    return judge(evidence, policy) if question.attempted == "promote" else judge_refresh(evidence, policy)


def recomputed(records: Records, record: Record) -> dict[str, Any]:
    """The verdict of a record, computed again from nothing but the record and the evidence it names."""
    content = record.content
    told = content["inputs"]
    parent = next((one for one in records.all() if one.content_digest == content["parent"]), None)
    question = Question(content["attempted"], content["key"], tuple(content["judged"]), content["ledger"]["n"],
                        told["seed"])
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in told["health"].items()}
    verdict = reach(question, night_of(record), parent, Health(**found), GatePolicy(**told["policy"]))
    if "reserve" in content:
        verdict = reserve.answer(verdict, content["reserve"], record.evidence(reserve.FILE))
    return plain_verdict(verdict)


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def plain_verdict(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON: what is not a number is null."""
    return {
        "act": verdict.act, "promoted": verdict.promoted, "reasons": list(verdict.reasons),
        "checks": [{"name": one.name, "value": _number(one.value), "threshold": _number(one.threshold),
                    "passed": one.passed, "plain": one.plain} for one in verdict.checks],
        "figures": {name: _number(value) for name, value in verdict.figures.items()},
        "smallest_visible_sharpe": {name: _number(value) for name, value in verdict.smallest_visible_sharpe.items()},
    }
