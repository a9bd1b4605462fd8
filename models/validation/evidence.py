"""What a gate is given and what one question answers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Health:
    """What other steps found; `None` where a check did not run, which never counts as clean."""

    leak_clean: bool | None
    parity_clean: bool | None
    structure_clean: bool | None
    out_of_range: tuple[str, ...] = ()  # features that left the range seen in training
    missing: tuple[str, ...] = ()
    ledger_clean: bool | None = True  # every trial that was ever written down is still there
    words: tuple[str, ...] = ()  # what exactly was found, when something was
    drifted: tuple[str, ...] = ()  # features that have moved; a bar only where the policy says so


@dataclass(frozen=True)
class Evidence:
    """Judged returns, active: net of costs and cash, less beta times buy-and-hold. Columns are candidates."""

    names: tuple[str, ...]
    active: FloatArray  # (T, N)
    active_stressed: FloatArray  # (T,) of the chosen one, at `cost_stress` times the costs
    chosen: int
    champion_active: FloatArray | None  # (T,), NaN where it was not judged; None where nobody holds the slot
    trials_n: int  # of the ledger
    health: Health
    seed: int
    regimes: npt.NDArray[np.int32] | None = None  # (T,) believed on each session; None where nobody said


@dataclass(frozen=True)
class Check:
    name: str
    value: float | None
    threshold: float | None
    passed: bool
    plain: str
