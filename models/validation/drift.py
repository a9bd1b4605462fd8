"""How far a window's values have moved from those before it, and how often calm data move so far by themselves.

Fixed bands and the chi-square law alarm on calm data, because names and neighbouring sessions move together. So the
null is the data's own: the same figure for every earlier window of the same length, behind a reference of the same
length.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.validation.divergence import kullback_leibler

Floats = NDArray[np.float64]
BINS = 10
FIGURES = ("psi", "kl", "shift")
REFERENCE_SESSIONS = 252
STEPS_A_WINDOW = 4  # past windows overlap: so many begin within the length of one
WISHED_WINDOWS = 10
FEWEST_WINDOWS = 3.0  # that do not overlap, below which the past says nothing of what is usual
SMALLEST = 1e-12


def stability_index(reference_share: Floats, current_share: Floats) -> float:
    """Sum of (q - p) ln(q / p) over bins; empty bins must have been smoothed."""
    return float(((current_share - reference_share) * np.log(current_share / reference_share)).sum())


def edges_of(reference: Floats, bins: int = BINS) -> Floats:
    """Inner edges of equally filled bins of the finite reference values. A value that would fill several is a bin of
    its own: a flag that was never set, and is, has left it."""
    known = reference[np.isfinite(reference)]
    edges, count = np.unique(np.quantile(known, np.linspace(0.0, 1.0, bins + 1)[1:-1]), return_counts=True)
    return np.unique(np.concatenate([edges, np.nextafter(edges[count > 1], np.inf)]))


def shares(values: Floats, edges: Floats) -> Floats:
    """Share of the finite values in each bin, half a value added to each so that none is empty."""
    known = values[np.isfinite(values)]
    count = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1) + 0.5
    share: Floats = count / count.sum()
    return share


def population_stability(reference: Floats, current: Floats, bins: int = BINS) -> float:
    """PSI of the current values against bins cut on the reference; NaN when either holds no finite value."""
    return stability_and_divergence(reference, current, bins)[0]


def stability_and_divergence(reference: Floats, current: Floats, bins: int = BINS) -> tuple[float, float]:
    """PSI, and the KL divergence of the current values from the reference's: what believing the old ones now costs."""
    if not np.isfinite(reference).any() or not np.isfinite(current).any():
        return float("nan"), float("nan")
    edges = edges_of(reference, bins)
    before, now = shares(reference, edges), shares(current, edges)
    return stability_index(before, now), kullback_leibler(now, before)


def shift(reference: Floats, current: Floats) -> float:
    """How far the mean has moved, in standard deviations of the reference; its sign says where to."""
    before, now = reference[np.isfinite(reference)], current[np.isfinite(current)]
    if len(before) < 2 or not len(now):
        return float("nan")
    spread, mean = float(before.std(ddof=1)), float(before.mean())
    still = SMALLEST * max(1e-300, abs(mean))  # what rounding makes of values that are all alike
    return (float(now.mean()) - mean) / spread if spread > still else float("nan")


@dataclass(frozen=True)
class Moved:
    """A figure of the newest window beside what calm windows reach by themselves."""

    value: float
    level: float  # the past's 99 % quantile: one calm window in a hundred lies beyond
    p_value: float  # that a calm window lies as far out
    windows: float  # of the past that do not overlap: how much the level is worth


UNKNOWN = Moved(float("nan"), float("nan"), float("nan"), 0.0)


def reference_sessions(sessions: int, window: int) -> int:
    """A year before the window; less, down to two windows, where so much would leave too little past."""
    return int(np.clip(sessions - WISHED_WINDOWS * window, 2 * window, REFERENCE_SESSIONS))


def windows_of(sessions: int, window: int) -> tuple[list[int], float]:
    """(first rows of every past window and of the newest, how many of the past would not overlap)."""
    length, last = reference_sessions(sessions, window), sessions - window
    if last < length:
        return [], 0.0
    begins = list(range(length, last - window + 1, max(1, window // STEPS_A_WINDOW)))
    return [*begins, last], max(0.0, 1.0 + (last - window - length) / window)


def moved(values: Floats, window: int) -> dict[str, Moved]:
    """PSI, KL and the shift of the mean of the newest `window` rows of `values` (sessions, …) against those before."""
    begins, windows = windows_of(len(values), window)
    if windows < FEWEST_WINDOWS:
        return dict.fromkeys(FIGURES, UNKNOWN)
    length = reference_sessions(len(values), window)
    told = []
    for begin in begins:
        before, now = values[begin - length : begin].ravel(), values[begin : begin + window].ravel()
        told.append((*stability_and_divergence(before, now), shift(before, now)))
    return {name: unusual(column[:-1], float(column[-1]), windows, signed=name == "shift")
            for name, column in zip(FIGURES, np.array(told).T, strict=True)}


def unusual(past: Floats, now: float, windows: float, *, signed: bool = False) -> Moved:
    """How unusual `now` is among the same figure of the past, of which `windows` would not overlap.

    A few years hold only a handful of such windows, too few to read a 99 % quantile off. So the past figures' mean and
    spread (of their logarithms, unless the figure is `signed`) carry it further, as a forecast of one more of them:
    Student's t with as many degrees of freedom as there are such windows, less one."""
    past = past[np.isfinite(past)]
    if not np.isfinite(now) or len(past) < 2 * FEWEST_WINDOWS:
        return Moved(now, float("nan"), float("nan"), windows)
    on = past if signed else np.log(np.maximum(past, SMALLEST))
    mean, freedom = float(on.mean()), windows - 1.0
    spread = max(float(on.std()) * float(np.sqrt((windows + 1.0) / freedom)), SMALLEST)
    if signed:
        level = abs(mean) + t_quantile(0.995, freedom) * spread
        return Moved(now, level, min(1.0, 2.0 * t_tail(abs(now - mean) / spread, freedom)), windows)
    distance = (float(np.log(max(now, SMALLEST))) - mean) / spread
    return Moved(now, float(np.exp(mean + t_quantile(0.99, freedom) * spread)), t_tail(distance, freedom), windows)


def t_tail(distance: float, freedom: float) -> float:
    """Chance that Student's t exceeds `distance`."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -distance))


def t_quantile(share: float, freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def any_of(*figures: Moved) -> float:
    """Chance that calm data move so far by one of several figures, however they hang together."""
    known = [one.p_value for one in figures if np.isfinite(one.p_value)]
    return min(1.0, len(known) * min(known)) if known else float("nan")


def out_of_range(reference: Floats, current: Floats) -> float:
    """Share of the current finite values outside the range that the reference spans."""
    known, now = reference[np.isfinite(reference)], current[np.isfinite(current)]
    if not len(known) or not len(now):
        return float("nan")
    return float(((now < known.min()) | (now > known.max())).mean())
