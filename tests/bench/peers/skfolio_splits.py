"""skfolio's CombinatorialPurgedCV, its purge a fixed number of rows. argv: ROWS RUNS."""

import json
import sys
from importlib.metadata import version

import numpy as np

from tests.bench.measure import peak_mb, timed

PURGED = 390


def main(count: int, runs: int) -> None:
    from skfolio.model_selection import CombinatorialPurgedCV

    values = np.zeros((count, 1))
    splitter = CombinatorialPurgedCV(n_folds=6, n_test_folds=2, purged_size=PURGED, embargo_size=count // 100)
    took = timed(lambda: list(splitter.split(values)), runs=runs)
    print(json.dumps({"version": f"skfolio {version('skfolio')}", "median_s": took.median_s, "cold_s": took.cold_s,
                      "peak_mb": peak_mb(), "cpu": took.cpu_words}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
