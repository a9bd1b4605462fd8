"""What every model family must keep, whatever it is made of: a new one joins by its name in FAMILIES alone."""

from dataclasses import replace

import numpy as np
import pytest

from models.gbm.config import GbmConfig
from models.gbm.score import GbmModel
from models.gnn.config import GnnConfig
from models.gnn.score import GnnModel
from models.hmm.config import HmmConfig
from models.hmm.score import HmmModel
from models.labels import TrainingSet
from pipelines.training.families import FAMILIES, columns_of, family
from tests.test_models import planted

CONFIGS = {
    "hmm": HmmConfig(iterations=5, min_sessions=40, window=20),
    "gbm": GbmConfig(features=planted.OWN, context=planted.MARKET, rounds=8, min_leaf=40),
    "gnn": GnnConfig(features=planted.OWN, epochs=2, graph_window=30, hidden=8),
}
SCORERS = {"hmm": HmmModel, "gbm": GbmModel, "gnn": GnnModel}
ROWS = np.arange(40, 130)


def fit(name, panel, returns, rows=ROWS, seed=5):
    return family(name).fit(TrainingSet.cut(panel, returns, rows), CONFIGS[name], seed, lambda epoch, loss: None)


def score(name, data, panel, row):
    model = SCORERS[name].from_bytes(data)
    return model.posterior(panel, row) if name == "hmm" else model.score(panel, row)


@pytest.fixture(scope="module")
def market():
    return planted.market(21, sessions=150, names=10)


@pytest.fixture(scope="module")
def fitted(market):
    return {name: fit(name, *market) for name in FAMILIES}


@pytest.mark.parametrize("name", FAMILIES)
def test_same_rows_and_seed_give_the_same_bytes(name, market, fitted):
    np.random.seed(99)  # whatever a caller did to the global generator
    assert fit(name, *market) == fitted[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_inputs_are_not_changed(name, market):
    panel, returns = market
    before = panel.values.tobytes(), panel.tradable.tobytes(), returns.tobytes()
    score(name, fit(name, panel, returns), panel, 140)
    assert (panel.values.tobytes(), panel.tradable.tobytes(), returns.tobytes()) == before


@pytest.mark.parametrize("name", FAMILIES)
def test_the_order_of_the_panels_columns_does_not_matter(name, market, fitted):
    panel, returns = market
    other = panel.select(tuple(reversed(panel.features)))
    assert fit(name, other, returns) == fitted[name]
    assert np.array_equal(score(name, fitted[name], other, 140), score(name, fitted[name], panel, 140), equal_nan=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_after_the_cut_reaches_a_fit(name, market, fitted):
    panel, returns = market
    values, later = panel.values.copy(), returns.copy()
    values[130:], later[130:] = 1e6, -0.5
    tradable = panel.tradable.copy()
    tradable[130:] = True
    assert fit(name, replace(panel, values=values, tradable=tradable), later) == fitted[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_after_a_session_reaches_its_score(name, market, fitted):
    panel, _ = market
    assert np.array_equal(score(name, fitted[name], panel.upto(136), 135), score(name, fitted[name], panel, 135),
                          equal_nan=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_name_that_is_not_there_changes_no_bit(name, market, fitted):
    panel, _ = market
    absent = np.full((len(panel.sessions), 1, len(panel.features)), np.nan)
    wider = replace(panel, names=("A", *panel.names), values=np.concatenate([absent, panel.values], axis=1),
                    tradable=np.concatenate([np.zeros((len(panel.sessions), 1), bool), panel.tradable], axis=1))
    alone, beside = score(name, fitted[name], panel, 140), score(name, fitted[name], wider, 140)
    assert np.array_equal(alone, beside if name == "hmm" else beside[1:], equal_nan=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fit_reads_only_the_columns_it_says(name, market, fitted):
    panel, returns = market
    assert fit(name, panel.select(columns_of(CONFIGS[name])), returns) == fitted[name]
