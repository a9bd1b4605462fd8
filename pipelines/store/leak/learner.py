"""A family as the leak gate sees it: fitted walk-forward from knowledge alone, and everything it says kept as bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labels import TrainingSet, label_lives, precision_targets
from models.splits import Split, purged
from pipelines.store.leak.models import Known, Told
from pipelines.training.families import family

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Walk:
    """`first` decisions are trained on before the first fold, whose model judges the next `step`."""

    name: str
    config: Any
    first: int = 252
    step: int = 63
    seed: int = 7
    risk_window: int = 120
    risk_shrink: float = 0.3

    def splits(self, known: Known, row: int) -> list[tuple[Split, Rows]]:
        lives = label_lives(row + self.step + 1, known.horizon)
        return [(Split(self.training_rows(begin, lives), np.arange(begin, begin + self.step)), lives)
                for begin in range(self.first, row + 1, self.step)]

    def training_rows(self, begin: int, lives: Rows) -> Rows:
        """What may be trained on before the fold that begins there."""
        return purged(np.arange(begin), np.array([begin]), lives)

    def prepared(self, known: Known) -> Known:
        """What a fit is given."""
        return known

    def chosen(self, known: Known, training: TrainingSet, test: Rows) -> Any:
        """The configuration of a fold."""
        return self.config

    def said(self, model: Any, known: Known, row: int) -> Iterator[Told]:
        """What the model in force says at a decision."""
        scores = family(self.name).score(model, known.panel, row)
        what = f"{self.name} {'regimes' if self.name == 'hmm' else 'scores'}"
        yield Told(what, row, np.ascontiguousarray(scores).tobytes())

    def tell(self, known: Known, row: int) -> Iterator[Told]:
        known = self.prepared(known)
        targets = precision_targets(known.panel, known.returns, known.horizon, self.risk_window, self.risk_shrink)
        for split, _ in self.splits(known, row):
            training = TrainingSet.cut(known.panel, targets, split.train)
            config = self.chosen(known, training, split.test)
            data = family(self.name).fit(training, config, self.seed, None)
            yield Told(f"{self.name} model", int(split.test[0]), data, fitted=True)
            model = family(self.name).load(data)
            for judged in split.test[split.test <= row]:
                yield from self.said(model, known, int(judged))
