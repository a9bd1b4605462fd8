"""Where the gate looks tonight."""

import datetime as dt
import hashlib

import numpy as np

from pipelines.store.frame import decision_time

RECENT_SESSIONS = 30  # chains and ticks reach back so far: half of the decisions come from these


def chance_of(*told: object) -> np.random.Generator:
    """A generator that these determine, whatever the process or the machine."""
    drawn = hashlib.sha256("|".join(map(str, told)).encode()).digest()
    return np.random.default_rng(int.from_bytes(drawn[:8], "big"))


def sample_decisions(days: list[dt.date], *, seed: int, count: int) -> list[dt.datetime]:
    """Decision times drawn by seed and date: another night looks elsewhere, the same night looks again."""
    if not days:
        return []
    rng = chance_of("leak", seed, days[-1])
    recent = days[-RECENT_SESSIONS:]
    picks = [(recent if n % 2 == 0 else days)[int(rng.integers(len(recent if n % 2 == 0 else days)))]
             for n in range(count)]  # fmt: skip
    return sorted({decision_time(day) for day in picks})
