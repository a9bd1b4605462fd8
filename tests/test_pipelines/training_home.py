"""A small planted market as a night's training inputs, in a home of its own."""

import datetime as dt

import numpy as np

from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.hmm.config import HmmConfig
from models.signals.rules import RuleConfig
from models.strategy import StrategyConfig
from pipelines import settings as settings_module
from pipelines.evidence.ledger import Ledger
from pipelines.home import Home
from pipelines.training.candidates import Candidate
from pipelines.training.inputs import Inputs
from tests import OWN
from tests.test_models import planted

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
STRATEGY = StrategyConfig(
    "small", hold_sessions=3, risk_window=60,
    gbm=GbmConfig(features=planted.OWN, context=("mkt_vol_20",), rounds=10, min_leaf=60),
    gnn=GnnConfig(features=planted.OWN, epochs=2, hidden=8, graph_window=40),
    hmm=HmmConfig(iterations=8, window=40),
)
CANDIDATES = (
    Candidate("candidate", STRATEGY),
    Candidate("candidate", StrategyConfig("slower", hold_sessions=5, risk_window=60, gbm=STRATEGY.gbm,
                                          gnn=STRATEGY.gnn, hmm=STRATEGY.hmm)),
    Candidate("baseline", RuleConfig("trend", "ret_20", 1.0)),
)


def small_inputs(seed: int = 3, sessions: int = 262) -> Inputs:
    """The last two sessions have no label yet, as on every night."""
    panel, returns = planted.market(seed, sessions=sessions, names=12)
    returns[-2:] = np.nan
    return Inputs(panel, returns)


def small_settings(**training: int) -> settings_module.Settings:
    sizes = {"first_train_sessions": 180, "step_sessions": 30, "slow_step_sessions": 60, "optuna_trials": 2, **training}
    return settings_module.load({"training": sizes}, environment=OWN)


def small_home(folder) -> tuple[Home, Ledger]:
    home = Home(folder).prepare()
    return home, Ledger(home.ledger)
