"""Many markets' skills as one table: a mean with its one-sided bound where there is none to be had, growth where there
is."""

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from models.validation.multiple import holm
from pipelines.evidence.calibration.run import upper_bound

LEVEL = 0.05
OWN_BAR = 1.6448536269514722  # a market's own t-value that luck exceeds in one of twenty


@dataclass(frozen=True)
class Cell:
    """One family on markets of one kind. `p` is luck's chance of such a mean or more, `adjusted` the same among all
    null cells (Holm); `at_most` is the bound that the true mean skill stays below with 95 % confidence."""

    family: str
    kind: str
    strength: float
    markets: int
    mean: float
    at_most: float
    p: float
    above: int  # markets that show skill by their own t-value
    above_at_most: float
    adjusted: float | None = None
    right: bool = True


def _cell(family: str, kind: str, strength: float, skills: list[float], own: list[float]) -> Cell:
    from scipy import stats

    count, mean = len(skills), float(np.mean(skills))
    error = float(np.std(skills, ddof=1)) / np.sqrt(count)
    above = int((np.array(own) > OWN_BAR).sum())
    return Cell(family, kind, strength, count, mean, mean + float(stats.t.ppf(1.0 - LEVEL, count - 1)) * error,
                float(stats.t.sf(mean / error, count - 1)), above, upper_bound(above, count))


def judged(answers: list[dict[str, Any]]) -> list[Cell]:
    """A null cell is right unless its mean lies above chance, all of them counted; a planted one if there is more skill
    in it than in the cell of less strength before it."""

    def place(one: dict[str, Any]) -> tuple[str, str, float]:
        return one["family"], one["kind"], one["strength"]

    cells = []
    for told, group in groupby(sorted(answers, key=place), key=place):
        of = list(group)
        cells.append(_cell(*told, [one["skill"] for one in of], [one["t"] for one in of]))
    null = [one for one in cells if one.kind != "planted"]
    adjusted = dict(zip([id(one) for one in null], holm(np.array([one.p for one in null])), strict=True))
    done: list[Cell] = []
    for one in cells:
        if one.kind != "planted":
            chance = float(adjusted[id(one)])
            done.append(replace(one, adjusted=chance, right=chance > LEVEL))
            continue
        before = done[-1] if done and done[-1].family == one.family and done[-1].kind == "planted" else None
        # The planted effect is a reversal: what bets on momentum must lose the more, the more of it there is.
        sign = -1.0 if one.family == "momentum" else 1.0
        grows = before is None or sign * one.mean > sign * before.mean
        done.append(replace(one, right=grows))
    return done


def lines(cells: list[Cell]) -> list[str]:
    told = [f"{'family':9} {'markets':9} {'strength':>8} {'n':>4} {'mean skill':>10} {'at most':>8} {'Holm p':>7}  "
            "above by their own t"]
    for one in cells:
        chance = f"{one.adjusted:7.2f}" if one.adjusted is not None else " " * 7
        told.append(f"{one.family:9} {one.kind:9} {one.strength:8g} {one.markets:4} {one.mean:+10.4f} "
                    f"{one.at_most:+8.4f} {chance}  {one.above:3} (share at most {one.above_at_most:.1%})"
                    f"{'' if one.right else '  WRONG'}")
    return told


def extra(answers: list[dict[str, Any]], family: str, over: str) -> list[str]:
    """What one family shows beyond another on the very same markets, with its 95 % interval, kind by kind."""
    from scipy import stats

    of = {(one["family"], one["kind"], one["strength"], one["number"]): one["skill"] for one in answers}
    told = []
    for kind, strength in sorted({(kind, strength) for _, kind, strength, _ in of}):
        both = [(of[family, kind, strength, number], of[over, kind, strength, number]) for number in range(len(of))
                if (family, kind, strength, number) in of and (over, kind, strength, number) in of]
        if len(both) > 1:
            more = np.array([one - other for one, other in both])
            reach = float(stats.t.ppf(1.0 - LEVEL / 2.0, len(more) - 1) * more.std(ddof=1) / np.sqrt(len(more)))
            told.append(f"{family} over {over}, {kind} {strength:g}: {more.mean():+.4f} ± {reach:.4f} "
                        f"({len(more)} markets)")
    return told
