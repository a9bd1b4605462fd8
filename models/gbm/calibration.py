"""Scores into probabilities that mean what they say: a curve of a few numbers, told in one line of the text model."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
KEY = "calibration"  # of the line in the text model's header, which LightGBM itself skips
EDGE = 1e-6


def _logit(probability: Floats) -> Floats:
    inside = np.clip(probability, EDGE, 1.0 - EDGE)
    odds: Floats = np.log(inside / (1.0 - inside))
    return odds


def _probability(odds: Floats) -> Floats:
    told: Floats = 0.5 * (1.0 + np.tanh(0.5 * odds))  # never overflows
    return told


@dataclass(frozen=True)
class Calibration:
    """platt: `numbers` are slope and offset of the log odds. isotonic: knots and their values, in turn."""

    kind: Literal["platt", "isotonic"]
    numbers: Floats

    def __call__(self, probability: Floats) -> Floats:
        if self.kind == "platt":
            return _probability(self.numbers[0] * _logit(probability) + self.numbers[1])
        return np.interp(probability, self.numbers[0::2], self.numbers[1::2])

    def line(self) -> str:
        return f"{KEY}={self.kind} " + " ".join(repr(float(number)) for number in self.numbers)

    @classmethod
    def parse(cls, value: str) -> "Calibration":
        """Of what stands behind `calibration=`; ValueError unless it is a curve that never falls."""
        kind, *rest = value.split()
        numbers = np.array([float(part) for part in rest])
        if not np.isfinite(numbers).all():
            raise ValueError("a calibration that is not finite")
        if kind == "platt" and len(numbers) == 2 and numbers[0] >= 0.0:
            return cls("platt", numbers)
        if kind == "isotonic" and len(numbers) >= 4 and len(numbers) % 2 == 0:
            knots, values = numbers[0::2], numbers[1::2]
            rising = (np.diff(knots) > 0.0).all() and (np.diff(values) >= 0.0).all()
            if rising and 0.0 <= values[0] and values[-1] <= 1.0:
                return cls("isotonic", numbers)
        raise ValueError(f"no calibration curve: {value[:40]!r}")


def fit(kind: str, probability: Floats, happened: Floats) -> Calibration:
    """The curve of this kind through what was said (rows,) and whether it happened (rows,), 0 or 1."""
    return _platt(probability, happened) if kind == "platt" else _isotonic(probability, happened)


def _platt(probability: Floats, happened: Floats) -> Calibration:
    """Newton's steps on the likelihood of Platt's softened targets; a slope below zero would turn the ranking over."""
    odds, yes = _logit(probability), float(happened.sum())
    no = len(happened) - yes
    target = np.where(happened > 0.5, (yes + 1.0) / (yes + 2.0), 1.0 / (no + 2.0))
    design = np.column_stack([odds, np.ones(len(odds))])
    share = float(target.mean())
    found = np.array([0.0, np.log(share / (1.0 - share))])
    for _ in range(50):
        said = _probability(design @ found)
        spread = np.maximum(said * (1.0 - said), 1e-12)
        curvature = (design * spread[:, None]).T @ design + 1e-9 * np.eye(2)
        move = np.linalg.solve(curvature, design.T @ (said - target))
        found = found - move
        if float(np.abs(move).max()) < 1e-10:
            break
    if found[0] < 0.0:
        found = np.array([0.0, np.log(share / (1.0 - share))])
    return Calibration("platt", found)


def _isotonic(probability: Floats, happened: Floats) -> Calibration:
    """Pool adjacent violators over distinct scores; each pool keeps its ends as knots."""
    scores, place = np.unique(probability, return_inverse=True)
    weight = np.bincount(place).astype(np.float64)
    mean = np.bincount(place, happened) / weight
    pools: list[list[float]] = []  # value, weight, first and last score
    for score, value, count in zip(scores, mean, weight, strict=True):
        pools.append([float(value), float(count), float(score), float(score)])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            later, before = pools.pop(), pools.pop()
            total = before[1] + later[1]
            pools.append([(before[0] * before[1] + later[0] * later[1]) / total, total, before[2], later[3]])
    knots: list[float] = []
    for value, _, first, last in pools:
        knots += [first, value] if first == last else [first, value, last, value]
    if len(knots) == 2:  # a single score: the curve is flat around it
        knots = [knots[0] - EDGE, knots[1], *knots]
    return Calibration("isotonic", np.array(knots))
