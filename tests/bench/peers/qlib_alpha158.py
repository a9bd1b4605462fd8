"""Qlib's own Alpha158 handler on the bench's panel. argv: FOLDER PROCESSES FILE NAMES.

Caches off, no processors; one run, as its calls keep nothing from one to the next and take a minute or two each. The
values of the first NAMES names go to FILE, (names, sessions, columns), for whoever wants to compare.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.measure import peak_mb, timed
from tests.bench.peers import qlib_store


def main(folder: Path, processes: int, into: Path, names: int) -> None:
    import qlib

    qlib_store.start(folder, processes)
    days = (folder / "calendars" / "day.txt").read_text().split()
    told: list[Any] = []
    took = timed(lambda: told.append(qlib_store.alpha158(days[0], days[-1])), runs=0)
    frame = told[0]
    some = sorted(frame.index.get_level_values("instrument").unique())[:names]
    np.save(into, np.stack([frame.xs(name, level="instrument").to_numpy(dtype=np.float32) for name in some]))
    print(json.dumps({"version": f"qlib {qlib.__version__}", "median_s": took.cold_s, "cold_s": took.cold_s, "runs": 1,
                      "peak_mb": peak_mb(), "columns": list(frame.columns)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
