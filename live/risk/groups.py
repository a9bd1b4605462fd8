"""Which names count as one position: of a class, of a sector, or moving together."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from live.risk.limits import Limits

MIN_SESSIONS = 20  # below this nothing is known of a correlation, and the name joins the unknown ones


def groups_of(
    limits: Limits, names: Sequence[str], symbols: Sequence[str], returns: NDArray[np.float64]
) -> dict[str, dict[str, str]]:
    """Kind of group, then instrument to its group; `returns` are daily, (sessions, names)."""
    if not limits.grouped:
        return {}
    found = {kind: {name: told.get(name, told.get(symbol, ""))
                    for name, symbol in zip(names, symbols, strict=True)}
             for kind, told in (("class", limits.classes), ("sector", limits.sectors))}
    groups = {kind: {name: group for name, group in of.items() if group} for kind, of in found.items()}
    groups["correlated"] = correlated(names, returns, limits.correlated_above)
    return groups


def correlated(names: Sequence[str], returns: NDArray[np.float64], above: float) -> dict[str, str]:
    """Groups joined by a chain of correlations (either sign) above a level; named after their first instrument."""
    known = np.isfinite(returns)
    usable = [int(index) for index in np.nonzero(known.sum(axis=0) >= MIN_SESSIONS)[0]]
    group = {index: index for index in usable}
    for place, one in enumerate(usable):
        for other in usable[place + 1 :]:
            if group[one] != group[other] and abs(_correlation(returns[:, one], returns[:, other])) > above:
                kept, gone = sorted((group[one], group[other]))
                group = {index: kept if of == gone else of for index, of in group.items()}
    return {names[index]: names[of] for index, of in group.items()}


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """0 where it is not defined: a name that never moves moves with no other."""
    both = np.isfinite(one) & np.isfinite(other)
    if int(both.sum()) < MIN_SESSIONS:
        return 0.0
    a, b = one[both] - one[both].mean(), other[both] - other[both].mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0


def mapping_of(groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Name to group, from a file's lists of names by group."""
    return {name: group for group, members in groups.items() for name in members}
