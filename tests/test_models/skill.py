"""How well a scorer's ranking foresees returns, and how far from nothing that is."""

import numpy as np

from models.crosssection import rank_correlation


def rank_skill(model, panel, returns, rows):
    """(mean rank correlation, its t-value) over decision rows."""
    each = np.array([rank_correlation(model.score(panel, int(row)), returns[row]) for row in rows])
    each = each[np.isfinite(each)]
    return each.mean(), each.mean() / each.std(ddof=1) * np.sqrt(len(each))
