"""Boosted trees: they find what is planted, nothing where nothing is, and refuse what cannot be learned from."""

import numpy as np
import pytest

from models.gbm.config import GbmConfig
from models.gbm.fit import covered, fit
from models.gbm.score import GbmModel
from models.labels import TrainingSet, precision_targets
from tests.test_models import planted
from tests.test_models.skill import rank_skill

CONFIG = GbmConfig(features=planted.OWN, context=("mkt_vol_20",), rounds=60, min_leaf=150)


def trained(seed, strength):
    panel, returns = planted.market(seed, sessions=420, strength=strength)
    targets = precision_targets(panel, returns, 5, 120, 0.3)
    model = GbmModel.from_bytes(fit(TrainingSet.cut(panel, targets, np.arange(25, 290)), CONFIG, 1))
    return rank_skill(model, panel, returns, range(300, 418))


def test_it_learns_a_planted_effect():
    skill, t_value = trained(1, 0.15)
    assert skill > 0.06 and t_value > 3.0


def test_it_finds_nothing_where_nothing_is():
    assert all(abs(trained(seed, 0.0)[1]) < 3.0 for seed in range(3))


def test_context_that_began_lately_stays_out_of_the_model():
    panel, returns = planted.market(2, sessions=200, names=12)
    panel.values[:150, :, panel.features.index("mkt_vol_20")] = np.nan
    training = TrainingSet.cut(panel, returns, np.arange(25, 190))
    assert covered(training, CONFIG.context) == ()
    assert GbmModel.from_bytes(fit(training, CONFIG, 1)).context == ()


def test_a_name_without_features_gets_no_score_and_disturbs_nobody():
    panel, returns = planted.market(2, sessions=200, names=12)
    model = GbmModel.from_bytes(fit(TrainingSet.cut(panel, returns, np.arange(25, 190)), CONFIG, 1))
    panel.values[195, 3, :5] = np.nan
    panel.tradable[195, 4] = False
    scores = model.score(panel, 195)
    assert np.isnan(scores[[3, 4]]).all() and np.isfinite(scores[[0, 1, 2, 5, 6]]).all()


def test_too_few_rows_are_refused_in_words():
    panel, returns = planted.market(2, sessions=60, names=6)
    with pytest.raises(ValueError, match="train on more sessions or names"):
        fit(TrainingSet.cut(panel, returns, np.arange(25, 50)), CONFIG, 1)
