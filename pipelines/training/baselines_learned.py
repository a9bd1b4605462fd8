"""What the learned models said out of sample, as columns that a rule can read: regimes, and the graph's own scores."""

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from models.gnn.score import GnnModel
from models.hmm.score import HmmModel
from models.signals.meta import POSTERIOR
from pipelines.evidence.ledger import Ledger
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.training import enough
from pipelines.training.candidates import strategies
from pipelines.training.folds import Bench, Fold
from pipelines.training.inputs import Inputs

Floats = NDArray[np.float64]
GRAPH_SCORE = "gnn:score"


def judged_folds(home: Home, settings: Settings, inputs: Inputs, ledger: Ledger, now: dt.datetime) -> dict[
        str, list[Fold]]:
    """Tonight's fits of regimes and of the graph, as they were judged; of a market that is too narrow to learn a
    cross-section from, the regimes only."""
    strategy = strategies(settings, inputs.panel.features)[0]
    bench = Bench(home, settings, inputs, ledger, now, strategy)
    names = ("hmm",) if enough.lacking(settings, inputs) else ("hmm", "gnn")
    return {name: bench.folds(name) for name in names}


def learned_columns(inputs: Inputs, folds: dict[str, list[Fold]]) -> dict[str, Floats]:
    """Each (sessions, names), NaN before the first judged session: every row by the model in force at it."""
    columns: dict[str, Floats] = {}
    shape = inputs.panel.tradable.shape
    for fold in folds["hmm"]:
        regimes = HmmModel.from_bytes(fold.fitted.data)
        for row in fold.test:
            for state, share in zip(regimes.names, regimes.posterior(inputs.panel, int(row)), strict=True):
                columns.setdefault(POSTERIOR + state, np.full(shape, np.nan))[row] = share
    for fold in folds.get("gnn", []):
        graph = GnnModel.from_bytes(fold.fitted.data)
        scores = columns.setdefault(GRAPH_SCORE, np.full(shape, np.nan))
        for row in fold.test:
            scores[row] = graph.score(inputs.panel, int(row))
    return columns
