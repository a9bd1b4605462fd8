"""One decision function: batch and live to the bit, from a stated history, neutral, within its limits."""

import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.hmm.config import HmmConfig
from models.strategy import Models, Scores, StrategyConfig, decide, decide_many, scores_before
from tests.test_models import little_bundle, planted

CONFIG = replace(little_bundle.STRATEGY, risk_window=50)


@lru_cache
def world():
    files = little_bundle.contents()
    models = Models.from_bytes(hmm=files["hmm.json"], gbm=files["gbm.txt"], gnn=files["gnn.safetensors"])
    panel, _ = planted.market(0, sessions=170, names=12)
    return models, panel


def same(left, right):
    return left.regime == right.regime and left.session == right.session and all(
        np.array_equal(getattr(left, part), getattr(right, part), equal_nan=True)
        for part in ("gbm", "gnn", "score", "weights"))


def test_one_session_alone_decides_as_in_batch():
    models, panel = world()
    rows = range(100, 170, 7)
    for row, batch in zip(rows, decide_many(CONFIG, models, panel, rows), strict=True):
        assert same(decide(CONFIG, models, panel.upto(row + 1)), batch)


def test_a_decision_reads_its_stated_history_and_its_own_columns_only():
    models, panel = world()
    whole = decide(CONFIG, models, panel)
    assert same(decide(CONFIG, models, panel.tail(CONFIG.history).select(CONFIG.features)), whole)
    assert CONFIG.history == 50
    values = panel.values.copy()
    values[-CONFIG.history] *= 1.5  # the oldest row that counts
    assert not same(decide(CONFIG, models, replace(panel, values=values)), whole)


@pytest.mark.parametrize("known_rows", [1, 3, 30, 200])
def test_scores_known_before_the_decision_change_no_bit_of_it(known_rows):
    models, panel = world()
    told = scores_before(CONFIG, models, panel.upto(169).tail(known_rows))
    assert len(told) == min(known_rows, CONFIG.hold_sessions - 1)
    if known_rows < CONFIG.history:  # a market too young for its graph: nothing is scored, and known as that
        whole = panel.upto(169).tail(known_rows)
        assert same(decide(CONFIG, models, whole, dict(told)), decide(CONFIG, models, whole))
        return
    asked: list[int] = []
    counting = replace(models.gbm)
    object.__setattr__(counting, "score", lambda panel, row: asked.append(row) or models.gbm.score(panel, row))
    assert same(decide(CONFIG, replace(models, gbm=counting), panel.upto(170), told), decide(CONFIG, models, panel))
    assert len(asked) == 1  # its own row's only


def test_configs_that_share_models_may_share_their_scores():
    models, panel = world()
    shared = Scores(models, panel)
    decide_many(CONFIG, models, panel, [150], shared)
    slower = replace(CONFIG, hold_sessions=5, blend_gnn=0.8)
    assert same(decide_many(slower, models, panel, [150], shared)[0], decide_many(slower, models, panel, [150])[0])


def test_weights_are_neutral_within_limits_and_zero_where_nothing_may_be_held():
    models, panel = world()
    for decision in decide_many(CONFIG, models, panel, range(90, 170)):
        row = int(np.searchsorted(panel.sessions, decision.session))
        assert abs(decision.weights.sum()) < 1e-12
        assert np.abs(decision.weights).max() <= CONFIG.max_weight + 1e-12
        assert np.abs(decision.weights).sum() <= CONFIG.gross + 1e-12
        assert (decision.weights[~panel.tradable[row] | ~np.isfinite(decision.gbm)] == 0.0).all()


def test_nobody_tradable_means_nothing_held():
    models, panel = world()
    closed = replace(panel, tradable=np.zeros_like(panel.tradable))
    assert not decide(CONFIG, models, closed).weights.any()


def test_a_feared_regime_takes_less():
    models, panel = world()
    half = replace(CONFIG, regime_gross=tuple((state, 0.5) for state, _ in CONFIG.regime_gross))
    plain = replace(CONFIG, regime_gross=tuple((state, 1.0) for state, _ in CONFIG.regime_gross))
    small, large = (np.abs(decide(one, models, panel).weights).sum() for one in (half, plain))
    assert small == pytest.approx(large / 2)


def test_a_config_survives_json():
    config = StrategyConfig("a", gbm=GbmConfig(features=("x", "y"), leaves=5), gnn=GnnConfig(features=("x",)),
                            hmm=HmmConfig(window=30), regime_gross=(("Bull", 1.0), ("Bear", 0.25)))
    assert StrategyConfig.from_json(config.to_json()) == config
    assert json.loads(config.to_json())["gbm"]["leaves"] == 5


def test_a_new_name_makes_no_new_trial_and_any_choice_does():
    config = StrategyConfig("a", gbm=GbmConfig(features=("x",)))
    assert replace(config, name="b").key() == config.key()
    assert replace(config, hold_sessions=4).key() != config.key()
    assert replace(config, gbm=GbmConfig(features=("x",), leaves=9)).key() != config.key()
