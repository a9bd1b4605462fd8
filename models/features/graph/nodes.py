"""What the week's edges say of a name: how bound it is, where its neighbours went, who leads it, what has changed."""

import numpy as np

from models.features.feature import FloatArray
from models.features.graph.edges import ALIKE, WINDOW, Edges, week_edges

MONTH = 20  # sessions between the two graphs that a rotation compares
WEEK = 5  # no week has more sessions
LOOK_BACK = WINDOW + 1 + MONTH + WEEK
INPUTS = ("close_tr", "week")


def _week_begins(weeks: FloatArray) -> int:
    """Place of the first session of the last session's week; one without a bar belongs to the week before it."""
    told = np.where(np.isfinite(weeks).any(axis=1), np.fmax.reduce(weeks, axis=1), -np.inf)
    return int(np.searchsorted(np.maximum.accumulate(told), told.max()))


def _spread(edges: Edges, values: FloatArray) -> FloatArray:
    """Values of the active names on the axis of all."""
    wide = np.full(len(edges.active), np.nan)
    wide[edges.active] = values
    return wide


def _mean_over(mask: np.ndarray, values: FloatArray) -> FloatArray:
    """Mean of the finite values that each row of the mask picks; NaN where it picks none."""
    picked = mask & np.isfinite(values)
    count = picked.sum(axis=1)
    return np.where(count > 0, np.where(picked, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _kept(now: Edges, then: Edges) -> FloatArray:
    """Share of those whom a name hears now that it did not hear then."""
    size = len(now.active)
    heard = np.zeros((2, size, size), dtype=bool)
    for which, edges in enumerate((now, then)):
        heard[which][np.ix_(edges.active, edges.active)] = edges.hears
    count = heard[0].sum(axis=1)
    new = (heard[0] & ~heard[1]).sum(axis=1) / np.maximum(count, 1)
    return np.where(now.active & then.active & (count > 0), new, np.nan)


def _nodes(now: Edges, then: Edges, day: FloatArray, week: FloatArray) -> dict[str, FloatArray]:
    """Every feature of one session; `day` and `week` are the returns of all names up to it."""
    others = max(int(now.active.sum()) - 1, 1)
    near = _mean_over(now.hears, week[now.active])
    linked = (now.likeness > ALIKE).sum(axis=1) - (np.diag(now.likeness) > ALIKE)
    heard = np.maximum(now.hears.sum(axis=1), 1)
    return {
        "graph_degree": _spread(now, linked / others),
        "graph_in_degree": _spread(now, now.hears.sum(axis=0) / others),
        "graph_strength": _spread(now, now.strength),
        "neighbour_ret_1": _spread(now, _mean_over(now.hears, day[now.active])),
        "neighbour_ret_5": _spread(now, near),
        "neighbour_gap_5": _spread(now, near) - week,
        "granger_led_share": _spread(now, now.leads.sum(axis=1) / heard),
        "granger_lead_share": _spread(now, now.leads.sum(axis=0) / others),
        "leader_ret_1": _spread(now, _mean_over(now.leads, day[now.active])),
        "graph_turnover_20": _kept(now, then),
        "correlation_rotation_20": _spread(now, now.strength) - _spread(then, then.strength),
    }


def fill(close_tr: FloatArray, week: FloatArray, into: dict[str, FloatArray]) -> None:
    """All sessions that have the look-back. A week's edges are drawn once, from closes before its first session."""
    drawn: dict[int, Edges] = {}
    for column in into.values():
        column[...] = np.nan

    def edges(end: int) -> Edges:
        if end not in drawn:
            drawn[end] = week_edges(np.ascontiguousarray(close_tr[end - WINDOW - 1 : end].T))
        return drawn[end]

    for row, last in enumerate(range(LOOK_BACK - 1, len(close_tr))):
        first = last - LOOK_BACK + 1
        begins = first + _week_begins(week[first : last + 1])
        if last - begins >= WEEK:  # bars are missing for so long that nobody knows what week it is
            continue
        today = close_tr[last]
        found = _nodes(edges(begins), edges(begins - MONTH), today / close_tr[last - 1] - 1.0,
                       today / close_tr[last - WEEK] - 1.0)  # fmt: skip
        for name, values in found.items():
            into[name][row] = np.where(np.isfinite(today), values, np.nan)
