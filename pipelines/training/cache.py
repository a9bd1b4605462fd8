"""Fitted models by the digest of all that went in: a killed night resumes, an unchanged one fits nothing."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.labels import TrainingSet
from pipelines import beside, durable
from pipelines.digest import json_digest
from pipelines.home import Home
from pipelines.training.families import Config, columns_of, family, identity

WORTH_A_PROCESS = 500_000  # rows to learn from: some ten seconds of fits, where another process takes three to begin


@dataclass(frozen=True)
class Fitted:
    """`curve` is the loss by epoch where the family has one; `cached` says that nothing was fitted now."""

    family: str
    digest: str
    data: bytes
    train_rows: int
    train_first: str
    train_last: str
    seconds: float
    curve: tuple[float, ...]
    cached: bool


@dataclass(frozen=True)
class Ask:
    """A model that is wanted, and how to come by what it learns from."""

    family: str
    config: Config
    cut: Callable[[], TrainingSet]


def fitted(home: Home, name: str, training: TrainingSet, config: Config, seed: int, *, kept: bool = True) -> Fitted:
    """The model of these inputs: from the home when it is there, otherwise fitted and published whole. What is not
    to be `kept` is fitted alike, and neither looked for nor published, nor is its loss measured on the way."""
    if not kept:
        return _made(name, training, "", family(name).fit(training, config, seed, None), 0.0, ())
    return next(fits(home, [Ask(name, config, lambda: training)], seed))


def fits(home: Home, asks: Sequence[Ask], seed: int) -> Iterator[Fitted]:
    """The models asked for, in that order. Many that are not in the home are learnt on two cores; each is published
    when its turn comes."""
    told, wanted, cells = [], dict[str, Ask](), 0
    for ask in asks:
        training = ask.cut()
        told.append(identity(ask.family, training, ask.config, seed))
        digest = json_digest(told[-1])
        if digest not in wanted and not _folder(home, digest).joinpath("fit.json").exists():
            wanted[digest] = ask
            cells += len(training.rows) * len(training.panel.names)
        del training  # a night's cuts together would fill the memory
    made = beside.shared if cells >= WORTH_A_PROCESS else beside.alone
    learnt = made([_call(ask, seed) for ask in wanted.values()])
    for ask, identified in zip(asks, told, strict=True):
        digest = json_digest(identified)
        if wanted.pop(digest, None) is None:
            yield read(home, ask.family, digest)
        else:
            yield _publish(home, ask.family, identified, next(learnt))


def read(home: Home, name: str, digest: str) -> Fitted:
    """A model that is in the home."""
    folder = _folder(home, digest)
    kept: dict[str, Any] = json.loads((folder / "fit.json").read_text())
    return Fitted(name, digest, (folder / family(name).file).read_bytes(), kept["train_rows"], kept["train_first"],
                  kept["train_last"], kept["seconds"], tuple(kept["curve"]), cached=True)


def _folder(home: Home, digest: str) -> Path:
    return home.work / "models" / digest


def _call(ask: Ask, seed: int) -> beside.Call:
    return lambda: (learn, (ask.family, _needed(ask.cut(), ask.config), ask.config, seed))


def _needed(training: TrainingSet, config: Config) -> TrainingSet:
    """Without the columns that a fit with this configuration does not read: most of what would go to and fro."""
    return replace(training, panel=training.panel.select(columns_of(config)))


def learn(name: str, training: TrainingSet, config: Config, seed: int) -> Fitted:
    """Fitted here and now, by whichever process; its digest is for who knows all that went in."""
    curve: list[float] = []
    begun = time.perf_counter()
    data = family(name).fit(training, config, seed, lambda step, loss: curve.append(loss))
    return _made(name, training, "", data, round(time.perf_counter() - begun, 3), tuple(curve))


def _publish(home: Home, name: str, told: dict[str, Any], learnt: Fitted) -> Fitted:
    made = replace(learnt, digest=json_digest(told))
    folder = _folder(home, made.digest)
    staging = durable.fresh_staging(folder.parent, made.digest)
    (staging / family(name).file).write_bytes(made.data)
    (staging / "fit.json").write_text(json.dumps(
        {**told, "train_rows": made.train_rows, "train_first": made.train_first, "train_last": made.train_last,
         "seconds": made.seconds, "curve": list(made.curve)}, sort_keys=True, indent=1))
    durable.publish_dir(staging, folder, failpoint="model")
    return made


def _made(name: str, training: TrainingSet, digest: str, data: bytes, seconds: float,
          curve: tuple[float, ...]) -> Fitted:
    days = training.panel.sessions
    return Fitted(name, digest, data, len(training.rows), str(days[training.rows[0]]), str(days[training.rows[-1]]),
                  seconds, curve, cached=False)
