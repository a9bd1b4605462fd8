"""Which sessions each fold trains on and judges, and the models that were in force at each judged session."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.gbm.config import GbmConfig
from models.labels import TrainingSet, label_lives, precision_targets
from models.splits import WalkForwardValidator, purged
from models.strategy import StrategyConfig
from pipelines.evidence.ledger import Ledger
from pipelines.home import Home
from pipelines.progress import say
from pipelines.settings import Settings, Training
from pipelines.training.cache import Ask, Fitted, fits, fitted
from pipelines.training.families import FAMILIES, Config, family
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
    """What all folds of one strategy's models share tonight."""

    home: Home
    settings: Settings
    inputs: Inputs
    ledger: Ledger
    now: dt.datetime
    strategy: StrategyConfig
    heard: Callable[[str], object] | None = None  # each fit as it is done, for whoever watches the run's page
    kept: bool = True  # fits are published, with their losses; otherwise they serve this walk and are gone

    @cached_property
    def targets(self) -> NDArray[np.float64]:
        """(sessions, names) what the fits learn; a row's life is the strategy's horizon."""
        one = self.strategy
        return precision_targets(self.inputs.panel, self.inputs.returns, one.horizon, one.risk_window, one.risk_shrink)

    def targets_at(self, begin: int) -> NDArray[np.float64]:
        """The targets that a fold which begins at this row could know: of returns as they were told by then."""
        one, known = self.strategy, self.inputs.as_known(begin)
        if known is self.inputs.returns:
            return self.targets
        return precision_targets(self.inputs.panel, known, one.horizon, one.risk_window, one.risk_shrink)

    def folds(self, name: str) -> list[Fold]:
        """All walk-forward fits of one family, from the cache where nothing they depend on has changed."""
        training = self.settings.training
        walk = WalkForwardValidator(training.first_train_sessions, family(name).step(training), self.window(name))
        splits = walk.generate_splits(label_lives(self.inputs.labelled, self.strategy.horizon))
        made = self._folds(name, [(number, split.test, split.train) for number, split in enumerate(splits)])
        if not made:
            raise ValueError(
                f"{self.inputs.labelled} decision sessions with a label: walking forward needs more than "
                f"training.first_train_sessions = {training.first_train_sessions}; ingest more or train on fewer")
        return made

    def final(self, name: str) -> Fold:
        """The judged procedure once more, on all labels that are over before the coming session is decided."""
        coming = len(self.inputs.panel.sessions) - 1
        return self._folds(name, [(-1, np.array([coming]), self._known_before(coming, name))])[0]

    def window(self, name: str) -> int | None:
        """Sessions that a family looks back at most, where it does not look at all."""
        told: int | None = getattr(self.settings.training, f"{name}_window_sessions", None)
        return told

    def _known_before(self, row: int, name: str) -> Rows:
        """Rows whose targets are over when `row` is decided, no older than the family's window."""
        known = np.arange(max(0, row - (self.window(name) or row)), min(row, self.inputs.labelled))
        return purged(known, np.array([row]), label_lives(row + 1, self.strategy.horizon))

    def _cut(self, rows: Rows, begin: int) -> TrainingSet:
        return TrainingSet.cut(self.inputs.panel, self.targets_at(begin), rows)

    def at(self, name: str, row: int) -> tuple[TrainingSet, Config]:
        """What a fold that begins at `row` is fitted on, and in which configuration."""
        config: Config = {"hmm": self.strategy.hmm, "gbm": self.strategy.gbm, "gnn": self.strategy.gnn}[name]
        chosen = self._tuned(config, row)[0] if isinstance(config, GbmConfig) else config
        return self._cut(self._known_before(row, name), row), chosen

    def _folds(self, name: str, cuts: list[tuple[int, Rows, Rows]]) -> list[Fold]:
        """Each of (number, rows judged, rows to train on) in the configuration that was chosen for it."""
        config: Config = {"hmm": self.strategy.hmm, "gbm": self.strategy.gbm, "gnn": self.strategy.gnn}[name]
        chosen = [self._tuned(config, int(test[0])) if isinstance(config, GbmConfig) else (config, ())
                  for _, test, _ in cuts]
        asks = [Ask(name, one, partial(self._cut, train, int(test[0])))
                for (one, _), (_, test, train) in zip(chosen, cuts, strict=True)]
        if self.kept:
            models = fits(self.home, asks, self.settings.seed)
        else:
            models = (fitted(self.home, name, ask.cut(), ask.config, self.settings.seed, kept=False) for ask in asks)
        made = []
        for (number, test, train), (one, trials), model in zip(cuts, chosen, models, strict=True):
            if self.kept and not model.cached:
                self._tell(name, number, len(train), model)
            made.append(Fold(name, number, test, one, model, trials))
        return made

    def _tell(self, name: str, number: int, sessions: int, model: Fitted) -> None:
        place = "final" if number < 0 else f"fold {number + 1}"
        done = f"{name} {place}: {sessions} sessions to {model.train_last}, {model.seconds:.1f} s"
        say(f"    {done}")
        if self.heard is not None:
            self.heard(done)

    def _tuned(self, config: GbmConfig, begin: int) -> tuple[GbmConfig, tuple[dict[str, Any], ...]]:
        """Parameters chosen at the last retuning before `begin`, from what could be trained on by then."""
        first = self.settings.training.first_train_sessions
        at = min(begin, first + max(0, begin - first) // RETUNE_SESSIONS * RETUNE_SESSIONS)
        if self.settings.training.optuna_trials == 0:
            return config, ()
        best, trials = tuned(
            self.home, self.ledger, self._cut(self._known_before(at, "gbm"), at), config, self.strategy.horizon,
            trials=self.settings.training.optuna_trials, seed=self.settings.seed, now=self.now,
            prune=self.settings.training.optuna_prune)
        return best, tuple(trials)


def fold_begins(training: Training, labelled: int) -> list[int]:
    """First rows of all folds of all families."""
    steps = {family(name).step(training) for name in FAMILIES}
    return sorted({row for step in steps for row in range(training.first_train_sessions, labelled, step)})


def in_force(folds: dict[str, list[Fold]]) -> Iterator[tuple[Rows, dict[str, Fold]]]:
    """Runs of judged rows over which no family changed its model, each with the folds in force."""
    begins = sorted({int(fold.test[0]) for one in folds.values() for fold in one})
    last = max(int(fold.test[-1]) for one in folds.values() for fold in one)
    for begin, stop in zip(begins, [*begins[1:], last + 1], strict=True):
        current = {name: [fold for fold in one if int(fold.test[0]) <= begin][-1] for name, one in folds.items()}
        yield np.arange(begin, stop), current
