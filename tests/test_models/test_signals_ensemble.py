"""The ensemble's weights and what comes of them, beside pandas and by hand."""

import numpy as np
import pandas as pd
import pytest

from models.signals.alpha import Alphas
from models.signals.book import AlphaBook, averaged
from models.signals.ensemble import Ensemble, combined, paper_returns, risk_tilts, trailing_deviation
from models.signals.regimes import REGIMES, MarketRegime
from tests.test_models.signal_panels import market


def says(value: list[float], confidence: list[float]) -> Alphas:
    return Alphas(np.array([value]), np.array([confidence]), np.zeros((1, len(value)), dtype=np.int8))


def test_signals_are_weighed_by_share_and_confidence() -> None:
    value, confidence = combined([says([0.5, 0.0, 0.0], [0.8, 0.0, 0.0]), says([-1.0, 1.0, 0.0], [0.2, 0.5, 0.0])],
                                 np.array([[[0.7, 0.3], [0.7, 0.3], [0.7, 0.3]]]))
    assert confidence[0] == pytest.approx([0.7 * 0.8 + 0.3 * 0.2, 0.15, 0.0])
    assert value[0] == pytest.approx([(0.7 * 0.4 - 0.3 * 0.2) / 0.62, 1.0, 0.0])


def test_conviction_earns_the_return_of_the_session_after_it() -> None:
    earned = paper_returns(np.array([[1.0, -1.0], [0.5, 0.0], [9.0, 9.0]]),
                           np.array([[9.0, 9.0], [0.02, 0.01], [0.04, np.nan]]))
    assert earned == pytest.approx([np.nan, (0.02 - 0.01) / 2, 0.02], nan_ok=True)


def test_a_trailing_deviation_is_that_of_pandas() -> None:
    series = np.random.default_rng(4).standard_normal(200)
    series[[0, 50, 51]] = np.nan
    expected = (pd.Series(series) ** 2).rolling(60, min_periods=20).mean() ** 0.5
    assert trailing_deviation(series, 60) == pytest.approx(expected.to_numpy(), nan_ok=True)


def test_the_calmer_counts_more_within_bounds() -> None:
    found = risk_tilts(np.array([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0], [1.0, 100.0, 1.0], [np.nan] * 3]))
    assert found == pytest.approx(np.array([[2.0, 1.0, 2 / 3], [2.0, 1.0, 2 / 3], [4.0, 0.34, 4.0], [1.0] * 3]))


def test_weights_sum_to_one_and_to_nothing_in_a_crisis() -> None:
    panel, ensemble = market(6), Ensemble()
    signals = [alpha.signal(panel) for alpha in ensemble.alphas]
    weights, regimes = ensemble.weights(panel, signals), ensemble.regimes.of_panel(panel)
    crisis = regimes == REGIMES.index(MarketRegime.CRISIS)
    assert crisis.any() and not weights[crisis].any()
    assert weights[~crisis].sum(axis=1) == pytest.approx(1.0)
    said = ensemble.signal(panel)
    assert not said.conviction[crisis].any() and said.at(*np.argwhere(crisis)[0]).regime_filter == "REGIME_FILTER"
    normal = regimes == REGIMES.index(MarketRegime.NORMAL)
    assert np.ptp(weights[normal][:, 0]) > 0.0  # the regime's shares, tilted by risk


def test_a_book_shares_its_gross_out_by_mean_conviction() -> None:
    assert averaged(np.array([[3.0], [0.0], [6.0], [0.0]]), 3)[:, 0] == pytest.approx([3.0, 1.5, 3.0, 2.0])

    class Fixed:
        features: tuple[str, ...] = ()
        history = 1

        def signal(self, panel):
            return Alphas(np.array([[0.5, -0.5, 1.0, 0.0]]), np.array([[1.0, 1.0, 0.5, 0.0]]),
                          np.zeros((1, 4), dtype=np.int8), size=np.array([[1.0, 2.0, 1.0, 1.0]]))

    panel = market(1, sessions=4, names=4).upto(1)
    panel.tradable[:] = True
    wide = AlphaBook("fixed", Fixed(), hold_sessions=1, max_weight=0.5, most_size=2.0)
    assert wide.weights(panel, [0])[0] == pytest.approx([1 / 6, -1 / 3, 1 / 6, 0.0])
    capped = AlphaBook("fixed", Fixed(), hold_sessions=1, max_weight=0.2)
    assert capped.weights(panel, [0])[0] == pytest.approx([0.2, -0.2, 0.2, 0.0])
    panel.tradable[0, 0] = False
    assert wide.weights(panel, [0])[0] == pytest.approx([0.0, -0.5, 0.25, 0.0])
