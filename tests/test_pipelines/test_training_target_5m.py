"""Target_5m by settings: walked forward, a diagnostic in the ledger, left as a model that MLStrategy loads."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from models.gbm import MLStrategy
from pipelines.evidence.ledger import Ledger
from pipelines.training import target_5m
from tests.test_models.test_gbm_intraday import MINUTES, RISE, tape
from tests.test_pipelines.training_home import NOW, small_home


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    home, _ = small_home(tmp_path_factory.mktemp("minutes"))
    return home, target_5m.learn(home, tape(), 7, NOW, RISE)


def test_each_fold_is_judged_on_minutes_after_its_labels_were_over(learned):
    home, told = learned
    ledger = Ledger(home.ledger)
    assert told["minutes"] == 3 * MINUTES and len(told["folds"]) == target_5m.FOLDS
    for fold in told["folds"]:
        assert fold["train_rows"] == np.flatnonzero(tape().starts == np.datetime64(fold["first_minute"]))[0] - 5
    assert told["auc"] > 0.55 and told["brier"] < told["brier_of_share"]
    assert [row["target"] for row in ledger.rows("diagnostic")] == [target_5m.TARGET] * target_5m.FOLDS
    assert ledger.n(target_5m.TARGET) == 0  # it counts nowhere, and nothing is promoted from it


def test_again_fits_nothing_and_the_model_loads(learned):
    home, told = learned
    head = Ledger(home.ledger).head
    again = target_5m.learn(home, tape(), 7, NOW, RISE)
    assert again["cached"] and again["digest"] == told["digest"] and Ledger(home.ledger).head == head
    strategy = MLStrategy(home.root / told["model"], threshold=0.05)
    assert strategy.generate_signal({name: 1.0 for name in strategy.features}).components["probability"] > 0.0


def test_what_cannot_be_learned_is_said(learned, tmp_path):
    home, _ = small_home(tmp_path)
    assert "0 minutes of bars" in target_5m.learn(home, None, 7, NOW)["skipped"]
    assert "nothing tells yes from no" in target_5m.learn(home, tape(), 7, NOW, 0.5)["skipped"]


def test_figures_are_sklearns():
    rng = np.random.default_rng(3)
    said = np.round(rng.random(700), 2)
    came = (rng.random(700) < said).astype(float)
    told = target_5m.figures(said, came)
    assert told["auc"] == pytest.approx(roc_auc_score(came, said), abs=1e-12)
    assert told["brier"] == pytest.approx(brier_score_loss(came, said), abs=1e-12)
    assert sum(one["rows"] for one in told["calibration"]) == 700
    assert target_5m.figures(said[:0], came[:0]) == {"rows": 0}
