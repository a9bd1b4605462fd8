"""Which sessions each fold trains on and judges, and the models that were in force at each judged session."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.gbm.config import GbmConfig
from models.labels import TrainingSet, label_lives
from models.splits import WalkForwardValidator, purged
from models.strategy import StrategyConfig
from pipelines.evidence.ledger import Ledger
from pipelines.home import Home
from pipelines.progress import say
from pipelines.settings import Settings
from pipelines.training.cache import Fitted, fitted
from pipelines.training.families import Config, family
from pipelines.training.inputs import Inputs
from pipelines.training.tuning import RETUNE_SESSIONS, tuned

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """One fit of one family: judged on `test` rows of the panel; the last fit, on everything, judges none."""

    family: str
    number: int
    test: Rows
    config: Config
    fitted: Fitted
    trials: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Bench:
    """What the folds of one night share."""

    home: Home
    settings: Settings
    inputs: Inputs
    ledger: Ledger
    now: dt.datetime

    def folds(self, name: str, config: StrategyConfig) -> list[Fold]:
        """All walk-forward fits of one family, from the cache where nothing they depend on has changed."""
        chosen, training = _family_config(name, config), self.settings.training
        splits = WalkForwardValidator(training.first_train_sessions, family(name).step(training)).generate_splits(
            label_lives(self.inputs.labelled))
        made = []
        for number, split in enumerate(splits):
            made.append(self._fold(name, number, split.test, split.train, chosen))
        if not made:
            raise ValueError(
                f"{self.inputs.labelled} decision sessions with a label: walking forward needs more than "
                f"training.first_train_sessions = {training.first_train_sessions}; ingest more or train on fewer")
        return made

    def final(self, name: str, config: StrategyConfig) -> Fold:
        """The judged procedure once more, on all labels that are over before the coming session is decided."""
        coming = len(self.inputs.panel.sessions) - 1
        test = np.array([coming])
        train = purged(np.arange(min(coming, self.inputs.labelled)), test, label_lives(coming + 1))
        return self._fold(name, -1, test, train, _family_config(name, config))

    def _fold(self, name: str, number: int, test: Rows, train: Rows, config: Config) -> Fold:
        training = TrainingSet.cut(self.inputs.panel, self.inputs.returns, train)
        trials: tuple[dict[str, Any], ...] = ()
        if isinstance(config, GbmConfig):
            config, trials = self._tuned(config, int(test[0]))
        model = fitted(self.home, name, training, config, self.settings.seed)
        if not model.cached:
            place = "final" if number < 0 else f"fold {number + 1}"
            say(f"    {name} {place}: {len(train)} sessions to {model.train_last}, {model.seconds:.1f} s")
        return Fold(name, number, test, config, model, trials)

    def _tuned(self, config: GbmConfig, begin: int) -> tuple[GbmConfig, tuple[dict[str, Any], ...]]:
        """Parameters chosen at the last retuning before `begin`, from what could be trained on by then."""
        first = self.settings.training.first_train_sessions
        at = first + (begin - first) // RETUNE_SESSIONS * RETUNE_SESSIONS if begin >= first else begin
        known = purged(np.arange(at), np.array([at]), label_lives(at + 1))
        known = known[known < self.inputs.labelled]
        best, trials = tuned(
            self.home, self.ledger, TrainingSet.cut(self.inputs.panel, self.inputs.returns, known), config,
            trials=self.settings.training.optuna_trials, seed=self.settings.seed, now=self.now)
        return best, tuple(trials)


def _family_config(name: str, config: StrategyConfig) -> Config:
    return {"hmm": config.hmm, "gbm": config.gbm, "gnn": config.gnn}[name]


def in_force(folds: dict[str, list[Fold]]) -> Iterator[tuple[Rows, dict[str, Fold]]]:
    """Runs of judged rows over which no family changed its model, each with the folds in force."""
    begins = sorted({int(fold.test[0]) for one in folds.values() for fold in one})
    last = max(int(fold.test[-1]) for one in folds.values() for fold in one)
    for begin, stop in zip(begins, [*begins[1:], last + 1], strict=True):
        current = {name: [fold for fold in one if int(fold.test[0]) <= begin][-1] for name, one in folds.items()}
        yield np.arange(begin, stop), current
