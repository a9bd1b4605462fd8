"""The regimes' forward filter, ours in NumPy, beside hmmlearn's own forward pass in C++ on the same parameters.

One posterior is what a decision costs; the long row is no use that we have for it, and shows what a compiled loop is
worth. The filtered beliefs are held to what hmmlearn's forward lattice says before a time is told.
"""

import json
from collections.abc import Callable

import numpy as np

from tests.bench.measure import Row, Timing, timed

STATES, FEATURES, LONG = 4, 3, 98_280
RUNS = 5


def model_bytes() -> bytes:
    """Four states as a fit would leave them; both sides read these numbers."""
    from models.hmm.config import STATES as NAMES

    chance = np.random.default_rng(4)
    transitions = 0.9 * np.eye(STATES) + 0.1 * chance.dirichlet(np.ones(STATES), STATES)
    factors = chance.normal(0.0, 0.3, (STATES, FEATURES, FEATURES)) + np.eye(FEATURES)
    covariances = factors @ np.transpose(factors, (0, 2, 1))
    left = np.linalg.matrix_power(transitions, 4096)[0]
    return json.dumps({
        "states": list(NAMES), "features": ["a", "b", "c"], "window": 60, "centre": [0.0] * 3, "scale": [1.0] * 3,
        "transitions": transitions.tolist(), "stationary": left.tolist(),
        "means": chance.normal(0.0, 1.0, (STATES, FEATURES)).tolist(), "covariances": covariances.tolist()}).encode()


def theirs(data: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """hmmlearn's filtered beliefs: its density, its scaling forward pass, its lattice."""
    from hmmlearn import _hmmc
    from hmmlearn.hmm import GaussianHMM

    told = json.loads(data)
    model = GaussianHMM(STATES, covariance_type="full", implementation="scaling", init_params="")
    model.n_features = FEATURES
    model.startprob_, model.transmat_ = np.array(told["stationary"]), np.array(told["transitions"])
    model.means_, model.covars_ = np.array(told["means"]), np.array(told["covariances"])

    def forward(observed: np.ndarray) -> np.ndarray:
        density = model._compute_likelihood(observed)
        _, lattice, _ = _hmmc.forward_scaling(model.startprob_, model.transmat_, density)
        return np.asarray(lattice)

    return forward


def rows() -> list[Row]:
    from models.hmm.score import HmmModel

    data = model_bytes()
    mine, other = HmmModel.from_bytes(data), theirs(data)
    observed = np.random.default_rng(5).normal(0.0, 1.0, (LONG, FEATURES))
    told = []
    for name, length, runs in (("one posterior of 60 sessions", mine.window, 51), (f"{LONG}x{FEATURES}", LONG, RUNS)):
        part = observed[:length]
        gap = float(np.abs(mine.filter(part) - other(part)).max())
        assert gap < 1e-9, f"the beliefs are {gap} away from hmmlearn's"
        ours = timed(lambda part=part: mine.filter(part), runs=runs)
        peer = timed(lambda part=part: other(part), runs=runs)
        told.append(Row(f"hmm_filter/{name}", ours.median_s, ours.cold_s, "hmmlearn", peer.median_s, None, None, runs,
                        note(length, ours, peer, gap)))
    return told


def note(length: int, ours: Timing, peer: Timing, gap: float) -> str:
    from importlib.metadata import version

    return (f"{STATES} states, density included; {ours.cpu_words}, hmmlearn {version('hmmlearn')} {peer.cpu_words}; "
            f"{ours.median_s / length * 1e6:.1f} µs a session; beliefs {gap:.0e} apart")


if __name__ == "__main__":
    for row in rows():
        print(row)
