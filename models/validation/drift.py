"""Population stability: how far a window's values have moved over the bins of a reference, and how far is unusual."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 10


def stability_index(reference_share: Floats, current_share: Floats) -> float:
    """Sum of (q - p) ln(q / p) over bins; empty bins must have been smoothed."""
    return float(((current_share - reference_share) * np.log(current_share / reference_share)).sum())


def edges_of(reference: Floats, bins: int = BINS) -> Floats:
    """Inner edges of equally filled bins of the finite reference values; fewer where values repeat."""
    known = reference[np.isfinite(reference)]
    return np.unique(np.quantile(known, np.linspace(0.0, 1.0, bins + 1)[1:-1]))


def shares(values: Floats, edges: Floats) -> Floats:
    """Share of the finite values in each bin, half a value added to each so that none is empty."""
    known = values[np.isfinite(values)]
    count = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1) + 0.5
    share: Floats = count / count.sum()
    return share


def population_stability(reference: Floats, current: Floats, bins: int = BINS) -> float:
    """PSI of the current values against bins cut on the reference; NaN when either holds no finite value."""
    if not np.isfinite(reference).any() or not np.isfinite(current).any():
        return float("nan")
    edges = edges_of(reference, bins)
    return stability_index(shares(reference, edges), shares(current, edges))


def unusual_level(reference: Floats, window: int, deviations: float = 3.0) -> float:
    """What PSI hardly ever reaches by itself, from windows of the reference, each against the rest of it.

    Fixed bands and the chi-square law both alarm on calm data, because names and neighbouring sessions move together.
    A few years hold only a dozen windows that do not overlap, too few for a 99 % quantile of their own: their
    logarithms' mean and spread carry it further. `reference` is (sessions, names); `window` counts sessions."""
    sessions = len(reference)
    if sessions < 3 * window:
        return float("nan")
    calm = []
    for begin in range(0, sessions - window + 1, max(1, window // 6)):
        inside = reference[begin : begin + window]
        outside = np.concatenate([reference[:begin], reference[begin + window :]])
        calm.append(population_stability(outside.ravel(), inside.ravel()))
    known = np.array([value for value in calm if np.isfinite(value) and value > 0.0])
    if len(known) < 6:
        return float("nan")
    logs = np.log(known)
    return float(np.exp(logs.mean() + deviations * logs.std()))


def out_of_range(reference: Floats, current: Floats) -> float:
    """Share of the current finite values outside the range that the reference spans."""
    known, now = reference[np.isfinite(reference)], current[np.isfinite(current)]
    if not len(known) or not len(now):
        return float("nan")
    return float(((now < known.min()) | (now > known.max())).mean())
