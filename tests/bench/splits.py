"""Combinatorial splits by label life of 1,000,000 rows; beside them a mask by hand, and skfolio's on as many rows.

skfolio purges and embargoes a fixed number of rows; ours by each label's own life. So the peer does less.
"""

import json
import sys
from itertools import combinations

import numpy as np

from tests.bench.measure import Row, apart, peak_mb, peer, timed

ROWS, INSTANTS, LONGEST = 1_000_000, 400_000, 390
RUNS = 7


def lives() -> np.ndarray:
    """(ROWS, 2): several labels begin at one instant, and each lives as long as it happens to."""
    begin = np.sort(np.random.default_rng(1).integers(0, INSTANTS, ROWS))
    return np.stack([begin, begin + np.random.default_rng(2).integers(1, LONGEST, ROWS)], axis=1)


def ours() -> None:
    from models.combinatorial import CombinatorialPurgedValidator

    told, validator = lives(), CombinatorialPurgedValidator()
    took = timed(lambda: [(one.train, one.test) for one in validator.generate_splits(told)], runs=RUNS)
    trained = sum(len(one.train) for one in validator.generate_splits(told))
    print(json.dumps({"median_s": took.median_s, "cold_s": took.cold_s, "cpu": took.cpu_words, "trained": trained,
                      "peak_mb": peak_mb()}))


def by_hand(told: np.ndarray, groups: int = 6, tested: int = 2) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same rows by one mask a split, straight from the definition."""
    first, last = told[:, 0], told[:, 1]
    edges = np.array_split(np.arange(len(told)), groups)
    embargo = max((last - first).max(), int(np.ceil(0.01 * (first.max() - first.min() + 1))))
    made = []
    for chosen in combinations(range(groups), tested):
        kept = np.ones(len(told), bool)
        for group in chosen:
            block = edges[group]
            kept &= (first > last[block].max() + embargo) | (last < first[block].min())
        made.append((np.flatnonzero(kept), np.concatenate([edges[group] for group in chosen])))
    return made


def rows() -> list[Row]:
    mine = apart("splits")
    told = lives()
    plain = timed(lambda: by_hand(told), runs=3)
    assert sum(len(train) for train, _ in by_hand(told)) == mine["trained"]
    other = peer("skfolio112", "peers.skfolio_splits", str(ROWS), "3")
    note = f"15 splits, every row's train and test as arrays; {mine['cpu']}, by hand {plain.cpu_words}"
    if other:
        note += f"; {other['version']} with a fixed purge of {LONGEST} rows ({other['cpu']})"
    return [Row(f"splits/combinatorial(6,2) {ROWS} label lives", mine["median_s"], mine["cold_s"], "skfolio",
                other["median_s"] if other else None, plain.median_s, mine["peak_mb"], RUNS, note)]


if __name__ == "__main__":
    sys.exit(ours())
