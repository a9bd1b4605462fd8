"""Walk every candidate forward: each judged session decided by models that were fitted before it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crosssection import rank_correlation
from models.signals.rules import RuleConfig, rule_weights
from models.strategy import Models, Scores, StrategyConfig, decide_many
from pipelines.evidence.ledger import Ledger, Trial
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.training.candidates import TARGET, Candidate, candidates
from pipelines.training.families import FAMILIES
from pipelines.training.folds import Bench, Fold, in_force
from pipelines.training.inputs import Inputs

Floats = NDArray[np.float64]
NO_WAY_OF_WALKING = {"reserve_share", "min_names", "boost_rounds", "gnn_epochs", "hmm", "gbm", "gnn"}  # or in the key


@dataclass(frozen=True)
class Walked:
    """What is judged: for each candidate the weights of every judged session, decided out of sample."""

    rows: NDArray[np.intp]  # of the panel
    sessions: NDArray[np.datetime64]
    names: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    weights: dict[str, Floats]  # by candidate name, (judged sessions, names)
    regimes: Floats  # (judged sessions, states) filtered posterior
    states: tuple[str, ...]
    rank_ic: dict[str, Floats]  # 'gbm' and 'gnn' by judged session
    raw: dict[str, Floats]  # what each of the two said, (judged sessions, names)
    folds: dict[str, list[Fold]]
    data_digest: str


@dataclass(frozen=True)
class Final:
    """The judged procedure refit on all data to the cut: what a bundle carries."""

    config: StrategyConfig  # as judged: its key() is the trial's
    hmm: bytes
    gbm: bytes
    gnn: bytes
    folds: dict[str, Fold]

    def models(self) -> Models:
        return Models.from_bytes(hmm=self.hmm, gbm=self.gbm, gnn=self.gnn)


def walk_forward(home: Home, settings: Settings, inputs: Inputs, ledger: Ledger, now: dt.datetime,
                 chosen: tuple[Candidate, ...] | None = None, *, beside: bool = True) -> Walked:
    """Fit what is not yet fitted, write every candidate down as a trial, then decide all judged sessions.

    Without `beside`, what no verdict asks for is left out: fits on the disk and their losses, what each family said and
    how it correlated with what came, and a graph that has no say. What is decided is the same."""
    panel = inputs.panel
    judged = chosen or candidates(settings, panel.features)
    bench = Bench(home, settings, inputs, ledger, now, _shared_models(judged), kept=beside)
    folds = {name: bench.folds(name) for name in FAMILIES}
    digest = inputs.digest()
    detail = {"data": digest, **_walk_of(settings)}
    ledger.register_many(
        [Trial("outer", TARGET, one.key, settings.seed, {"name": one.name, **detail}) for one in judged], now)
    rows = np.concatenate([run for run, _ in in_force(folds)])
    weights = {one.name: np.zeros((len(rows), len(panel.names))) for one in judged}
    regimes, states = np.zeros((len(rows), 0)), ()
    skill = {"gbm": np.full(len(rows), np.nan), "gnn": np.full(len(rows), np.nan)}
    raw = {name: np.full((len(rows), len(panel.names)), np.nan) for name in skill}
    asked = beside or any(isinstance(one.config, StrategyConfig) and one.config.blend_gnn for one in judged)
    for run, current in in_force(folds):
        at = run - rows[0]
        models = Models.from_bytes(**{name: fold.fitted.data for name, fold in current.items()})
        scores = Scores(models, panel, graph=asked)
        for one in judged:
            if isinstance(one.config, RuleConfig):
                weights[one.name][at] = rule_weights(one.config, panel, run.tolist())
            else:
                decisions = decide_many(one.config, models, panel, run.tolist(), scores)
                weights[one.name][at] = [decision.weights for decision in decisions]
        states = models.hmm.names
        regimes = regimes if regimes.shape[1] else np.zeros((len(rows), len(states)))
        for place, row in zip(at, run, strict=True):
            regimes[place] = scores.regime(int(row))
            if not beside:
                continue
            gbm, gnn = scores.at(int(row))
            raw["gbm"][place], raw["gnn"][place] = gbm, gnn
            skill["gbm"][place] = rank_correlation(gbm, inputs.returns[row])
            skill["gnn"][place] = rank_correlation(gnn, inputs.returns[row])
    return Walked(rows, panel.sessions[rows], panel.names, judged, weights, regimes, states, skill, raw, folds,
                  digest)


def _walk_of(settings: Settings) -> dict[str, Any]:
    """How it is walked where not in the house's way: the same configuration trained otherwise is another trial."""
    told = settings.training.model_dump(exclude_defaults=True, exclude=NO_WAY_OF_WALKING)
    return {"walk": told} if told else {}


def _shared_models(judged: tuple[Candidate, ...]) -> StrategyConfig:
    """Tonight's strategies differ in their position rule only, so that one walk fits the models of all."""
    learned = [one.config for one in judged if isinstance(one.config, StrategyConfig)]
    fitted_alike = {(one.gbm, one.gnn, one.hmm, one.horizon, one.risk_window, one.risk_shrink) for one in learned}
    if len(fitted_alike) != 1:
        raise ValueError("walk_forward takes strategies whose models and targets are the same; walk others in a call "
                         "of their own")
    return learned[0]


def fit_final(home: Home, settings: Settings, inputs: Inputs, config: StrategyConfig, ledger: Ledger,
              now: dt.datetime) -> Final:
    """The same fits as the last fold's, on every label that is over before the coming session is decided."""
    bench = Bench(home, settings, inputs, ledger, now, config)
    folds = {name: bench.final(name) for name in FAMILIES}
    return Final(config, folds["hmm"].fitted.data, folds["gbm"].fitted.data, folds["gnn"].fitted.data, folds)
