"""Why a value is none: a plain sentence, and whether anybody should worry."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.features.feature import Feature
from models.features.panel import BarPanel

# history: the past is shorter than the look-back. source: nobody ever told an input. gap: told before, and missing now.
# formula: everything is told, and the formula has no value of it (nothing to divide by, no crossing to find).
Kind = Literal["history", "source", "gap", "formula"]


@dataclass(frozen=True)
class Missing:
    kind: Kind
    words: str

    @property
    def worrying(self) -> bool:
        """Only what stopped coming: the rest is so by right."""
        return self.kind == "gap"


def why_missing(panel: BarPanel, feature: Feature, name: int) -> Missing:
    """Of the panel's last bar, for the name at this place."""
    held, wanted = len(panel.sessions), feature.look_back
    told = {one: np.isfinite(panel.columns[one][-wanted:, name]) for one in feature.inputs}
    never = [one for one in feature.inputs if not np.isfinite(panel.columns[one][:, name]).any()]
    if never:
        return Missing("source", f"nothing held tells {_listed(never)}")
    if held < wanted:
        return Missing("history", f"{held} of the {wanted} bars that it looks back on are held")
    gone = [one for one, known in told.items() if not known[-1]]
    if gone:
        return Missing("gap", f"{_listed(gone)} missing in the newest bar")
    holes = [one for one, known in told.items() if not known.all()]
    if holes:
        most = max(int((~told[one]).sum()) for one in holes)
        since = max(int(np.argmax(told[one])) for one in holes)
        if since == most:
            return Missing("history", f"{_listed(holes)} told for {wanted - most} of the {wanted} bars looked back on")
        return Missing("gap", f"{_listed(holes)} missing in {most} of the {wanted} bars looked back on")
    return Missing("formula", "every input is told, and the formula has no value of them")


def _listed(names: list[str]) -> str:
    return ", ".join(names)
