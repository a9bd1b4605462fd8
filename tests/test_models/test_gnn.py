"""The graph network: scored without torch as torch would, on a graph that knows only the past, learning from peers."""

import numpy as np
import pytest
import torch

from models.gnn import score
from models.gnn.config import GnnConfig
from models.gnn.fit import batch, build, fit
from models.gnn.graph import correlation, listeners, session_graph
from models.gnn.score import GnnModel, forward
from models.labels import TrainingSet, precision_targets
from tests.test_models import planted
from tests.test_models.skill import rank_skill

CONFIG = GnnConfig(features=("ret_1", "ret_5", "ret_20"), epochs=8)


def test_numpy_scores_what_torch_would():
    panel, returns = planted.market(4, sessions=140)
    torch.manual_seed(3)
    network = build(CONFIG).eval()
    weights = {name: value.numpy().astype(np.float64) for name, value in network.state_dict().items()}
    blocks = [(session_graph(panel, row, CONFIG), np.zeros(1)) for row in (70, 90, 130)]
    inputs, edges, _ = batch(blocks)  # three sessions as one graph: blocks must not hear each other
    with torch.no_grad():
        theirs = network(inputs, edges).numpy()
    ours = np.concatenate([forward(weights, graph.inputs, graph.hears) for graph, _ in blocks])
    assert np.abs(ours - theirs).max() < 1e-5


def trained(seed, strength):
    panel, returns = planted.market(seed, sessions=420, strength=strength)
    targets = precision_targets(panel, returns, 5, 120, 0.3)
    model = GnnModel.from_bytes(fit(TrainingSet.cut(panel, targets, np.arange(60, 290)), CONFIG, 1))
    return rank_skill(model, panel, returns, range(300, 418))


def test_it_learns_a_planted_effect():
    skill, t_value = trained(1, 0.15)
    assert skill > 0.06 and t_value > 3.0


def test_it_finds_nothing_where_nothing_is():
    assert abs(trained(2, 0.0)[1]) < 3.0


def test_each_hears_itself_and_its_likest():
    rng = np.random.default_rng(0)
    sector = np.array([0, 0, 0, 1, 1, 1])
    returns = rng.standard_normal((80, 2))[:, sector] + 0.3 * rng.standard_normal((80, 6))
    hears = listeners(correlation(returns), 2)
    assert np.array_equal(hears, sector[:, None] == sector[None, :])


@pytest.mark.parametrize("names", [2, 7, 40])
def test_of_equals_the_first_are_heard(names):
    rng = np.random.default_rng(names)
    likeness = rng.integers(-2, 3, (names, names)) / 2.0  # full of ties
    np.fill_diagonal(likeness, 1.0)
    likeness[0, :] = np.nan if names == 7 else likeness[0]
    hears = listeners(likeness, 3)
    for name in range(names):
        others = [other for other in range(names) if other != name]
        first = sorted(others, key=lambda other: (-likeness[name, other], other))[:3]
        expected = {name} if np.isnan(likeness[name]).all() else {name, *first}
        assert set(np.nonzero(hears[name])[0].tolist()) == expected


def test_many_names_attend_as_few_do(monkeypatch):
    rng = np.random.default_rng(0)
    hears = (rng.random((150, 150)) < 0.05) | np.eye(150, dtype=bool)
    told = (rng.standard_normal((150, 2)), rng.standard_normal((150, 2)), hears, rng.standard_normal((150, 2, 4)))
    by_edges = score._mixed(*told)
    monkeypatch.setattr(score, "FEW", 150)
    assert by_edges == pytest.approx(score._mixed(*told), rel=1e-12, abs=1e-14)


def test_the_graph_is_as_of_its_session():
    panel, _ = planted.market(4, sessions=140)
    before = session_graph(panel, 100, CONFIG)
    panel.values[101:] = 9.0
    panel.values[: 101 - CONFIG.graph_window] = 9.0  # nor older than its window
    after = session_graph(panel, 100, CONFIG)
    assert np.array_equal(before.hears, after.hears) and np.array_equal(before.inputs, after.inputs)


def test_a_missing_feature_is_said_and_not_invented():
    panel, _ = planted.market(4, sessions=140)
    panel.values[100, 2, panel.features.index("ret_5")] = np.nan
    graph = session_graph(panel, 100, CONFIG)
    assert graph.inputs[2, 1] == 0.0 and graph.inputs[2, 4] == 1.0  # the training mean, and the flag
    assert graph.inputs[3, 4] == 0.0


def test_fitting_leaves_the_process_as_it_was():
    panel, returns = planted.market(4, sessions=120, names=8)
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    threads = torch.get_num_threads()
    fit(TrainingSet.cut(panel, returns, np.arange(60, 100)), GnnConfig(features=CONFIG.features, epochs=1), 1)
    assert torch.equal(torch.rand(3), expected) and torch.get_num_threads() == threads


def test_no_history_is_refused_in_words():
    panel, returns = planted.market(4, sessions=40, names=8)
    with pytest.raises(ValueError, match="has a graph of 60 sessions"):
        fit(TrainingSet.cut(panel, returns, np.arange(25, 28)), CONFIG, 1)
