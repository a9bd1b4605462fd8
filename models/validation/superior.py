"""Hansen's test of superior predictive ability: is the best candidate better than a benchmark beyond luck?"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BLOCK_SESSIONS = 10
RESAMPLES = 1000


def spa_p_value(candidates: FloatArray, benchmark: FloatArray, *, seed: int, resamples: int = RESAMPLES) -> float:
    """`candidates` (T, N) and `benchmark` (T,) are returns. The 'consistent' p-value of a stationary bootstrap; 1.0
    where no candidate differs from the benchmark at all.

    arch 8 uses each candidate's variance to tell who is hopeless, not to scale the maximum: one much wilder than the
    others would hide them. Candidates of one gross exposure, as a night's are, are of one scale already."""
    from arch.bootstrap import SPA

    differs = np.ptp(candidates - benchmark[:, None], axis=0) > 0.0
    if not differs.any():
        return 1.0
    test = SPA(-benchmark, -candidates[:, differs], block_size=BLOCK_SESSIONS, reps=resamples, seed=seed)
    test.compute()
    return float(test.pvalues["consistent"])


def reality_check_p_value(candidates: FloatArray, benchmark: FloatArray, *, seed: int,
                          resamples: int = RESAMPLES) -> float:
    """White's reality check, which stands beside and decides nothing: no hopeless candidate is left out, so that many
    of them cost the good ones their power."""
    from arch.bootstrap import RealityCheck

    differs = np.ptp(candidates - benchmark[:, None], axis=0) > 0.0
    if not differs.any():
        return 1.0
    test = RealityCheck(-benchmark, -candidates[:, differs], block_size=BLOCK_SESSIONS, reps=resamples, seed=seed)
    test.compute()
    return float(test.pvalues["upper"])


def mean_interval(returns: FloatArray, *, seed: int, confidence: float = 0.95, block: int = BLOCK_SESSIONS,
                  resamples: int = RESAMPLES) -> tuple[float, float]:
    """(low, high) of the mean return of one period: arch's stationary bootstrap, whose blocks keep what neighbouring
    sessions have in common; the basic interval."""
    from arch.bootstrap import StationaryBootstrap

    if len(returns) < 2 or np.ptp(returns) == 0.0:
        return (float("nan"), float("nan"))
    drawn = StationaryBootstrap(block, returns, seed=seed)
    low, high = drawn.conf_int(np.mean, reps=resamples, method="basic", size=confidence)[:, 0]
    return float(low), float(high)
