"""Whether there is enough to learn from. A source may hold any subset: what cannot be learned is skipped, and said."""

from typing import Any

import numpy as np

from pipelines.home import Home
from pipelines.progress import say
from pipelines.settings import Settings
from pipelines.training.inputs import Inputs

SANDBOX_NAMES = 2  # a sandbox market is as narrow as was asked for


def lacking(settings: Settings, inputs: Inputs) -> str | None:
    """Why nothing can be learned of the cross-section, and so nothing promoted; None where it can."""
    return untrainable(settings, inputs) or narrow(settings, inputs)


def untrainable(settings: Settings, inputs: Inputs) -> str | None:
    """Why not even regimes can be trained and rules judged; None where they can."""
    first = settings.training.first_train_sessions
    if not inputs.panel.names:
        return "Nothing was trained or judged: there are no daily bars."
    if inputs.labelled <= first:
        return (f"Nothing was trained or judged: {inputs.labelled} decision sessions have a label, and walking forward "
                f"needs more than training.first_train_sessions = {first}.")
    return None


def narrow(settings: Settings, inputs: Inputs) -> str | None:
    """Why there is no cross-section to learn from, though there are sessions enough."""
    first = settings.training.first_train_sessions
    fewest = SANDBOX_NAMES if settings.source == "sandbox" else settings.training.min_names
    counted = (inputs.panel.tradable & np.isfinite(inputs.returns)).sum(axis=1)[: inputs.labelled]
    # The first fold learns from the first window, the last from all: both ends must be broad.
    breadth = min(float(np.median(counted[:first])), float(np.median(counted[-first:])))
    if breadth >= fewest:
        return None
    return (f"No strategy was learned: a typical session has {breadth:.0f} tradable names, and a cross-section needs "
            f"training.min_names = {fewest} at least.")


def skip(home: Home, section: str, why: str) -> dict[str, Any]:
    """Write into tonight's story that this was skipped; returns the asset's metadata."""
    home.write_section(section, {"skipped": why, "reasons": [why]})
    say(f"    {section} skipped")
    return {"skipped": why}


def skip_family(home: Home, name: str, why: str) -> dict[str, Any]:
    """The same of one family, where others are trained."""
    section = home.read_section("training")
    families = {**section.get("families", {}), name: {"skipped": why, "folds": []}}
    home.write_section("training", {"families": families, "trials": section.get("trials", 0)})
    say(f"    {name} skipped")
    return {"skipped": why}
