"""What our boosted fit costs over LightGBM alone on the same rows: preparation of inputs, callbacks, the text model.

LightGBM alone gets the prepared matrix; the same parameters, one thread each. Equal trees before a time is told.
"""

import json
import sys

import numpy as np

from tests.bench.measure import Row, apart, peak_mb

NAMES, SESSIONS, FEATURES, ROUNDS = 120, 504, 60, 100
RUNS = 7


def work(leaves: int) -> None:
    """Ours and LightGBM's in turn, so that whatever else the machine does meets both alike."""
    import time

    import lightgbm

    from models.features.panel import FeaturePanel
    from models.gbm import fit as ours
    from models.gbm.config import GbmConfig
    from models.labels import TrainingSet

    chance = np.random.default_rng(7)
    values = chance.standard_normal((SESSIONS, NAMES, FEATURES))
    values[chance.random(values.shape) < 0.01] = np.nan
    columns = tuple(f"equity_v1_f{i}" for i in range(FEATURES))
    days = np.datetime64("2023-01-02") + np.arange(SESSIONS)
    panel = FeaturePanel(days, tuple(f"n{i}" for i in range(NAMES)), columns, values, np.ones((SESSIONS, NAMES), bool))
    targets = 0.1 * np.nan_to_num(values[:, :, 0]) + chance.standard_normal((SESSIONS, NAMES))
    training = TrainingSet.cut(panel, targets, range(SESSIONS - 1))
    config = GbmConfig(features=columns[:50], context=columns[50:], rounds=ROUNDS, leaves=leaves)
    inputs, labels, _ = ours.rows_of(training, training.rows, config)
    parameters = ours.parameters(config, 1)

    def alone() -> bytes:
        data = lightgbm.Dataset(inputs, labels, params={"verbosity": -1, "num_threads": 1})
        return bytes(lightgbm.train(parameters, data, num_boost_round=ROUNDS).model_to_string().encode())

    def trees(told: bytes) -> bytes:
        return told.partition(b"\n\nTree=0\n")[2].partition(b"\nend of trees")[0]

    took: dict[str, list[float]] = {"ours": [], "alone": [], "ours_cpu": [], "alone_cpu": []}
    for _ in range(RUNS + 1):
        made = {}
        for name, call in (("ours", lambda: ours.fit(training, config, 1)), ("alone", alone)):
            start, used = time.perf_counter(), time.process_time()
            made[name] = call()
            took[name].append(time.perf_counter() - start)
            took[f"{name}_cpu"].append(time.process_time() - used)
        assert trees(made["ours"]) == trees(made["alone"]), "another model was fitted"
    print(json.dumps({"cold_s": took["ours"][0], "rows": len(labels), "peak_mb": peak_mb(),
                      "version": f"lightgbm {lightgbm.__version__}",
                      **{name: float(np.median(values[1:])) for name, values in took.items()}}))


def rows() -> list[Row]:
    told = []
    for leaves, what in ((3, "the house's three leaves"), (31, "31 leaves")):
        one = apart("lightgbm_overhead", str(leaves), OMP_NUM_THREADS="1")
        note = (f"{one['rows']:,} rows, {what}, one thread: {one['ours'] / one['alone'] - 1.0:+.1%} wall, "
                f"{one['ours_cpu'] / one['alone_cpu'] - 1.0:+.1%} CPU over {one['version']} alone "
                f"({one['ours_cpu']:.3g} and {one['alone_cpu']:.3g} s); equal trees")
        told.append(Row(f"lightgbm_overhead/{NAMES * SESSIONS}x{FEATURES}x{ROUNDS} {leaves} leaves", one["ours"],
                        one["cold_s"], "lightgbm alone", one["alone"], None, one["peak_mb"], RUNS, note))
    return told


if __name__ == "__main__":
    work(int(sys.argv[1]))
