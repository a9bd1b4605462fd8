"""Regimes keep their names whatever order a search finds them in, and see the columns that they are given."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import models
from models import structure
from models.features.panel import FeaturePanel
from models.hmm import fit as fitting
from models.hmm.config import STATES, HmmConfig
from models.hmm.score import HmmModel, market_features
from models.labels import TrainingSet
from tests.test_models import planted

NAMES = 6
PACE = {"Bull": (0.9, -0.3), "Bear": (-1.1, 0.7), "HighVol_Chop": (0.0, 1.4), "LowVol_Chop": (0.05, -1.0)}


def regimes_market(seed, sessions=600):
    """(panel, true state by session): return and volatility of planted regimes; ATR and volume of single names."""
    rng = np.random.default_rng(seed)
    state = np.zeros(sessions, dtype=int)
    for row in range(1, sessions):
        state[row] = state[row - 1] if rng.random() < 0.97 else rng.integers(4)
    pace = np.array([PACE[name] for name in STATES])[state]
    market = pace + 0.35 * rng.standard_normal((sessions, 2))
    own = np.exp(pace[:, 1])[:, None] * (1.0 + 0.1 * rng.standard_normal((sessions, NAMES)))
    values = np.stack([np.repeat(market[:, :1], NAMES, axis=1) * 0.01, np.repeat(market[:, 1:], NAMES, axis=1) * 0.004,
                       rng.standard_normal((sessions, 1)) * np.ones(NAMES), own], axis=2)
    panel = FeaturePanel(sessions=np.arange(sessions).astype("datetime64[D]"), names=tuple("ABCDEF"),
                         features=("mkt_ret_1", "mkt_vol_20", "mkt_volume_z", "atr_14"), values=values,
                         tradable=np.ones((sessions, NAMES), dtype=bool))
    return panel, state


def fitted(panel, config, seed=1, rows=None):
    rows = np.arange(len(panel.sessions)) if rows is None else rows
    labels = np.zeros((len(panel.sessions), NAMES))
    return HmmModel.from_bytes(fitting.fit(TrainingSet.cut(panel, labels, rows), config, seed))


def top(model, panel):
    observed = market_features(panel, model.features, 0, len(panel.sessions), model.median)
    return model.filter((observed - model.centre) / model.scale).argmax(axis=1)


@pytest.fixture(scope="module")
def market():
    return regimes_market(2)


@pytest.mark.parametrize("naming", ["extremes", "corners"])
@pytest.mark.parametrize("shuffle", [(1, 0, 3, 2), (3, 2, 1, 0), (2, 3, 0, 1)])
def test_a_search_that_numbers_its_states_otherwise_gives_them_the_same_names(naming, shuffle, market, monkeypatch):
    panel, state = market
    plain = fitted(panel, HmmConfig(naming=naming))
    begun = fitting.corners
    monkeypatch.setattr(fitting, "corners", lambda width: begun(width)[list(shuffle)])
    other = fitted(panel, HmmConfig(naming=naming))
    assert other.means == pytest.approx(plain.means, abs=1e-6)
    assert other.transitions == pytest.approx(plain.transitions, abs=1e-6)
    assert (top(other, panel) == state).mean() > 0.9  # and they are the regimes that were planted


def test_searches_from_drawn_corners_end_at_the_same_regimes(market):
    panel, state = market
    several = [fitted(panel, HmmConfig(restarts=2), seed) for seed in (1, 2, 3)]
    assert all((top(model, panel) == state).mean() > 0.9 for model in several)
    assert all(model.means == pytest.approx(several[0].means, abs=0.02) for model in several)


def test_a_refit_on_more_sessions_keeps_the_names(market):
    panel, _ = market
    early, late = fitted(panel, HmmConfig(), rows=np.arange(400)), fitted(panel, HmmConfig())
    assert (top(early, panel) == top(late, panel)).mean() > 0.95


def test_names_are_stable_where_two_states_trade_places_in_return():
    """Two calm states whose mean returns are a hair apart: by order alone, a hair decides who is Bull."""
    means = np.array([[0.8, -0.4], [-0.9, 0.6], [0.81, 1.3], [0.0, -0.9]])
    nudged = means.copy()
    nudged[2, 0] = 0.79
    by_order = [fitting.name_states(one) for one in (means, nudged)]
    by_corner = [fitting.nearest_states(one) for one in (means, nudged)]
    assert by_order[0] != by_order[1] and by_corner[0] == by_corner[1] == [0, 1, 2, 3]
    shuffled = [2, 0, 3, 1]
    assert [shuffled[i] for i in fitting.nearest_states(means[shuffled])] == [0, 1, 2, 3]


def test_on_markets_without_regimes_corners_keep_more_names_than_the_order_of_returns():
    kept = {"extremes": [], "corners": []}
    for seed in (0, 1, 2):
        panel, returns = planted.market(seed, sessions=600, names=6)
        for naming, shares in kept.items():
            cuts = [TrainingSet.cut(panel, returns, np.arange(known)) for known in (250, 590)]
            early, late = (HmmModel.from_bytes(fitting.fit(cut, HmmConfig(naming=naming), 7)) for cut in cuts)
            shares.append((top(early, panel.upto(590)) == top(late, panel.upto(590))).mean())
    assert np.mean(kept["corners"]) > np.mean(kept["extremes"]) + 0.1


def test_atr_and_volume_of_single_names_are_seen_as_their_median(market):
    panel, state = market
    config = HmmConfig(features=("mkt_ret_1",), median=("atr_14",))
    model = fitted(panel, config)
    assert (top(model, panel) == state).mean() > 0.85
    wild = panel.values.copy()
    wild[:, 0, 3] = 1e6  # one wild name does not move a median of six far
    near = market_features(replace(panel, values=wild), model.features, 0, 600, model.median)[:, 1]
    assert np.abs(near / market_features(panel, model.features, 0, 600, model.median)[:, 1] - 1.0).max() < 0.3
    untraded = replace(panel, values=wild, tradable=np.broadcast_to(np.arange(NAMES) > 0, panel.tradable.shape))
    assert np.isfinite(market_features(untraded, model.features, 0, 600, model.median)).all()
    assert config.columns == ("mkt_ret_1", "atr_14")


@pytest.mark.parametrize("config", [HmmConfig(median=("atr_14",)), HmmConfig(features=("mkt_ret_1", "mkt_vol_20"))])
def test_more_or_fewer_columns_make_a_bundles_bytes(config, market):
    data = fitting.fit(TrainingSet.cut(market[0], np.zeros((600, NAMES)), np.arange(600)), config, 1)
    structure.check_hmm(data)
    told = json.loads(data)
    assert len(told["centre"]) == len(config.columns) and ("median" in told) == bool(config.median)
    if config.median:
        with pytest.raises(ValueError, match="centre"):
            structure.check_hmm(json.dumps({**told, "median": ["atr_14", "more"]}).encode())


def test_one_column_is_refused_in_words(market):
    with pytest.raises(ValueError, match="a return and a volatility"):
        fitted(market[0], HmmConfig(features=("mkt_ret_1",)))


SMOOTHING = {"predict_proba", "predict", "score_samples", "decode"}


def test_no_code_of_features_or_scores_can_smooth():
    """Nothing there names a smoothing call, and nothing they import brings hmmlearn along."""
    root = Path(models.__file__).parent
    for path in (*root.glob("features/**/*.py"), root / "hmm" / "score.py", root / "strategy.py"):
        named = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not named & SMOOTHING, path
    seen = "import sys, models.features.registry, models.strategy, models.hmm.score; print('hmmlearn' in sys.modules)"
    asked = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, cwd=root.parent, check=True)
    assert asked.stdout.strip() == "False"
