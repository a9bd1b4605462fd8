"""Hansen's test of superior predictive ability: is the best candidate better than a benchmark beyond luck?"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BLOCK_SESSIONS = 10
RESAMPLES = 1000


def spa_p_value(candidates: FloatArray, benchmark: FloatArray, *, seed: int, resamples: int = RESAMPLES) -> float:
    """`candidates` (T, N) and `benchmark` (T,) are returns. The 'consistent' p-value of a studentised stationary
    bootstrap; 1.0 where no candidate differs from the benchmark at all."""
    from arch.bootstrap import SPA

    differs = np.ptp(candidates - benchmark[:, None], axis=0) > 0.0
    if not differs.any():
        return 1.0
    test = SPA(-benchmark, -candidates[:, differs], block_size=BLOCK_SESSIONS, reps=resamples, seed=seed)
    test.compute()
    return float(test.pvalues["consistent"])
