"""A hundred random inputs against what skfolio 1.12.2 made of them; `recorded_skfolio` tells how that was recorded."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.combinatorial import CombinatorialPurgedValidator
from models.labels import label_lives
from models.validation.overfitting import cscv
from models.validation.statistics import dsr, expected_maximum, min_track_record, moments, psr
from tests.test_models.recorded_skfolio import RECORDED, SEEDS, folds, inputs, search, told


@pytest.fixture(scope="module")
def recorded():
    kept = json.loads(RECORDED.read_text())
    assert all(len(values) == len(SEEDS) == 100 for name, values in kept.items() if name != "from")
    return kept


@pytest.mark.parametrize("seed", SEEDS)
def test_sharpe_statistics_are_those_of_skfolio(seed, recorded):
    returns, benchmark, trials = inputs(seed)
    record, variance = moments(returns), float(np.var(trials, ddof=1))
    assert psr(record, benchmark) == pytest.approx(recorded["psr"][seed], abs=1e-9)
    assert dsr(record, len(trials), variance) == pytest.approx(recorded["dsr"][seed], abs=1e-9)
    luck = expected_maximum(len(trials), variance)
    assert luck == pytest.approx(recorded["expected_maximum"][seed], abs=1e-9)
    assert psr(record, luck) == dsr(record, len(trials), variance)


def test_a_record_as_long_as_the_shortest_that_tells_is_told_with_that_confidence():
    """skfolio has no such length; it is where its probabilistic Sharpe reaches the confidence."""
    known = 0
    for seed in SEEDS:
        returns, benchmark, _ = inputs(seed)
        record = moments(returns)
        needed = min_track_record(record, benchmark, 0.9)
        if record.sharpe > benchmark:
            known += 1
            assert psr(replace(record, length=needed), benchmark) == pytest.approx(0.9, abs=1e-9)
        else:
            assert needed == float("inf")
    assert 30 < known < 70


@pytest.mark.parametrize("seed", SEEDS)
def test_overfitting_is_that_of_skfolios_splits_and_measures(seed, recorded):
    found = cscv(*search(seed))
    assert found.pbo == pytest.approx(recorded["pbo"][seed], abs=1e-9)
    assert found.loss_probability == pytest.approx(recorded["loss_probability"][seed], abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_combinatorial_training_rows_are_those_of_skfolio(seed, recorded):
    """Its purge is a fixed number of rows on either side: a label that needs so many rows more."""
    rows, groups, tested, purged = folds(seed)
    ours = CombinatorialPurgedValidator(groups, tested, embargo=0).generate_splits(label_lives(rows, purged))
    assert told(split.train for split in ours) == recorded["combinatorial"][seed]
