"""How large the next position may be, for what the market is like and for how the last ones went."""

import math
from collections.abc import Mapping

from live.risk.limits import Limits
from live.risk.memory import Memory

LEAST_RESULTS = 5  # fewer say nothing
LEAST, MOST = 0.3, 2.0


def regime_scale(scales: Mapping[str, float], regime: Mapping[str, float]) -> float:
    """Each state's scale by its probability; a state without one, and what no state has, count whole."""
    return 1.0 + math.fsum(share * (scales[state] - 1.0) for state, share in regime.items() if state in scales)


def performance_scale(memory: Memory) -> float:
    """What recent results won over what they lost, no less than 0.3 and no more than 2; 1 while there are too few."""
    if len(memory.results) < LEAST_RESULTS:
        return 1.0
    won = math.fsum(one for one in memory.results if one > 0)
    lost = -math.fsum(one for one in memory.results if one < 0)
    return min(MOST, max(LEAST, won / lost)) if lost > 0 else MOST if won > 0 else 1.0


def size_scale(limits: Limits, memory: Memory, regime: Mapping[str, float]) -> float:
    """1 unless the limits ask for it. Hard limits stand behind it all the same."""
    if not limits.adaptive_sizing:
        return 1.0
    return regime_scale(limits.regime_scales, regime) * performance_scale(memory)
