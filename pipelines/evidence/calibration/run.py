"""All questions of a calibration, a file each, so that it may be stopped anywhere and taken up again."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from models.validation import nulls
from models.validation.policy import GatePolicy
from pipelines import durable
from pipelines.evidence.calibration import units
from pipelines.progress import say

RESULT, PICTURE = "calibration.json", "calibration.svg"
MOST_FALSE_SHARE, MOST_FALSE_YEARS_SHARE = 10 / 1000, 12 / 200
LEAST_OF_DSR, WHERE_DSR_SEES = 0.90, 0.20


@dataclass(frozen=True)
class Unit:
    """One question: `asks` identifies it, the policy and the seed are those of its folder."""

    asks: dict[str, Any]
    answer: Callable[[], dict[str, Any]]

    @property
    def name(self) -> str:
        return "-".join(str(value) for key, value in self.asks.items() if key not in ("markets", "years"))


def questions(policy: GatePolicy, seed: int, markets: int, years: int) -> Iterator[Unit]:
    for family in nulls.FAMILIES:
        for correlation in units.CORRELATIONS:
            yield Unit({"kind": "night", "family": family, "correlation": correlation, "markets": markets},
                       partial(units.null_night, policy, seed, family, correlation, markets))
    for family in nulls.FAMILIES:
        yield Unit({"kind": "year", "family": family, "years": years},
                   partial(units.null_year, policy, seed, family, years))
    planted = max(1, markets // 10)
    for skilled in units.SKILLED:
        for correlation in units.CORRELATIONS:
            for sharpe in units.SHARPES:
                yield Unit({"kind": "power", "skilled": skilled, "correlation": correlation, "sharpe": sharpe,
                            "markets": planted},
                           partial(units.planted_night, policy, seed, skilled, correlation, sharpe, planted))
    for sharpe in (0.0, 1.5, 3.0):
        yield Unit({"kind": "paper", "sharpe": sharpe}, partial(units.paper_month, seed, sharpe))


def _answered(folder: Path, unit: Unit) -> dict[str, Any]:
    """The answer of before, if it was to this very question; else a new one."""
    path = folder / f"{unit.name}.json"
    if path.exists():
        told: dict[str, Any] = json.loads(path.read_text())
        if unit.asks.items() <= told.items():
            return told
    begun = time.perf_counter()
    told = {**unit.asks, **unit.answer(), "seconds": round(time.perf_counter() - begun, 2)}
    durable.write_json(path, told, failpoint="calibration")
    return told


def upper_bound(found: int, asked: int) -> float:
    """One-sided 95 % Clopper-Pearson bound on a share."""
    from scipy.stats import beta

    return 1.0 if found >= asked else float(beta.ppf(0.95, found + 1, asked - found))


def calibrate(folder: Path, policy: GatePolicy, seed: int, markets: int, years: int) -> dict[str, Any]:
    """Ask every question, write table and picture into the folder of this policy and seed, and return the table."""
    place = folder / f"{policy.name}-{policy.digest()[:12]}-{seed}"
    asked = list(questions(policy, seed, markets, years))
    answers: list[dict[str, Any]] = []
    for number, unit in enumerate(asked, 1):
        told = _answered(place, unit)
        of = told.get("markets") or told.get("years") or told.get("months")
        say(f"  {number:3}/{len(asked)}  {unit.name:40} {told.get('promoted', told.get('passed')):5} of {of}"
            f"  ({told['seconds']:.1f} s)")
        answers.append(told)
    result = {"policy": policy.told(), "policy_digest": policy.digest(), "seed": seed,
              "sessions": units.ROWS, "candidates": units.COLUMNS, "nights": units.NIGHTS,
              **{kind: [_bounded(one) for one in answers if one["kind"] == kind]
                 for kind in ("night", "year", "power", "paper")}}
    result["targets"] = targets(result)
    durable.write_json(place / RESULT, result, failpoint="calibration")
    from pipelines.evidence.calibration.picture import draw

    durable.write_atomic(place / PICTURE, draw(result), failpoint="calibration")
    return {**result, "folder": str(place)}


def _bounded(told: dict[str, Any]) -> dict[str, Any]:
    """With its bound, and without how long it took: that is of the machine, not of the gate."""
    kept = {key: value for key, value in told.items() if key not in ("kind", "seconds")}
    if told["kind"] in ("night", "year"):
        kept["bound"] = round(upper_bound(told["promoted"], told.get("markets") or told["years"]), 5)
    return kept


def _few_enough(found: int, asked: int, share: float) -> bool | None:
    """None where one single promotion would be more than the share: too few were asked to say."""
    return None if asked * share < 1.0 else found <= asked * share


def targets(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the gate was asked to reach, what it reached, and whether that is enough."""
    worst_night = max(result["night"], key=lambda one: one["promoted"] / one["markets"])
    worst_year = max(result["year"], key=lambda one: one["promoted"] / one["years"])
    seen = [one for one in result["power"] if one["dsr_alone"] >= WHERE_DSR_SEES * one["markets"]]
    kept = {skilled: min((one["promoted"] / one["dsr_alone"] for one in seen if one["skilled"] == skilled),
                         default=None) for skilled in units.SKILLED}
    return {
        "night": {"worst": worst_night["promoted"], "of": worst_night["markets"], "where": worst_night["family"],
                  "reached": _few_enough(worst_night["promoted"], worst_night["markets"], MOST_FALSE_SHARE)},
        "year": {"worst": worst_year["promoted"], "of": worst_year["years"], "where": worst_year["family"],
                 "reached": _few_enough(worst_year["promoted"], worst_year["years"], MOST_FALSE_YEARS_SHARE)},
        **{f"power_{skilled}": {"least_of_dsr": None if share is None else round(share, 3),
                                "reached": share is not None and share >= LEAST_OF_DSR}
           for skilled, share in kept.items()},
    }
