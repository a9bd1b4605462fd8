"""Fitted models by the digest of all that went in: a killed night resumes, an unchanged one fits nothing."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.labels import TrainingSet
from pipelines import durable
from pipelines.digest import json_digest
from pipelines.home import Home
from pipelines.training.families import Config, family, identity


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


def fitted(
    home: Home, name: str, training: TrainingSet, config: Config, seed: int, *,
    on_epoch: Callable[[int, float], None] | None = None, kept: bool = True,
) -> Fitted:
    """The model of these inputs: from the home when it is there, otherwise fitted and published whole. What is not
    to be `kept` is fitted alike, and neither looked for nor published, nor is its loss measured on the way."""
    if not kept:
        return _made(name, training, "", family(name).fit(training, config, seed, None), 0.0, ())
    told = identity(name, training, config, seed)
    digest = json_digest(told)
    folder = home.work / "models" / digest
    file = family(name).file
    if (folder / "fit.json").exists():
        kept: dict[str, Any] = json.loads((folder / "fit.json").read_text())
        return Fitted(name, digest, (folder / file).read_bytes(), kept["train_rows"], kept["train_first"],
                      kept["train_last"], kept["seconds"], tuple(kept["curve"]), cached=True)
    curve: list[float] = []

    def heard(epoch: int, loss: float) -> None:
        curve.append(loss)
        if on_epoch is not None:
            on_epoch(epoch, loss)

    begun = time.perf_counter()
    data = family(name).fit(training, config, seed, heard)
    seconds = round(time.perf_counter() - begun, 3)
    made = _made(name, training, digest, data, seconds, tuple(curve))
    staging = durable.fresh_staging(folder.parent, digest)
    (staging / file).write_bytes(data)
    (staging / "fit.json").write_text(json.dumps(
        {**told, "train_rows": made.train_rows, "train_first": made.train_first, "train_last": made.train_last,
         "seconds": seconds, "curve": curve}, sort_keys=True, indent=1))
    durable.publish_dir(staging, folder, failpoint="model")
    return made


def _made(name: str, training: TrainingSet, digest: str, data: bytes, seconds: float,
          curve: tuple[float, ...]) -> Fitted:
    days = training.panel.sessions
    return Fitted(name, digest, data, len(training.rows), str(days[training.rows[0]]), str(days[training.rows[-1]]),
                  seconds, curve, cached=False)
