"""Regimes: filtered and only filtered, equal to hmmlearn's own forward pass, named by what they are."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM

from models.hmm import fit as fitting
from models.hmm.config import STATES, HmmConfig
from models.hmm.score import HmmModel, market_features
from models.labels import TrainingSet
from tests.test_models import planted


@pytest.fixture(scope="module")
def fitted():
    panel, returns = planted.market(11, sessions=300)
    training = TrainingSet.cut(panel, returns, np.arange(295))
    return panel, fitting.fit(training, HmmConfig(), 7)


def test_the_filter_is_hmmlearns_posterior_of_the_last_session(fitted):
    panel, data = fitted
    model, told = HmmModel.from_bytes(data), json.loads(data)
    theirs = GaussianHMM(n_components=4, covariance_type="full")
    theirs.startprob_, theirs.transmat_ = np.array(told["stationary"]), np.array(told["transitions"])
    theirs.means_, theirs.covars_ = np.array(told["means"]), np.array(told["covariances"])
    observed = (market_features(panel, model.features, 100, 160) - model.centre) / model.scale
    believed = model.filter(observed)
    for step in range(len(observed)):
        assert believed[step] == pytest.approx(theirs.predict_proba(observed[: step + 1])[-1], abs=1e-9)
    assert np.abs(theirs.predict_proba(observed)[:-1] - believed[:-1]).max() > 1e-3  # smoothing would look ahead


def test_later_sessions_do_not_change_what_was_believed(fitted):
    panel, data = fitted
    model = HmmModel.from_bytes(data)
    before = model.posterior(panel, 200)
    values = panel.values.copy()
    values[201:] = 5.0
    assert np.array_equal(model.posterior(replace(panel, values=values), 200), before)


def test_a_session_without_market_features_moves_belief_by_the_chain_alone(fitted):
    model = HmmModel.from_bytes(fitted[1])
    observed = np.zeros((2, 3))
    observed[1] = np.nan
    first, second = model.filter(observed)
    assert second == pytest.approx(first @ model.transitions)


def test_names_follow_the_parameters_not_the_numbering():
    means = np.array([[0.1, 1.0, 0.0], [0.9, -0.2, 0.0], [-0.8, 0.5, 0.0], [0.0, -1.0, 0.0]])
    for shuffled in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]):
        order = fitting.name_states(means[shuffled])
        assert np.array_equal(means[shuffled][order], means[[1, 2, 0, 3]])


def test_the_fitted_names_mean_what_they_say(fitted):
    told = json.loads(fitted[1])
    mean = dict(zip(told["states"], told["means"], strict=True))
    assert tuple(told["states"]) == STATES
    assert mean["Bull"][0] == max(one[0] for one in mean.values())
    assert mean["Bear"][0] == min(one[0] for one in mean.values())
    assert mean["HighVol_Chop"][1] > mean["LowVol_Chop"][1]


def test_the_stationary_law_stays_where_it_is(fitted):
    model = HmmModel.from_bytes(fitted[1])
    assert model.stationary @ model.transitions == pytest.approx(model.stationary, abs=1e-12)


def test_too_few_sessions_are_refused_in_words():
    panel, returns = planted.market(1, sessions=80)
    with pytest.raises(ValueError, match="needs 120"):
        fitting.fit(TrainingSet.cut(panel, returns, np.arange(75)), HmmConfig(), 1)
