"""The three model families as the night sees them: how each is fitted, on which columns, and how often."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import models
from models.features.panel import FeaturePanel
from models.gbm.config import GbmConfig
from models.gbm.score import GbmModel
from models.gnn.config import GnnConfig
from models.gnn.score import GnnModel
from models.hmm.config import HmmConfig
from models.hmm.score import HmmModel
from models.labels import TrainingSet
from models.options import told as told_of
from pipelines.settings import Training

Config = GbmConfig | GnnConfig | HmmConfig


@dataclass(frozen=True)
class Family:
    """`small` makes its least useful configuration of (columns of single names, market-wide columns)."""

    name: str
    file: str  # what its bytes are called in a bundle
    library: str  # whose release is part of what a fit depends on
    shared: tuple[str, ...]  # source files outside its folder that its fit runs through
    scorer: Any  # from_bytes, then posterior or score
    small: Callable[[tuple[str, ...], tuple[str, ...]], Any]
    slow: bool = True  # refitted every `slow_step_sessions`

    def step(self, training: Training) -> int:
        """Decision sessions between refits."""
        return training.slow_step_sessions if self.slow else training.step_sessions

    def fit(self, training: TrainingSet, config: Any, seed: int, on_step: Callable[[int, float], None] | None) -> bytes:
        """By the heavy library of its `fit.py`; `on_step` hears (step, loss) as it learns."""
        return bytes(import_module(f"models.{self.name}.fit").fit(training, config, seed, on_step))

    def load(self, data: bytes) -> Any:
        return self.scorer.from_bytes(data)

    def score(self, model: Any, panel: FeaturePanel, row: int) -> NDArray[np.float64]:
        """What the model says at the panel's `row`: of each name, or of each regime."""
        said: NDArray[np.float64] = (model.posterior if hasattr(model, "posterior") else model.score)(panel, row)
        return said


_BY_NAME = {one.name: one for one in (
    Family("hmm", "hmm.json", "hmmlearn", ("labels.py", "options.py"), HmmModel,
           lambda own, market: HmmConfig(market, iterations=5, min_sessions=40, window=20)),
    Family("gbm", "gbm.txt", "lightgbm",
           ("labels.py", "crosssection.py", "labelling/weights.py", "options.py", "splits.py"), GbmModel,
           lambda own, market: GbmConfig(own, market, rounds=8, min_leaf=40), slow=False),
    Family("gnn", "gnn.safetensors", "torch",
           ("labels.py", "crosssection.py", "features/graph/edges.py", "options.py"), GnnModel,
           lambda own, market: GnnConfig(own, epochs=2, graph_window=30, hidden=8)),
)}
FAMILIES = tuple(_BY_NAME)


def family(name: str) -> Family:
    return _BY_NAME[name]


def columns_of(config: Config) -> tuple[str, ...]:
    """Columns of the panel that a fit with this configuration reads."""
    return config.columns


@lru_cache
def code_digest(name: str) -> str:
    """Digest of the code a fit runs through, its library's release included: other code is another model."""
    one, root = _BY_NAME[name], Path(models.__file__).parent
    told = hashlib.sha256(f"{one.library} {metadata.version(one.library)}".encode())
    for path in (*sorted((root / name).glob("*.py")), *(root / shared for shared in one.shared)):
        told.update(path.name.encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


def identity(name: str, training: TrainingSet, config: Config, seed: int) -> dict[str, Any]:
    """All that a fitted model is a function of."""
    return {"family": name, "config": told_of(config), "seed": seed, "code": code_digest(name),
            "data": training.digest(columns_of(config))}
