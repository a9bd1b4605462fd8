"""What the graph network can be asked for: to read returns in their order, and to listen along other edges."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models import structure
from models.gbm.config import GbmConfig
from models.gbm.fit import fit as fit_gbm
from models.gnn.config import GnnConfig
from models.gnn.fit import batch, build, fit
from models.gnn.graph import edges, session_graph
from models.gnn.score import GnnModel, forward
from models.hmm.config import HmmConfig
from models.hmm.fit import fit as fit_hmm
from models.labels import TrainingSet
from models.strategy import Models, StrategyConfig, decide, decide_many
from tests.test_models import planted

OWN = ("ret_1", "ret_5")
ASKED = GnnConfig(features=OWN, epochs=2, hidden=8, graph_window=30, encoder="lstm", recurrent=5, alike=0.2,
                  granger=True, groups=(("N00", "N03", "N07"),), refresh="weekly")


@pytest.fixture(scope="module")
def market():
    return planted.market(8, sessions=140, names=10)


@pytest.fixture(scope="module")
def trained(market):
    return fit(TrainingSet.cut(*market, np.arange(40, 130)), ASKED, 3)


def test_numpy_scores_what_torch_would_with_an_lstm(market):
    panel, _ = market
    torch.manual_seed(5)
    network = build(ASKED).eval()
    with torch.no_grad():
        for value in network.parameters():
            value.mul_(3.0)  # far from where every gate is half open
    weights = {name: value.numpy().astype(np.float64) for name, value in network.state_dict().items()}
    blocks = [(session_graph(panel, row, ASKED), np.zeros(1)) for row in (60, 101, 138)]
    inputs, heard, _ = batch(blocks)
    with torch.no_grad():
        theirs = network(inputs, heard).numpy()
    ours = np.concatenate([forward(weights, graph.inputs, graph.hears) for graph, _ in blocks])
    assert np.abs(ours).max() > 0.1 and np.abs(ours - theirs).max() < 1e-5


def test_the_order_of_returns_is_what_an_lstm_reads(market):
    panel, _ = market
    weights = {name: value.detach().numpy().astype(np.float64) for name, value in build(ASKED).state_dict().items()}
    graph = session_graph(panel, 100, ASKED)
    backwards = np.hstack([graph.inputs[:, :4], graph.inputs[:, :3:-1]])
    assert np.abs(forward(weights, backwards, graph.hears) - forward(weights, graph.inputs, graph.hears)).max() > 1e-4


def test_a_bundles_bytes_hold_all_that_was_asked(market, trained):
    structure.check_gnn(trained)
    model = GnnModel.from_bytes(trained)
    assert model.config == ASKED and np.isfinite(model.score(market[0], 135)).any()
    assert fit(TrainingSet.cut(*market, np.arange(40, 130)), ASKED, 3) == trained
    with pytest.raises(ValueError, match="its lstm"):
        structure.check_gnn(trained.replace(b'recurrent\\": 5', b'recurrent\\": 6'))


def test_weekly_edges_are_drawn_once_a_week_from_what_its_first_decision_knew(market):
    panel, _ = market
    weekly = GnnConfig(features=OWN, graph_window=30, refresh="weekly")
    monday = int(np.flatnonzero(panel.sessions == np.datetime64("2022-05-16"))[0])
    drawn = session_graph(panel, monday, replace(weekly, refresh="daily")).hears
    values = panel.values.copy()
    values[monday + 1 :, :, panel.features.index("ret_1")] *= np.random.default_rng(0).normal(size=len(panel.names))
    stormy = replace(panel, values=values)
    for row in range(monday, monday + 5):
        assert np.array_equal(session_graph(stormy, row, weekly).hears, drawn)
    later = session_graph(stormy, monday + 5, weekly)
    assert not np.array_equal(later.hears, drawn)
    assert np.array_equal(later.hears, session_graph(stormy, monday + 5, replace(weekly, refresh="daily")).hears)
    known = session_graph(panel.upto(monday + 3), monday + 2, weekly)
    assert np.array_equal(known.hears, drawn)


def test_each_kind_of_edge_is_drawn_where_it_belongs():
    rng = np.random.default_rng(1)
    moves = 0.01 * rng.standard_normal((200, 6))
    moves[1:, 4] += 0.9 * moves[:-1, 1]  # 1 foretells 4
    moves[:, 3] = moves[:, 2] + 0.002 * rng.standard_normal(200)  # 2 and 3 move alike
    names = np.array(list("ABCDEF"))
    plain = GnnConfig(neighbours=0)
    assert np.array_equal(edges(moves, names, plain), np.eye(6, dtype=bool))
    foretold = edges(moves, names, replace(plain, granger=True))
    assert foretold[4, 1] and not foretold[1, 4]
    alike = edges(moves, names, replace(plain, alike=0.8))
    assert alike[2, 3] and alike[3, 2] and alike.sum() == 8
    grouped = edges(moves, names, replace(plain, groups=(("A", "F", "elsewhere"),)))
    assert grouped[0, 5] and grouped[5, 0] and grouped.sum() == 8


def test_a_decision_from_its_own_history_is_the_judged_one_to_the_bit(market, trained):
    panel, returns = market
    cut = TrainingSet.cut(panel, returns, np.arange(40, 130))
    config = StrategyConfig(
        "weekly", risk_window=20, gnn=ASKED, gbm=GbmConfig(features=planted.OWN, rounds=5, min_leaf=40),
        hmm=HmmConfig(window=20, iterations=3, min_sessions=40))
    models = Models.from_bytes(hmm=fit_hmm(cut, config.hmm, 1), gbm=fit_gbm(cut, config.gbm, 1), gnn=trained)
    assert config.history == 30 + 4 + config.hold_sessions - 1
    assert StrategyConfig.from_json(config.to_json()) == config
    judged = decide_many(config, models, panel, list(range(128, 138)))
    for row, decision in zip(range(128, 138), judged, strict=True):
        alone = decide(config, models, panel.upto(row + 1))
        assert np.array_equal(alone.gnn, decision.gnn, equal_nan=True)
        assert np.array_equal(alone.weights, decision.weights)


def test_a_strategy_that_asks_for_nothing_is_told_as_before():
    told = StrategyConfig("a").to_json()
    assert not {"encoder", "refresh", "monotone", "calibration", "naming"} & set(told.replace('"', " ").split())
    assert StrategyConfig("a").key() != StrategyConfig("a", gnn=GnnConfig(encoder="lstm")).key()


def test_auto_is_the_gpu_where_there_is_one_and_else_the_cpu_to_the_bit(market, trained):
    data = fit(TrainingSet.cut(*market, np.arange(40, 130)), replace(ASKED, device="auto"), 3)
    found, expected = (GnnModel.from_bytes(one).score(market[0], 135) for one in (data, trained))
    assert found == pytest.approx(expected, abs=0.5 if torch.cuda.is_available() else 0.0, nan_ok=True)
