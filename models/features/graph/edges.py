"""The edges of one week: who is most alike, whose past helps to foretell whose next move. Rows known by then, no more.

Edges of sector are not drawn here: the network takes groups that a desk names (`groups` of its configuration).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.gnn.graph import correlation, listeners

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

WINDOW = 120  # returns
NEIGHBOURS = 10
ALIKE = 0.5  # residual correlation from which two names count as linked
MIN_PRESENT = 0.9
LAGS = 2  # two, as the F distribution of two restrictions has a quantile in closed form
SIGNIFICANCE = 0.01


@dataclass(frozen=True)
class Edges:
    """Of the active names only, in their order."""

    active: Mask  # (names,)
    likeness: Floats  # (active, active)
    hears: Mask  # i's most alike, i itself left out
    moves: Floats  # (active, WINDOW), a gap as no move

    @cached_property
    def leads(self) -> Mask:
        """[i, j]: j's past foretells i. Worked out for who asks: of a week that another is compared with, nobody."""
        return granger(self.moves, self.hears)

    @property
    def strength(self) -> Floats:
        """Mean likeness of each name to those it hears."""
        heard = np.maximum(self.hears.sum(axis=1), 1)
        mean: Floats = np.where(self.hears, self.likeness, 0.0).sum(axis=1) / heard
        return mean


def critical_f(observations: int) -> float:
    """F beyond which two further regressors are no accident: the survival of F(2, d) is (1 + 2 F / d) ** (-d / 2)."""
    left = observations - 2 * LAGS - 1
    return float(left / 2.0 * (SIGNIFICANCE ** (-2.0 / left) - 1.0))


def _less(values: Floats, base: list[Floats]) -> Floats:
    """What is left of the values beside directions of length one, at right angles to each other."""
    for direction in base:
        values = values - (values * direction).sum(axis=-1, keepdims=True) * direction
    return values


def _unit(values: Floats) -> Floats:
    length = np.sqrt((values * values).sum(axis=-1, keepdims=True))
    unit: Floats = values / np.where(length > 1e-12, length, np.inf)
    return unit


def granger(moves: Floats, hears: Mask) -> Mask:
    """For each name i and each j that it hears: do j's last two moves explain i beyond i's own?

    `moves` is (names, sessions). Least squares by orthogonal steps: what i's own lags leave of i, against what they
    leave of j's.
    """
    names, count = moves.shape
    leads = np.zeros((names, names), dtype=bool)
    listener, heard = np.nonzero(hears)
    if not len(listener) or count <= 3 * LAGS + 2:
        return leads

    def lag(rows: Floats, by: int) -> Floats:
        return np.ascontiguousarray(rows[:, LAGS - by : count - by])

    one = _unit(np.ones((1, count - LAGS)))
    own_1 = _unit(_less(lag(moves, 1), [one]))
    own = [one, own_1, _unit(_less(lag(moves, 2), [one, own_1]))]
    target = _less(lag(moves, 0), own)[listener]
    base = [own[0], own[1][listener], own[2][listener]]
    other_1 = _unit(_less(lag(moves, 1)[heard], base))
    other_2 = _unit(_less(lag(moves, 2)[heard], [*base, other_1]))
    explained = (target * other_1).sum(axis=-1) ** 2 + (target * other_2).sum(axis=-1) ** 2
    left = (target * target).sum(axis=-1) - explained
    freedom = count - LAGS - 2 * LAGS - 1
    found = (left > 0.0) & (explained / LAGS * freedom > critical_f(count - LAGS) * left)
    leads[listener[found], heard[found]] = True
    return leads


def week_edges(prices: Floats) -> Edges:
    """Edges out of a week's closes (names, WINDOW + 1), total return; a name needs nine tenths of them and the last."""
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = prices[:, 1:] / prices[:, :-1] - 1.0
    known = np.isfinite(moves)
    active = (known.sum(axis=1) >= MIN_PRESENT * moves.shape[1]) & known[:, -1]
    kept = np.ascontiguousarray(moves[active])
    if not len(kept):
        nothing = np.zeros((0, 0))
        return Edges(active, nothing, nothing.astype(bool), kept)
    likeness = correlation(np.ascontiguousarray(kept.T))
    hears = listeners(likeness, NEIGHBOURS)
    np.fill_diagonal(hears, False)
    return Edges(active, likeness, hears, np.where(np.isfinite(kept), kept, 0.0))
