"""Whether there is enough to learn from. A source may hold any subset: what cannot be learned is skipped, and said."""

from typing import Any

import numpy as np

from pipelines.home import Home
from pipelines.progress import say
from pipelines.settings import Settings
from pipelines.training.inputs import Inputs

SANDBOX_NAMES = 2  # a sandbox market is as narrow as was asked for


def lacking(settings: Settings, inputs: Inputs) -> str | None:
    """Why nothing can be trained and judged on this panel; None where it can."""
    first = settings.training.first_train_sessions
    if not inputs.panel.names:
        return "Nothing was trained or judged: there are no daily bars."
    if inputs.labelled <= first:
        return (f"Nothing was trained or judged: {inputs.labelled} decision sessions have a label, and walking forward "
                f"needs more than training.first_train_sessions = {first}.")
    fewest = SANDBOX_NAMES if settings.source == "sandbox" else settings.training.min_names
    counted = (inputs.panel.tradable & np.isfinite(inputs.returns)).sum(axis=1)[: inputs.labelled]
    # The first fold learns from the first window, the last from all: both ends must be broad.
    breadth = min(float(np.median(counted[:first])), float(np.median(counted[-first:])))
    if breadth < fewest:
        return (f"Nothing was trained or judged: a typical session has {breadth:.0f} tradable names, and a "
                f"cross-section is learned from training.min_names = {fewest} at least.")
    return None


def skip(home: Home, section: str, why: str) -> dict[str, Any]:
    """Write into tonight's story that this was skipped; returns the asset's metadata."""
    home.write_section(section, {"skipped": why, "reasons": [why]})
    say(f"    {section} skipped")
    return {"skipped": why}
