"""Each feature of daily bars that is a formula, written out a second time for one name's last session."""

from collections.abc import Callable

import numpy as np
import pytest

from models.features.compute import compute_tail
from models.features.registry import FEATURES
from tests.test_models.little_bars import bars, panel

NAMES = tuple(bars(seed) for seed in range(1, 6))
MADE = panel(list(NAMES))
RAW = ("open", "high", "low", "close", "volume")
OPEN, H, L, C, V = (np.stack([one[key] for one in NAMES], axis=1) for key in RAW)
R = C[1:] / C[:-1] - 1
D = C * V


def year(values: np.ndarray) -> np.ndarray:
    return np.sqrt(252 * np.mean(values, axis=0))


def rank(values: np.ndarray) -> np.ndarray:
    return values.argsort().argsort() / (len(values) - 1)


def score(values: np.ndarray) -> np.ndarray:
    return np.clip((values - values.mean()) / values.std(), -3, 3)


def ret(sessions: int, upto: int = 0) -> np.ndarray:
    return C[len(C) - 1 - upto] / C[len(C) - 1 - sessions] - 1


def slope() -> np.ndarray:
    market = R[-252:].mean(axis=1)
    return np.array([np.polyfit(market, R[-252:, name], 1)[0] for name in range(C.shape[1])])


def decayed(moves: np.ndarray) -> np.ndarray:
    parts = []
    for count in (5, 10, 20, 60):
        weights = np.exp(-0.1 * np.arange(count))
        parts.append((weights[:, None] * moves[::-1][:count]).sum(axis=0) / weights.sum() / moves[-count:].std(axis=0))
    return np.mean(parts, axis=0)


def typical_flow() -> np.ndarray:
    price = (H + L + C) / 3
    up, flow = np.diff(price, axis=0)[-14:] > 0, (price * V)[-14:]
    return 100 * (flow * up).sum(axis=0) / flow.sum(axis=0)


EXPECTED: dict[str, Callable[[], np.ndarray]] = {
    "mom_10": lambda: ret(10), "mom_60": lambda: ret(60), "mom_120": lambda: ret(120),
    "mom_252_21": lambda: ret(252, 21), "vam_60": lambda: ret(60) / (R[-60:].std(axis=0) * np.sqrt(60)),
    "technical_v1:vam_decay": lambda: decayed(R),
    "technical_v2:vam_decay": lambda: decayed(np.diff(np.log(C), axis=0)),
    "sma_gap_50": lambda: C[-1] / C[-50:].mean(axis=0) - 1,
    "sma_gap_200": lambda: C[-1] / C[-200:].mean(axis=0) - 1,
    "drawdown_252": lambda: C[-1] / C[-252:].max(axis=0) - 1, "listed_252": lambda: np.full(5, 252.0),
    "bollinger_position": lambda: (C[-1] - C[-20:].mean(axis=0)) / (2 * C[-20:].std(axis=0)),
    "bollinger_width": lambda: 4 * C[-20:].std(axis=0) / C[-20:].mean(axis=0),
    "stochastic_14": lambda: 100 * (C[-1] - L[-14:].min(axis=0)) / (H[-14:].max(axis=0) - L[-14:].min(axis=0)),
    "zscore_60": lambda: (C[-1] - C[-60:].mean(axis=0)) / C[-60:].std(axis=0),
    "rv_5": lambda: year(R[-5:] ** 2), "rv_60": lambda: year(R[-60:] ** 2),
    "parkinson_20": lambda: year(np.log(H / L)[-20:] ** 2 / (4 * np.log(2))),
    "garman_klass_20": lambda: year((0.5 * np.log(H / L) ** 2 - (2 * np.log(2) - 1) * np.log(C / OPEN) ** 2)[-20:]),
    "downside_vol_60": lambda: year(np.minimum(R[-60:], 0) ** 2),
    "vol_ratio_5_60": lambda: np.sqrt((R[-5:] ** 2).mean(axis=0) / (R[-60:] ** 2).mean(axis=0)),
    "mfi_14": typical_flow,
    "chaikin_flow_20": lambda: ((2 * C - H - L) / (H - L) * V)[-20:].sum(axis=0) / V[-20:].sum(axis=0),
    "signed_volume_20": lambda: (np.sign(R[-20:]) * V[-20:]).sum(axis=0) / V[-20:].sum(axis=0),
    "volume_ratio_5_60": lambda: V[-5:].mean(axis=0) / V[-60:].mean(axis=0),
    "illiquidity_20": lambda: (1e4 * np.abs(R[-20:]) / (D[-20:] / 1e6)).mean(axis=0),
    "log_ret_1": lambda: np.log(C[-1] / C[-2]), "log_ret_5": lambda: np.log(C[-1] / C[-6]),
    "beta_252": slope, "exposure_beta": lambda: score(slope()),
    "exposure_size": lambda: score(np.log(D[-60:].mean(axis=0))), "exposure_momentum": lambda: score(ret(252, 21)),
    "exposure_volatility": lambda: score(np.log(year(R[-60:] ** 2))), "exposure_reversal": lambda: score(-ret(20)),
    "rank_ret_1": lambda: rank(ret(1)), "rank_ret_20": lambda: rank(ret(20)),
    "rank_mom_252_21": lambda: rank(ret(252, 21)), "rank_rv_20": lambda: rank(year(R[-20:] ** 2)),
    "rank_dollars_20": lambda: rank(D[-20:].mean(axis=0)), "dollar_share": lambda: D[-1] / D[-1].mean(),
    "beta_resid_ret_5": lambda: ret(5) - slope() * ret(5).mean(),
}
# Held to TA-Lib, to another library or to bars made for them, in the other test_features files.
ELSEWHERE = {
    "macd", "macd_signal", "macd_histogram", "plus_di_14", "minus_di_14", "adx_14", "trend_strong", "rsi",
    "rsi_overbought", "rsi_oversold", "bollinger_break", "atr_wilder_14", "ewma_vol", "vol_regime", "hurst_256",
    *(f"norm_ret_{lag}" for lag in range(5)), "fracdiff_04", "autocorr_1_60", "autocorr_5_120", "autocorr_abs_120",
    "skew_60", "kurtosis_60", "variance_ratio_5", "residual_vol_252", "market_corr_252", "peer_ret_5", "peer_ret_20",
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_value_is_what_the_formula_says(name: str) -> None:
    (feature,) = [feature for feature in FEATURES if name in (feature.name, feature.ref)]
    assert compute_tail(MADE, [feature])[feature.name] == pytest.approx(EXPECTED[name](), rel=1e-8, abs=1e-9)


def test_no_feature_of_these_families_is_left_out() -> None:
    families = {"technical", "statistical", "relative", "exposure"}
    named = {name.rpartition(":")[2] for name in (*EXPECTED, *ELSEWHERE)}
    assert {feature.name for feature in FEATURES if feature.family in families} == named
