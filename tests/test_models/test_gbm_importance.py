"""What trees lean on, asked out of sample: the planted column by every measure, and nothing of a column of noise."""

import numpy as np
import pytest

from models.gbm.config import GbmConfig
from models.gbm.fit import fit
from models.gbm.importance import contributions, gains, permutation
from models.gbm.score import GbmModel, session_inputs
from models.labels import TrainingSet
from tests.test_models import planted

CONFIG = GbmConfig(features=planted.OWN, context=("mkt_vol_20",), rounds=40, min_leaf=40, leaves=4, learning_rate=0.1)
ROWS = np.arange(240, 298)


@pytest.fixture(scope="module")
def asked():
    panel, returns = planted.market(9, sessions=300, strength=0.5)
    return GbmModel.from_bytes(fit(TrainingSet.cut(panel, returns, np.arange(25, 235)), CONFIG, 1)), panel, returns


def test_every_measure_finds_what_was_planted(asked):
    model, panel, returns = asked
    lost = permutation(model, panel, returns, ROWS, 1)
    for told in (gains(model.booster), contributions(model, panel, ROWS), lost):
        assert max(told, key=told.get) == "ret_20" and set(told) == {*planted.OWN, "mkt_vol_20"}
    assert lost["ret_20"] > 0.05 and abs(lost["noise_a"]) < 0.02


def test_dealing_anew_is_seeded_and_leaves_the_panel_alone(asked):
    model, panel, returns = asked
    before = panel.values.tobytes()
    first = permutation(model, panel, returns, ROWS, 1)
    assert permutation(model, panel, returns, ROWS, 1) == first != permutation(model, panel, returns, ROWS, 2)
    assert panel.values.tobytes() == before


def test_contributions_add_up_to_the_score(asked):
    model, panel, _ = asked
    _, inputs = session_inputs(panel, 250, model.features, model.context)
    shares = model.booster.predict(inputs, pred_contrib=True, num_threads=1)
    assert shares.sum(axis=1) == pytest.approx(model.rows(inputs), abs=1e-9)


def test_sessions_without_names_are_asked_nothing(asked):
    model, panel, returns = asked
    assert permutation(model, panel, returns, np.arange(3), 1) == {} == contributions(model, panel, np.arange(3))
