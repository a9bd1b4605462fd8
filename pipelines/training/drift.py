"""Drift of the night: the newest sessions against those the final models were trained on."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from models.hmm.score import market_features
from models.strategy import StrategyConfig
from models.validation.drift import out_of_range, population_stability, unusual_level
from pipelines import durable
from pipelines.home import Home
from pipelines.training.inputs import Inputs

WINDOW_SESSIONS = 63


def measure(inputs: Inputs, strategy: StrategyConfig, window: int = WINDOW_SESSIONS) -> dict[str, Any]:
    """PSI by feature with the level that calm stretches of the training span reach by themselves."""
    panel, features = inputs.panel, strategy.features
    own = {*strategy.gbm.features, *strategy.gnn.features, strategy.gnn.returns}
    cut = len(panel.sessions) - window
    told: dict[str, Any] = {}
    for name in features:
        shared = name not in own  # every name repeats it: one column is all there is to know
        values = (market_features(panel, (name,), 0, len(panel.sessions)) if shared
                  else np.where(panel.tradable, panel.column(name), np.nan))
        reference, current = values[:cut], values[cut:]
        psi, level = population_stability(reference.ravel(), current.ravel()), unusual_level(reference, window)
        outside = out_of_range(reference, current)
        told[name] = {
            "psi": _number(psi), "unusual_level": _number(level), "outside_training_range": _number(outside),
            "missing_share": float(1.0 - np.isfinite(current if shared else current[panel.tradable[cut:]]).mean()),
            "alarm": bool(np.isfinite(psi) and np.isfinite(level) and psi > level),
        }
    return {"features": told, "alarms": [name for name, one in told.items() if one["alarm"]],
            "reference_sessions": cut, "current_sessions": window}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def evidently_page(home: Home, inputs: Inputs, features: tuple[str, ...], window: int = WINDOW_SESSIONS) -> Path:
    """Evidently's own page under the reports, named by its inputs; made only when they are new."""
    page = home.reports / "drift" / f"{inputs.digest()[:16]}.html"
    if page.exists():
        return page
    os.environ["DO_NOT_TRACK"] = "1"
    import warnings

    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's, about its own dependencies
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        panel = inputs.panel
        cut = len(panel.sessions) - window
        chosen = panel.select(features)
        frames = [pd.DataFrame(chosen.values[part][panel.tradable[part]], columns=list(features))
                  for part in (slice(cut, None), slice(0, cut))]
        whole = [name for name in features if all(frame[name].notna().any() for frame in frames)]
        definition = DataDefinition(numerical_columns=whole)
        current, reference = (Dataset.from_pandas(frame[whole], data_definition=definition) for frame in frames)
        preset = DataDriftPreset(columns=whole, num_method="psi", num_threshold=0.2)
        snapshot = Report([preset]).run(current, reference)
        staged = page.with_name(f".{page.name}")
        staged.parent.mkdir(parents=True, exist_ok=True)
        snapshot.save_html(str(staged))
    data = staged.read_bytes()
    staged.unlink()  # before the page is there: once it is, nobody comes this way again to tidy up
    durable.write_atomic(page, data, failpoint="drift")
    return page
