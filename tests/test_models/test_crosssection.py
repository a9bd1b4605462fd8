"""Arithmetic across the names of one session, at its edges."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from models.crosssection import rank_correlation, rank_label, rank_labels, zscore, zscores

NONE = float("nan")


def test_rank_correlation_is_spearmans_over_the_names_that_have_both() -> None:
    chance = np.random.default_rng(2)
    scores, returns = chance.normal(size=(2, 40))
    scores[3], returns[[5, 6]] = NONE, NONE
    both = np.isfinite(scores) & np.isfinite(returns)
    assert rank_correlation(scores, returns) == pytest.approx(spearmanr(scores[both], returns[both]).statistic)


@pytest.mark.parametrize(("scores", "returns"), [
    ([1.0, 2.0, 3.0], [0.1, 0.1, 0.1]),  # ranks of equals are the names' own order: no skill
    ([0.5, 0.5, 0.5], [0.1, 0.2, 0.3]), ([1.0, 2.0, NONE], [0.1, 0.2, 0.3])])
def test_what_is_the_same_for_all_names_has_no_rank_correlation(scores: list[float], returns: list[float]) -> None:
    assert np.isnan(rank_correlation(np.array(scores), np.array(returns)))


def test_a_constant_column_scores_nought_and_what_is_missing_stays_so() -> None:
    told = np.array([33.37, 33.37, NONE, 33.37])
    assert zscore(told) == pytest.approx([0.0, 0.0, NONE, 0.0], nan_ok=True)
    assert np.isnan(zscore(np.full(3, NONE))).all() and np.isnan(rank_label(np.array([1.0, NONE]))).all()
    many = np.stack([told, told * 2.0], axis=1)[None]
    assert zscores(many, np.ones((1, 4), bool))[0, :, 0] == pytest.approx([0.0, 0.0, NONE, 0.0], nan_ok=True)
    assert rank_labels(told[None], np.array([[True, False, True, False]])).shape == (1, 4)
