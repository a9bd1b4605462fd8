"""One strategy walked again with a bias let in on purpose: what a careless backtest of it would have looked like."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.backtest.prices import Prices
from models.labels import TrainingSet, label_lives
from models.splits import purged
from models.strategy import Models, Scores, StrategyConfig, decide_many
from pipelines.progress import say
from pipelines.training.cache import Ask, fits
from pipelines.training.folds import Bench, Fold, in_force
from pipelines.training.inputs import Inputs

Floats = NDArray[np.float64]
TOLD_EVERY = 20  # fits between two lines of progress
ENDED_SESSIONS = 5  # without an open for so long at the end of the sample: the name is gone, not halted


def survivors(prices: Prices) -> NDArray[np.bool_]:
    """(names,) what still trades when the sample ends: all that a list drawn up today would hold."""
    opened = np.isfinite(prices.open_raw)
    traded = np.flatnonzero(opened.any(axis=1))
    return np.asarray(opened[traded[-ENDED_SESSIONS:]].any(axis=0))


def among(inputs: Inputs, kept: NDArray[np.bool_]) -> Inputs:
    """The same decisions, had the universe never held any other name."""
    return replace(inputs, panel=replace(inputs.panel, tradable=inputs.panel.tradable & kept))


def redecided(config: StrategyConfig, folds: Mapping[str, list[Fold]], inputs: Inputs) -> Floats:
    """(judged sessions, names) weights by the models in force at each session."""
    panel, parts = inputs.panel, []
    for run, current in in_force(dict(folds)):
        models = Models.from_bytes(**{name: fold.fitted.data for name, fold in current.items()})
        decisions = decide_many(config, models, panel, run.tolist(), Scores(models, panel))
        parts.append(np.array([decision.weights for decision in decisions]))
    return np.concatenate(parts)


def refitted(bench: Bench, honest: Mapping[str, list[Fold]], *, purge: bool) -> dict[str, list[Fold]]:
    """Every fold of an honest walk fitted again on the bench's inputs, with the parameters that were chosen there.

    Without the purge a fold trains on everything before its test, labels that end inside the test included. The
    regimes learn from no label, so only restated inputs can change them."""
    lives = label_lives(bench.inputs.labelled, bench.strategy.horizon)
    again = [fold for name, folds in honest.items() if purge or name != "hmm" for fold in folds]

    def cut(fold: Fold) -> TrainingSet:
        begin = int(fold.test[0])
        before = np.arange(max(0, begin - (bench.window(fold.family) or begin)), begin)
        return TrainingSet.cut(bench.inputs.panel, bench.targets, purged(before, fold.test, lives) if purge else before)

    models = fits(bench.home, [Ask(fold.family, fold.config, partial(cut, fold)) for fold in again],
                  bench.settings.seed)
    made = {name: folds if name == "hmm" and not purge else [] for name, folds in honest.items()}
    for number, (fold, model) in enumerate(zip(again, models, strict=True), 1):
        made[fold.family].append(replace(fold, fitted=model, trials=()))
        if number % TOLD_EVERY == 0 and not model.cached:
            say(f"    {number} of {len(again)} fits of the biased twin")
    return made
