"""The page's chapters, in the order in which a person wants them."""

from pipelines.report.parts import (
    baselines,
    bundle,
    changes,
    data,
    decay,
    drift,
    features,
    gate,
    judged,
    ladder,
    leak,
    live,
    training,
    twin,
)
from pipelines.report.parts.part import Part

PARTS: tuple[Part, ...] = (
    changes.PART,
    judged.PART,
    gate.PART,
    baselines.PART,
    ladder.PART,
    live.PART,
    twin.PART,
    data.PART,
    features.PART,
    leak.PART,
    drift.PART,
    decay.PART,
    training.PART,
    bundle.PART,
)
