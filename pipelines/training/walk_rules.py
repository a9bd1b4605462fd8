"""A market too narrow for a cross-section: regimes are still fitted forward and rules judged, through the same path."""

import datetime as dt
from typing import Any

import numpy as np

from models.backtest import Prices
from models.hmm.score import HmmModel
from models.market.costs import CostModel
from models.signals.rules import RuleConfig, rule_weights
from pipelines.evidence.judged import JudgedNight, judge_all
from pipelines.evidence.ledger import Ledger, Trial
from pipelines.evidence.policy import policy_of
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.training.candidates import TARGET, candidates, strategies
from pipelines.training.folds import Bench
from pipelines.training.inputs import Inputs
from pipelines.training.walk import Walked


def walk_rules(home: Home, settings: Settings, inputs: Inputs, ledger: Ledger, now: dt.datetime) -> Walked:
    """The night's rules at each session that a regime fold judges, written down as trials before they are scored."""
    panel = inputs.panel
    rules = tuple(one for one in candidates(settings, panel.features) if isinstance(one.config, RuleConfig))
    folds = Bench(home, settings, inputs, ledger, now, strategies(settings, panel.features)[0]).folds("hmm")
    digest = inputs.digest()
    ledger.register_many([Trial("outer", TARGET, one.key, settings.seed, {"name": one.name, "data": digest})
                          for one in rules], now)
    rows = np.concatenate([fold.test for fold in folds])
    weights = {one.name: rule_weights(one.config, panel, rows.tolist()) for one in rules
               if isinstance(one.config, RuleConfig)}
    regimes, states = [], ()
    for fold in folds:
        model = HmmModel.from_bytes(fold.fitted.data)
        states = model.names
        regimes += [model.posterior(panel, int(row)) for row in fold.test]
    return Walked(rows, panel.sessions[rows], panel.names, rules, weights, np.array(regimes), states, {}, {},
                  {"hmm": folds}, digest)


def judge_rules(home: Home, settings: Settings, inputs: Inputs, prices: Prices,
                now: dt.datetime) -> tuple[JudgedNight, Any]:
    walked = walk_rules(home, settings, inputs, Ledger(home.ledger), now)
    night = judge_all(walked, prices, CostModel.default(), policy_of(settings).cost_stress)
    night.save(home)
    return night, walked
