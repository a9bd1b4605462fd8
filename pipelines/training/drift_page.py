"""Evidently's own page on the night's drift: what the models look at, and what they said."""

import os
import warnings
from pathlib import Path

import numpy as np

from pipelines import durable
from pipelines.home import Home
from pipelines.training.decided import Decided
from pipelines.training.drift import WINDOW_SESSIONS
from pipelines.training.inputs import Inputs


def evidently_page(home: Home, inputs: Inputs, features: tuple[str, ...], window: int = WINDOW_SESSIONS,
                   decided: Decided | None = None) -> Path:
    """Under the reports, named by its inputs; made only when they are new."""
    page = home.reports / "drift" / f"{inputs.digest()[:16]}.html"
    if page.exists():
        return page
    os.environ["DO_NOT_TRACK"] = "1"
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's, about its own dependencies
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        panel = inputs.panel
        cut = len(panel.sessions) - window
        chosen = panel.select(features)
        said = _said(inputs, decided)
        columns = [*features, *said]
        values = np.concatenate([chosen.values, *(one[:, :, None] for one in said.values())], axis=2)
        frames = [pd.DataFrame(values[part][panel.tradable[part]], columns=columns)
                  for part in (slice(cut, None), slice(0, cut))]
        whole = [name for name in columns if all(frame[name].notna().any() for frame in frames)]
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


def _said(inputs: Inputs, decided: Decided | None) -> dict[str, np.ndarray]:
    """The models' scores on the panel's rows; NaN where nothing was judged."""
    if decided is None:
        return {}
    rows = np.searchsorted(inputs.panel.sessions, decided.sessions)
    told = {}
    for name, values in decided.raw.items():
        grid = np.full(inputs.panel.tradable.shape, np.nan)
        grid[rows] = values
        if np.isfinite(grid[inputs.panel.tradable]).any():
            told[f"prediction_{name}"] = grid
    return told
