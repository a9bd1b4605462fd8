"""Learners that look ahead, each in the one way it is named by; what they are made of is the house's own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crosssection import rank_correlation
from models.gnn.graph import session_graph
from models.hmm.score import HmmModel, market_features
from models.labels import TrainingSet, label_lives
from models.splits import Split
from pipelines.store.leak import Known, Told, Walk
from pipelines.training.families import family
from tests.test_models import planted

Rows = NDArray[np.intp]
SIZES = {"first": 90, "step": 30, "risk_window": 40}


def honest(name: str) -> Walk:
    return Walk(name, family(name).small(planted.OWN, planted.MARKET), **SIZES)


class WholeSampleScale(Walk):
    """L5: columns are centred and scaled by all sessions before anything is split."""

    def prepared(self, known: Known) -> Known:
        values = known.panel.values
        scaled = (values - np.nanmean(values, axis=(0, 1))) / np.nanstd(values, axis=(0, 1))
        return replace(known, panel=replace(known.panel, values=np.ascontiguousarray(scaled)))


class WholeSampleComponents(Walk):
    """L5: names' columns are turned into the principal components of all sessions."""

    def prepared(self, known: Known) -> Known:
        panel = known.panel
        columns = [panel.features.index(name) for name in planted.OWN]
        own = panel.values[:, :, columns]
        rows = own.reshape(-1, len(columns))
        loadings = np.linalg.eigh(np.cov(rows[np.isfinite(rows).all(axis=1)].T))[1]
        values = panel.values.copy()
        values[:, :, columns] = own @ loadings
        return replace(known, panel=replace(panel, values=values))


class NotPurged(Walk):
    """L6: every row before the test is trained on, whatever its label still lives for."""

    def training_rows(self, begin: int, lives: Rows) -> Rows:
        return np.arange(begin)


class TunedOnTheTest(Walk):
    """L12: of two configurations the one that ranks the judged sessions better."""

    def chosen(self, known: Known, training: TrainingSet, test: Rows) -> Any:
        kinds = (self.config, replace(self.config, rounds=3, learning_rate=0.3))
        rows = test[test < len(known.panel.sessions)]

        def skill(config: Any) -> float:
            model = family(self.name).load(family(self.name).fit(training, config, self.seed, None))
            each = [rank_correlation(model.score(known.panel, int(row)), known.returns[row]) for row in rows]
            return float(np.nanmean(each)) if np.isfinite(each).any() else 0.0

        return max(kinds, key=skill)


class Smoothed(Walk):
    """Regimes from both sides: the forward pass times one that comes back from the end."""

    def said(self, model: HmmModel, known: Known, row: int) -> Iterator[Told]:
        panel = known.panel
        observed = (market_features(panel, model.features, 0, len(panel.sessions)) - model.centre) / model.scale
        both = model.filter(observed) * model.filter(observed[::-1])[::-1] / model.stationary
        yield Told("hmm regimes", row, (both[row] / both[row].sum()).tobytes())


class WholeSampleGraph(Walk):
    """L14: who hears whom is drawn once, from all sessions."""

    def said(self, model: Any, known: Known, row: int) -> Iterator[Told]:
        newest = session_graph(known.panel, len(known.panel.sessions) - 1, self.config)
        yield Told("gnn graph", row, np.packbits(newest.hears).tobytes())


@dataclass(frozen=True)
class MetaLearner:
    """A second model that learns when the first is right, from labels of the first one's sides. `out_of_fold`: the
    first is asked for a session's side before it is fitted on it; else of the rows that it was fitted on, L15."""

    out_of_fold: bool
    primary: Walk

    def splits(self, known: Known, row: int) -> list[tuple[Split, Rows]]:
        return self.primary.splits(known, row)

    def tell(self, known: Known, row: int) -> Iterator[Told]:
        sides: dict[int, NDArray[np.float64]] = {}
        lives = label_lives(len(known.panel.sessions), 1)
        for one in self.primary.tell(known, row):
            if one.what == "gbm scores":
                sides.setdefault(one.row, np.sign(np.frombuffer(one.value)))
            elif one.what == "gbm model":
                if not self.out_of_fold:
                    model = family("gbm").load(one.value)
                    rows = self.primary.training_rows(one.row, lives)
                    sides |= {int(back): np.sign(model.score(known.panel, int(back))) for back in rows}
                yield Told("meta model", one.row, self._fitted(known, sides, one.row), fitted=True)
        yield from (Told("side of the first model", back, side.tobytes()) for back, side in sorted(sides.items()))

    def _fitted(self, known: Known, sides: dict[int, NDArray[np.float64]], begin: int) -> bytes:
        """How often following a side paid, by side: over the sessions whose returns are known."""
        paid = [np.stack([side, side * known.returns[row] > 0.0]) for row, side in sides.items() if row < begin - 1]
        told = np.concatenate(paid, axis=1) if paid else np.zeros((2, 0))
        return np.array([np.mean(told[1][told[0] == side]) if (told[0] == side).any() else 0.5
                         for side in (-1.0, 1.0)]).tobytes()


@dataclass(frozen=True)
class PlantedLearner:
    """`what` moved, and words of the `reason` and the `input` that must be in its finding."""

    label: str
    learner: Callable[[], Any]
    what: str
    reason: str
    input: str


def _as(kind: type[Walk], name: str) -> Callable[[], Walk]:
    return lambda: kind(name, family(name).small(planted.OWN, planted.MARKET), **SIZES)


LEARNERS = (
    PlantedLearner("L5-scale", _as(WholeSampleScale, "hmm"), "hmm model", "of the whole sample", "features after"),
    PlantedLearner("L5-components", _as(WholeSampleComponents, "gbm"), "gbm model", "of the whole sample",
                   "features after"),
    PlantedLearner("L6-no-purge", _as(NotPurged, "gbm"), "training labels", "not purged", "labels"),
    PlantedLearner("L6-no-purge", _as(NotPurged, "gbm"), "gbm model", "labels that were not over yet", "unfinished"),
    PlantedLearner("L12-tuned", _as(TunedOnTheTest, "gbm"), "gbm model", "that it is judged on", "outcomes after"),
    PlantedLearner("L1-smoothed", _as(Smoothed, "hmm"), "hmm regimes", "smoothed", "features after"),
    PlantedLearner("L14-graph", _as(WholeSampleGraph, "gnn"), "gnn graph", "of the whole sample", "features after"),
    PlantedLearner("L15-in-sample", lambda: MetaLearner(False, honest("gbm")), "side of the first model",
                   "not out of fold", "later decisions"),
)
