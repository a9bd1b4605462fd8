"""The three model families as the night sees them: how each is fitted, on which columns, and how often."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import models
from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.hmm.config import HmmConfig
from models.labels import TrainingSet
from models.options import told as told_of
from pipelines.settings import Training

Config = GbmConfig | GnnConfig | HmmConfig
FAMILIES = ("hmm", "gbm", "gnn")


@dataclass(frozen=True)
class Family:
    name: str
    file: str  # what its bytes are called in a bundle
    library: str  # whose release is part of what a fit depends on
    shared: tuple[str, ...]  # source files outside its folder that its fit runs through

    def step(self, training: Training) -> int:
        """Decision sessions between refits."""
        return training.step_sessions if self.name == "gbm" else training.slow_step_sessions

    def fit(self, training: TrainingSet, config: Any, seed: int, on_epoch: Callable[[int, float], None]) -> bytes:
        if self.name == "hmm":
            from models.hmm.fit import fit as fit_hmm

            return fit_hmm(training, config, seed)
        if self.name == "gbm":
            from models.gbm.fit import fit as fit_gbm

            return fit_gbm(training, config, seed)
        from models.gnn.fit import fit as fit_gnn

        return fit_gnn(training, config, seed, on_epoch)


_BY_NAME = {
    "hmm": Family("hmm", "hmm.json", "hmmlearn", ("labels.py",)),
    "gbm": Family("gbm", "gbm.txt", "lightgbm", ("labels.py", "crosssection.py")),
    "gnn": Family("gnn", "gnn.safetensors", "torch", ("labels.py", "crosssection.py")),
}


def family(name: str) -> Family:
    return _BY_NAME[name]


def columns_of(config: Config) -> tuple[str, ...]:
    """Columns of the panel that a fit with this configuration reads."""
    if isinstance(config, GbmConfig):
        return (*config.features, *config.context)
    if isinstance(config, GnnConfig):
        return tuple(dict.fromkeys((*config.features, config.returns)))
    return config.features


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
