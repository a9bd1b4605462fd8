"""One large order as many small ones: evenly over time, or as the session's volume usually comes."""

import math
from collections.abc import Sequence


def portions(quantity: int, weights: Sequence[float]) -> list[int]:
    """Whole shares in proportion to weights; they sum to the quantity exactly, and none has the other sign."""
    total = math.fsum(weights)
    if not weights or not total > 0 or min(weights) < 0:
        raise ValueError("slices need weights that are not negative, one of them positive")
    side, whole = (1 if quantity > 0 else -1), abs(quantity)
    exact = [whole * weight / total for weight in weights]
    parts = [math.floor(share) for share in exact]
    by_rest = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_rest[: whole - sum(parts)]:
        parts[index] += 1
    return [side * part for part in parts]


def twap(quantity: int, minutes: int) -> list[int]:
    """The same every minute."""
    return portions(quantity, [1.0] * minutes)


def vwap(quantity: int, minutes: int, begun: float, session_minutes: int) -> list[int]:
    """As volume comes: `begun` minutes into a session of so many. Most trades at its ends, least at its middle."""
    return portions(quantity, [usual_volume((begun + minute + 0.5) / session_minutes) for minute in range(minutes)])


def usual_volume(share: float) -> float:
    """How busy a part of the session is beside its middle (1): the U that equity volume draws, about 4 at the ends."""
    return 1.0 + 3.0 * (2.0 * min(max(share, 0.0), 1.0) - 1.0) ** 2
