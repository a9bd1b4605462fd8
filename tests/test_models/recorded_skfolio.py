"""What skfolio 1.12.2 makes of a hundred random inputs, written to `recorded/sharpe_statistics.json`.

It does not fit beside the night's plotly, so it is asked in an environment of its own, from the repository's root:

    uv venv /tmp/skfolio && uv pip install -p /tmp/skfolio/bin/python skfolio==1.12.2 numpy==2.4.6
    /tmp/skfolio/bin/python -m tests.test_models.recorded_skfolio

The tests import the inputs from here; only `main` needs skfolio.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

RECORDED = Path(__file__).parent / "recorded" / "sharpe_statistics.json"
SEEDS = range(100)


def inputs(seed):
    """(returns, benchmark, Sharpes of the trials) of one record; heavy tails, 30 to 723 periods, 10 to 109 trials."""
    rng = np.random.default_rng(seed)
    returns = 0.01 * np.tan(2.8 * (rng.random(30 + 7 * seed) - 0.5)) + 0.004 * (rng.random() - 0.5)
    return returns, 0.1 * (rng.random() - 0.5), 0.1 * (rng.random(10 + seed) - 0.5)


def search(seed):
    """(returns (T, N), blocks) of a search: 3 to 22 trials, some alike, some with skill; 4, 6 or 8 even blocks."""
    rng = np.random.default_rng([seed, 1])
    blocks, trials = int(rng.choice([4, 6, 8])), int(rng.integers(3, 23))
    rows = blocks * int(rng.integers(5, 30))
    common, own = rng.standard_normal((rows, 1)), rng.standard_normal((rows, trials))
    return 0.01 * (0.5 * common + own + 0.3 * rng.random(trials) * rng.random()), blocks


def folds(seed):
    """(rows, groups, test groups, purged rows) of one combinatorial validation, in even groups: what does not
    divide it deals out otherwise than we do."""
    rng = np.random.default_rng([seed, 2])
    groups = int(rng.integers(3, 9))
    return groups * int(rng.integers(12, 50)), groups, int(rng.integers(2, groups)), int(rng.integers(0, 6))


def told(trains):
    """Training rows of all splits as one digest."""
    return hashlib.sha256(json.dumps([[int(row) for row in train] for train in trains]).encode()).hexdigest()[:16]


def main():
    from skfolio.measures import (
        deflated_sharpe_ratio,
        expected_max_sharpe_ratio,
        mean,
        probabilistic_sharpe_ratio,
        standard_deviation,
    )
    from skfolio.model_selection import CombinatorialPurgedCV

    def overfit(returns, blocks):
        """CSCV over skfolio's own splits and measures: every choice of half the blocks tested on by the other half."""
        below, losses = [], []
        for _, tests in CombinatorialPurgedCV(blocks, blocks // 2, purged_size=0, embargo_size=0).split(returns):
            inside = np.concatenate(tests)
            outside = np.setdiff1d(np.arange(len(returns)), inside)
            picked = np.argmax(mean(returns[inside]) / standard_deviation(returns[inside]))
            sharpe = mean(returns[outside]) / standard_deviation(returns[outside])
            rank = (sharpe <= sharpe[picked]).sum() / (returns.shape[1] + 1)
            below.append(np.log(rank / (1.0 - rank)) <= 0.0)
            losses.append(sharpe[picked] <= 0.0)
        return float(np.mean(below)), float(np.mean(losses))

    kept = {name: [] for name in ("psr", "dsr", "expected_maximum", "pbo", "loss_probability", "combinatorial")}
    for seed in SEEDS:
        returns, benchmark, trials = inputs(seed)
        kept["psr"].append(probabilistic_sharpe_ratio(returns, benchmark))
        kept["dsr"].append(deflated_sharpe_ratio(returns, trials))
        kept["expected_maximum"].append(float(expected_max_sharpe_ratio(len(trials), float(np.std(trials, ddof=1)))))
        pbo, loss = overfit(*search(seed))
        kept["pbo"].append(pbo)
        kept["loss_probability"].append(loss)
        rows, groups, tested, purged = folds(seed)
        validator = CombinatorialPurgedCV(groups, tested, purged_size=purged, embargo_size=0)
        kept["combinatorial"].append(told(train for train, _ in validator.split(np.zeros((rows, 1)))))
    before = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    origin = {"from": "skfolio 1.12.2; recipe in tests/test_models/recorded_skfolio.py"}
    RECORDED.write_text(json.dumps({**origin, **kept}, indent=0))
    print({name: values == before.get(name) for name, values in kept.items()})


if __name__ == "__main__":
    main()
