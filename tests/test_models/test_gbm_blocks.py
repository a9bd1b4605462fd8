"""Many sessions prepared in one go are, to the bit, what each is alone: fits, scores and decisions rest on it."""

import numpy as np
import pytest

from models.crosssection import rank_label, rank_labels
from models.features.panel import FeaturePanel
from models.gbm.score import session_inputs, sessions_inputs

SESSIONS = 40


def _panel(names: int, features: int) -> FeaturePanel:
    """With gaps, dead names, a session that nobody knows and a column that is the same for all."""
    chance = np.random.default_rng([names, features])
    values = chance.standard_normal((SESSIONS, names, features + 2)) * 10.0 ** chance.uniform(-3, 3, features + 2)
    values[chance.random(values.shape) < 0.15] = np.nan
    values[3], values[5, :, 1] = np.nan, 1.0
    return FeaturePanel(np.arange(SESSIONS).astype("datetime64[D]"), tuple(f"n{name}" for name in range(names)),
                        tuple(f"f{at}" for at in range(features + 2)), values, chance.random((SESSIONS, names)) < 0.85)


@pytest.mark.parametrize("names", [2, 9, 20, 300])
@pytest.mark.parametrize("features", [1, 2, 14])
def test_rows_and_labels_of_many_sessions_are_those_of_each(names, features):
    panel = _panel(names, features)
    own, context = panel.features[1 : features + 1][::-1], (panel.features[0], panel.features[-1])
    rows = np.arange(2, SESSIONS)
    targets = np.round(np.random.default_rng(1).standard_normal((SESSIONS, names)), 1)  # with ties
    targets[::7, 0], targets[8] = np.inf, np.nan
    active, prepared = sessions_inputs(panel, rows, own, context)
    labels = rank_labels(targets[rows], active)
    for at, row in enumerate(rows):
        alone, inputs = session_inputs(panel, int(row), own, context)
        assert np.array_equal(alone, active[at])
        assert inputs.tobytes() == prepared[at][alone].tobytes()
        assert rank_label(targets[row][alone]).tobytes() == labels[at][alone].tobytes()
        assert np.isnan(labels[at][~alone]).all()
