"""What a bundle decided where it was made; a loader must come to the same before it may decide anything else."""

import numpy as np
import numpy.typing as npt

from models import tensors
from models.snapshot import Snapshot
from models.strategy import Decision, Models, StrategyConfig, decide

FloatArray = npt.NDArray[np.float64]
# LightGBM and the regime filter repeat exactly; matrix products may round otherwise on another processor.
RELATIVE_TOLERANCE = {"regime": 0.0, "gbm": 0.0, "gnn": 1e-9, "score": 1e-9, "weights": 1e-9}


def _outputs(decision: Decision) -> dict[str, FloatArray]:
    return {"regime": np.array([decision.regime[state] for state in sorted(decision.regime)]), "gbm": decision.gbm,
            "gnn": decision.gnn, "score": decision.score, "weights": decision.weights}


def make(strategy: StrategyConfig, models: Models, snapshot: Snapshot) -> bytes:
    """The outputs of one decision on the snapshot's own panel, which is the input."""
    return tensors.write(_outputs(decide(strategy, models, snapshot.panel)))


def differences(expected: bytes, strategy: StrategyConfig, models: Models, snapshot: Snapshot) -> list[str]:
    """What does not repeat, in words; empty when all does."""
    try:
        told = tensors.read(expected)
        found = _outputs(decide(strategy, models, snapshot.panel))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return [f"nothing could be decided ({error})"]
    if set(told) != set(found):
        return [f"outputs {sorted(told)} in place of {sorted(found)}"]
    wrong = []
    for name, tolerance in RELATIVE_TOLERANCE.items():
        if told[name].shape != found[name].shape:
            wrong.append(f"{name} has another shape")
        elif not np.allclose(found[name], told[name], rtol=tolerance, atol=tolerance, equal_nan=True):
            wrong.append(f"{name} by up to {np.nanmax(np.abs(found[name] - told[name])):.3g}")
    return wrong
