"""Whether tonight's features are of the kind that the models were trained on: drift that vetoes, and nothing less."""

import numpy as np
import numpy.typing as npt

from models.features.panel import FeaturePanel

FloatArray = npt.NDArray[np.float64]
WIDENED_BY = 0.5  # of the range seen in training, to each side: a new record is news, another unit is a fault
MOST_OUTSIDE = 0.1  # share of tonight's values
FEWEST_SESSIONS = 60  # of which a range is one: a vendor that was connected last month has shown too little
RECENT_SESSIONS = 20
RECENTLY_PRESENT = 0.5


def strange_features(panel: FeaturePanel, trained: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(outside the range of the first `trained` decision rows, missing though lately there), of the last row."""
    outside, missing = [], []
    for column, name in enumerate(panel.features):
        tonight = panel.values[-1][panel.tradable[-1], column]
        tonight = tonight[np.isfinite(tonight)]
        if not len(tonight):
            recent = np.isfinite(panel.values[-1 - RECENT_SESSIONS : -1, :, column])
            if len(recent) and np.mean(np.any(recent, axis=1)) >= RECENTLY_PRESENT:
                missing.append(name)
            continue
        trained_on = np.logical_and(np.isfinite(panel.values[:trained, :, column]), panel.tradable[:trained])
        if trained_on.any(axis=1).sum() < FEWEST_SESSIONS:
            continue
        seen = panel.values[:trained, :, column][trained_on]
        low, high = float(seen.min()), float(seen.max())
        slack = WIDENED_BY * (high - low)
        if float(((tonight < low - slack) | (tonight > high + slack)).mean()) > MOST_OUTSIDE:
            outside.append(name)
    return tuple(outside), tuple(missing)
