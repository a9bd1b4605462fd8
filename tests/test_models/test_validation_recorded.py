"""A hundred random records against what another library made of them.

`recorded/sharpe_statistics.json` was written by skfolio 1.12.2, in a virtual environment of its own because it does not
fit beside the night's plotly (`pip install skfolio==1.12.2 numpy==2.4.6`): `probabilistic_sharpe_ratio(returns,
benchmark)` and `deflated_sharpe_ratio(returns, trials)` of the inputs that `inputs` makes.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from models.validation.statistics import dsr, moments, psr

RECORDED = Path(__file__).parent / "recorded" / "sharpe_statistics.json"


def inputs(seed):
    """(returns, benchmark, Sharpes of the trials) of one record; heavy tails, 30 to 723 periods, 10 to 109 trials."""
    rng = np.random.default_rng(seed)
    returns = 0.01 * np.tan(2.8 * (rng.random(30 + 7 * seed) - 0.5)) + 0.004 * (rng.random() - 0.5)
    return returns, 0.1 * (rng.random() - 0.5), 0.1 * (rng.random(10 + seed) - 0.5)


def test_probabilistic_and_deflated_sharpe_agree_with_skfolio():
    told = json.loads(RECORDED.read_text())
    assert len(told["psr"]) == len(told["dsr"]) == 100
    for seed, (probabilistic, deflated) in enumerate(zip(told["psr"], told["dsr"], strict=True)):
        returns, benchmark, trials = inputs(seed)
        record = moments(returns)
        assert psr(record, benchmark) == pytest.approx(probabilistic, abs=1e-9)
        assert dsr(record, len(trials), float(np.var(trials, ddof=1))) == pytest.approx(deflated, abs=1e-9)
