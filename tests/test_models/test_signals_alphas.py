"""Each alpha on numbers small enough to work out by hand."""

import numpy as np
import pytest

from models.signals.alpha import Alphas
from models.signals.momentum import Momentum
from models.signals.reversion import MeanReversion
from models.signals.volatility import Breakout, Calm, VolatilityRegime, regime_of, volatility_regime
from tests.test_models.signal_panels import told

NONE = float("nan")


def reasons(said: Alphas) -> list[str]:
    return [said.at(0, name).regime_filter for name in range(said.value.shape[1])]


def test_momentum_speaks_above_an_adx_of_25_and_is_cut_at_three() -> None:
    said = Momentum().signal(told(technical_v2__vam_decay=[1.5, -6.0, 0.3, 2.0, NONE, 1.0],
                                  technical_v1__adx_14=[30.0, 60.0, 25.0, 24.9, 40.0, NONE]))
    assert said.value[0] == pytest.approx([0.5, -1.0, 0.0, 0.0, 0.0, 0.0])
    assert said.confidence[0] == pytest.approx([0.2, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert reasons(said) == ["TRENDING", "TRENDING", "ADX_FILTER", "ADX_FILTER", "NO_DATA", "NO_DATA"]
    assert said.at(0, 0).components == {"vam": 1.5, "adx": 30.0}


def test_reversion_asks_for_memory_first_then_for_two_deviations() -> None:
    said = MeanReversion().signal(told(equity_v1__zscore_20=[-2.0, 5.0, 1.9, 3.0, -2.5, NONE],
                                       technical_v1__bollinger_position=[-1.0, 2.5, 0.95, 1.5, -1.25, NONE],
                                       statistical_v1__hurst_256=[0.4, 0.25, 0.3, 0.5, -0.1, 0.3]))
    assert said.value[0] == pytest.approx([0.8, -1.0, 0.0, 0.0, 1.0, 0.0])
    assert said.confidence[0] == pytest.approx([0.2, 0.5, 0.0, 0.0, 1.0, 0.0])
    assert reasons(said) == ["MEAN_REVERTING", "MEAN_REVERTING", "THRESHOLD_FILTER", "HURST_FILTER", "MEAN_REVERTING",
                             "NO_DATA"]
    assert said.at(0, 1).components["bollinger"] == 2.5


def test_a_band_is_half_of_a_deviation_score() -> None:
    """(P - SMA20) / (2 sigma20) is the z-score of 20 over two, so two deviations are the band itself."""
    from models.features.compute import compute_batch
    from models.features.registry import named
    from tests.test_models.little_bars import bars, panel

    found = compute_batch(panel([bars()]), named(("equity_v1:zscore_20", "technical_v1:bollinger_position")))
    assert found["bollinger_position"][19:] == pytest.approx(found["zscore_20"][19:] / 2.0, rel=1e-12)


def test_plain_momentum_is_a_return_in_units_of_volatility() -> None:
    """((P - P20) / P20) / sigma, which the registered vam_20 scales by the root of its sessions."""
    import pandas as pd

    from models.features.compute import compute_batch
    from models.features.registry import named
    from tests.test_models.little_bars import bars, panel

    made = bars()
    close = pd.Series(made["close"])
    plain = close.pct_change(20) / close.pct_change().rolling(20).std(ddof=0)
    found = compute_batch(panel([made]), named(("equity_v1:vam_20",)))["vam_20"][:, 0]
    assert found[20:] * np.sqrt(20.0) == pytest.approx(plain.to_numpy()[20:], rel=1e-9)


def test_a_breakout_needs_a_band_and_a_faster_market() -> None:
    said = Breakout().signal(told(technical_v1__bollinger_position=[1.2, -1.6, 2.5, 1.0, 1.5, NONE],
                                  technical_v1__vol_ratio_5_60=[1.3, 1.5, 3.0, 2.0, 1.0, 2.0]))
    assert said.value[0] == pytest.approx([0.6, -0.8, 1.0, 0.0, 0.0, 0.0])
    assert said.confidence[0] == pytest.approx([0.3, 0.5, 1.0, 0.0, 0.0, 0.0])
    assert reasons(said) == ["BREAKOUT"] * 3 + ["THRESHOLD_FILTER", "REGIME_FILTER", "NO_DATA"]


def test_the_calm_are_held_at_the_size_of_the_forecast() -> None:
    said = Calm().signal(told(technical_v1__vol_regime=[-1.0, 0.0, 1.0, 0.0, NONE],
                              garch_v1__garch_vol=[0.30, 0.10, 0.2, 0.0, 0.3]))
    assert said.conviction[0].tolist() == [1.0, 1.0, 0.0, 1.0, 0.0]
    assert said.sizes[0, :4] == pytest.approx([0.5, 1.0, 0.75, 0.0])
    assert reasons(said) == ["CALM", "CALM", "REGIME_FILTER", "CALM", "NO_DATA"]


def test_volatility_has_three_regimes_half_a_deviation_from_its_mean() -> None:
    found = volatility_regime(np.array([0.24, 0.25, 0.5, 0.75, 0.76, NONE]), np.full(6, 0.5), np.full(6, 0.5))
    assert [regime_of(step) for step in found] == [
        VolatilityRegime.LOW_VOL, *[VolatilityRegime.NORMAL] * 3, VolatilityRegime.HIGH_VOL, VolatilityRegime.NORMAL]


def test_the_registered_regime_of_volatility_is_this_one() -> None:
    import pandas as pd

    from models.features.compute import compute_batch
    from models.features.registry import named
    from tests.test_models.little_bars import bars, panel

    made = bars()
    found = compute_batch(panel([made]), named(("technical_v1:vol_regime",)))["vol_regime"][:, 0]
    moves = pd.Series(made["close"]).pct_change()
    vol = (moves**2).rolling(20).mean() ** 0.5
    expected = volatility_regime(vol.to_numpy(), vol.rolling(252).mean().to_numpy(),
                                 vol.rolling(252).std(ddof=0).to_numpy())
    assert np.isfinite(found[272:]).all() and np.array_equal(found[272:], expected[272:])


@pytest.mark.parametrize(("omega", "alpha", "beta"), [(2e-6, 0.08, 0.9), (1e-5, 0.2, 0.5)])
def test_the_garch_forecast_is_one_step_of_its_recursion(omega: float, alpha: float, beta: float) -> None:
    """The feature that `Calm` reads, after 252 bars that all move by the same: s2' = omega + alpha r2 + beta s2."""
    from models.features.compute import compute_tail
    from models.features.panel import BarPanel
    from models.features.registry import named

    sessions, move = 253, 0.013
    close = np.cumprod(np.full(sessions, 1.0 + move))[:, None]
    usual = omega / (1.0 - alpha - beta)
    columns = {"close_tr": close, "garch_alpha": np.full_like(close, alpha), "garch_beta": np.full_like(close, beta),
               "garch_variance": np.full_like(close, usual)}
    days = np.datetime64("2024-01-02") + np.arange(sessions)
    found = compute_tail(BarPanel(days, ("N",), columns), named(("garch_v1:garch_vol",)))["garch_vol"]
    variance = usual
    for _ in range(sessions - 1):
        variance = omega + alpha * move**2 + beta * variance
    assert found[0] == pytest.approx(np.sqrt(252.0 * variance), rel=1e-9)
