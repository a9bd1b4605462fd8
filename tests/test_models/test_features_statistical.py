"""Statistical, relative and exposure features against other libraries, known laws, and bars to reason on.

The libraries that take seconds to load speak in the slow tests.
"""

import math

import numpy as np
import pytest

from models.features import cross
from models.features.compute import compute_batch, compute_tail
from models.features.portable import log
from models.features.registry import named
from models.features.statistical import hurst
from models.fractional import differenced
from tests.test_models.little_bars import bars, panel


def of(name: str, *columns: dict[str, np.ndarray]) -> np.ndarray:
    """Every session's value."""
    return compute_batch(panel(list(columns)), named((name,)))[name]


def priced(returns: np.ndarray) -> dict[str, np.ndarray]:
    """One bar more than there are log returns."""
    close = 50.0 * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    return {"open": close, "high": close, "low": close, "close": close, "volume": np.full(len(close), 1e5)}


def test_logarithms_are_those_of_the_library_to_the_last_bits() -> None:
    rng = np.random.default_rng(1)
    for values in (np.exp(rng.uniform(-700, 700, 20_000)), 1 + rng.uniform(-1e-6, 1e-6, 20_000)):
        assert log(values) == pytest.approx(np.log(values), rel=2e-15)
    assert np.isnan(log(np.array([0.0, -1.0, np.inf, np.nan]))).all()
    assert log(np.array([1.0]))[0] == 0.0 and log(np.array([5e-324]))[0] == pytest.approx(math.log(5e-324))


def test_correlations_and_variances_are_what_their_formulas_say() -> None:
    moves = np.diff(np.log(bars()["close"]))
    for name, part, lag in (("autocorr_1_60", moves[-60:], 1), ("autocorr_5_120", moves[-120:], 5),
                            ("autocorr_abs_120", np.abs(moves[-120:]), 1)):  # fmt: skip
        around = part - part.mean()
        assert of(name, bars())[-1, 0] == pytest.approx(around[lag:] @ around[:-lag] / (around @ around))
    long = moves[-120:]
    sums = np.convolve(long, np.ones(5), "valid") - 5 * long.mean()
    ratio = (sums @ sums) / (5 * 116 * (1 - 5 / 120)) / long.var(ddof=1)
    assert of("variance_ratio_5", bars())[-1, 0] == pytest.approx(ratio)


@pytest.mark.slow
def test_correlations_are_those_of_statsmodels() -> None:
    from statsmodels.tsa.stattools import acf

    moves = np.diff(np.log(bars()["close"]))
    assert of("autocorr_1_60", bars())[-1, 0] == pytest.approx(acf(moves[-60:], nlags=1, fft=False)[1])
    assert of("autocorr_5_120", bars())[-1, 0] == pytest.approx(acf(moves[-120:], nlags=5, fft=False)[5])
    assert of("autocorr_abs_120", bars())[-1, 0] == pytest.approx(acf(np.abs(moves[-120:]), nlags=1, fft=False)[1])


def test_moments_are_those_of_scipy() -> None:
    from scipy import stats

    moves = np.diff(np.log(bars()["close"]))
    for end in (200, 419):
        assert of("skew_60", bars())[end, 0] == pytest.approx(stats.skew(moves[end - 60 : end]))
        assert of("kurtosis_60", bars())[end, 0] == pytest.approx(stats.kurtosis(moves[end - 60 : end]))


@pytest.mark.slow
def test_variance_ratio_is_that_of_arch() -> None:
    from arch.unitroot import VarianceRatio

    close = bars()["close"]
    for end in (300, 420):
        theirs = VarianceRatio(np.log(close[end - 121 : end]), lags=5, trend="c", debiased=True, overlap=True).vr
        assert of("variance_ratio_5", bars())[end - 1, 0] == pytest.approx(theirs)


def test_fractional_difference_is_the_house_s_own_on_log_prices() -> None:
    levels = np.log(bars()["close"])
    for end in (60, 420):
        window = levels[end - 55 : end] - levels[end - 55]
        assert of("fracdiff_04", bars())[end - 1, 0] == pytest.approx(differenced(window, 0.4, 1e-3)[-1])


def test_expected_ranges_are_those_of_anis_and_lloyd() -> None:
    for size, expected in zip(hurst.SIZES, hurst.EXPECTED, strict=True):
        scale = math.exp(math.lgamma((size - 1) / 2) - math.lgamma(size / 2)) / math.sqrt(math.pi)
        assert expected == pytest.approx(scale * sum(math.sqrt((size - i) / i) for i in range(1, size)), rel=1e-13)


def test_a_random_walk_has_a_hurst_exponent_of_a_half_and_others_stand_on_their_side() -> None:
    """Prices in place of returns, or no correction for few values, would put the walk at 1.0 or 0.63."""
    rng = np.random.default_rng(0)
    shocks = rng.normal(0, 0.01, (300, 256))
    trending, reverting, level = shocks.copy(), shocks.copy(), shocks.copy()
    for at in range(1, 256):
        trending[:, at] += 0.4 * trending[:, at - 1]
        reverting[:, at] -= 0.4 * reverting[:, at - 1]
        level[:, at] += 0.87 * level[:, at - 1]

    def mean(paths: np.ndarray) -> float:
        made = panel([priced(path) for path in paths])
        return float(np.mean(compute_tail(made, named(("hurst_256",)))["hurst_256"]))

    assert mean(shocks) == pytest.approx(0.5, abs=0.012)
    assert mean(trending) > 0.56 and mean(reverting) < 0.44
    assert mean(np.diff(level, axis=1, prepend=0.0)) < 0.4
    fat = rng.standard_t(4, (300, 256)) * 0.01
    assert mean(fat) == pytest.approx(0.5, abs=0.015)


def test_a_bar_that_is_missing_is_a_session_without_a_move() -> None:
    made = bars()
    gap = {name: column.copy() for name, column in made.items()}
    for column in gap.values():
        column[400] = np.nan
    filled = {name: column.copy() for name, column in made.items()}
    filled["close"][400] = filled["close"][399]
    for name in ("skew_60", "hurst_256", "variance_ratio_5", "fracdiff_04"):
        assert of(name, gap, bars(8))[-1, 0] == of(name, filled, bars(8))[-1, 0], name
        assert np.isnan(of(name, gap, bars(8))[400, 0]), name
    for column in gap.values():
        column[380:400] = np.nan
    assert np.isnan(of("skew_60", gap)[-1, 0])  # a third of the window is gone


def test_beta_is_the_slope_on_the_mean_of_all_names() -> None:
    made = [bars(seed) for seed in (1, 2, 3)]
    closes = np.stack([one["close"] for one in made], axis=1)[-253:]
    moves = closes[1:] / closes[:-1] - 1
    market = moves.mean(axis=1)
    slope, constant = np.polyfit(market, moves[:, 1], 1)
    assert of("beta_252", *made)[-1, 1] == pytest.approx(slope, rel=1e-8)
    assert np.mean(of("beta_252", *made)[-1]) == pytest.approx(1.0)
    left = moves[:, 1] - slope * market - constant
    assert of("residual_vol_252", *made)[-1, 1] == pytest.approx(math.sqrt(252 * np.mean(left**2)), rel=1e-8)
    assert of("market_corr_252", *made)[-1, 1] == pytest.approx(np.corrcoef(moves[:, 1], market)[0, 1], rel=1e-8)


def test_scores_compare_the_names_of_a_session() -> None:
    made = [{**bars(seed), "volume": bars(seed)["volume"] * 10.0**seed} for seed in range(5)]
    size = of("exposure_size", *made)[-1]
    assert np.all(np.diff(size) > 0) and size.mean() == pytest.approx(0, abs=1e-9) and size.std() == pytest.approx(1)
    assert of("rank_dollars_20", *made)[-1] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    closes = np.stack([one["close"] for one in made], axis=1)
    assert np.argmin(of("exposure_reversal", *made)[-1]) == np.argmax(closes[-1] / closes[-21])


def test_peers_are_the_third_that_trades_alike() -> None:
    made = [{**bars(seed), "volume": bars(seed)["volume"] * 10.0 ** (seed // 2)} for seed in range(6)]
    closes = np.stack([one["close"] for one in made], axis=1)
    own = closes[-1] / closes[-6] - 1
    pairs = own.reshape(3, 2)
    assert of("peer_ret_5", *made)[-1] == pytest.approx((pairs - pairs.mean(axis=1, keepdims=True)).ravel(), abs=1e-9)


def test_a_mean_in_fixed_point_does_not_care_for_order() -> None:
    values = np.random.default_rng(2).normal(0, 1, (4, 101))
    values[1, ::3] = np.nan
    values[2] = np.nan
    mean = cross.steady_mean(values)
    assert mean.tobytes() == cross.steady_mean(values[:, ::-1]).tobytes()
    assert np.isnan(mean[2, 0])
    assert mean[[0, 1, 3], 0] == pytest.approx(np.nanmean(values[[0, 1, 3]], axis=1), abs=1e-11)
