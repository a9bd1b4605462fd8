"""Technical features against TA-Lib's values, and what each of them says on bars small enough to reason about.

`recorded/talib.json` was written in an environment of its own (`pip install ta-lib==0.8.2 numpy==2.4.6`) from the bars
that `little_bars.bars()` makes: RSI, ADX, PLUS_DI, MINUS_DI and ATR of 14, MACD(12, 26, 9), BBANDS(20, 2, 2), MFI of
14, STOCHF(14, 1, 0)'s first, ROC of 60, SMA of 50; of each the last 160 values, every eighth. TA-Lib's state begins
with the first bar, ours with the window's: that is all that the recursive ones differ by.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from models.features.compute import compute_batch, compute_tail
from models.features.feature import Block
from models.features.positioning import kernels
from models.features.registry import families, named
from models.features.technical import recursive
from models.features.technical.declared import FEATURES
from tests.test_models.little_bars import bars, panel

RECORDED = json.loads((Path(__file__).parent / "recorded" / "talib.json").read_text())
TRUNCATED = {"rsi": 1e-3, "adx_14": 1e-2, "plus_di_14": 1e-3, "minus_di_14": 1e-3, "atr": 1e-4, "macd": 2e-4,
             "macd_signal": 2e-4, "macd_histogram": 2e-4}  # fmt: skip
V1 = tuple(feature for feature in FEATURES if feature.version == 1)


@pytest.fixture(scope="module")
def ours() -> dict[str, np.ndarray]:
    made = bars()
    values = {name: column[-160::8, 0] for name, column in compute_batch(panel([made]), V1).items()}
    close = made["close"][-160::8]
    in_dollars = {name: values[name] * close for name in ("macd", "macd_signal", "macd_histogram")}
    return values | in_dollars | {
        "atr": values["atr_wilder_14"] * close, "roc_60": 100.0 * values["mom_60"],
        "sma_50": close / (1.0 + values["sma_gap_50"]), "close": close,
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in RECORDED if name not in ("from", "upper", "middle", "lower")])
def test_values_are_those_of_ta_lib(name: str, ours: dict[str, np.ndarray]) -> None:
    assert ours[name] == pytest.approx(np.array(RECORDED[name]), abs=TRUNCATED.get(name, 1e-9), rel=0)


def test_bands_are_those_of_ta_lib(ours: dict[str, np.ndarray]) -> None:
    upper, middle, lower = (np.array(RECORDED[name]) for name in ("upper", "middle", "lower"))
    assert ours["bollinger_position"] == pytest.approx((ours["close"] - middle) / (upper - middle), abs=1e-9)
    assert ours["bollinger_width"] == pytest.approx((upper - lower) / middle, abs=1e-9)
    outside = (ours["close"] > upper) * 1.0 - (ours["close"] < lower)
    assert np.array_equal(ours["bollinger_break"], outside)


def steady(step: float, sessions: int = 260) -> dict[str, np.ndarray]:
    """A price that makes the same move every day."""
    close = 50.0 * np.cumprod(np.full(sessions, 1.0 + step))
    volume = np.full(sessions, 1e5)
    return {"open": close, "high": close * 1.002, "low": close * 0.998, "close": close, "volume": volume}


def last(name: str, *columns: dict[str, np.ndarray]) -> np.ndarray:
    (feature,) = named((name,))
    return compute_tail(panel(list(columns)), [feature])[feature.name]


def test_one_way_is_a_trend_and_strength_without_end() -> None:
    up, down = steady(0.01), steady(-0.01)
    for version in (1, 2):
        assert last(f"technical_v{version}:rsi", up, down) == pytest.approx([100.0, 0.0])
    assert last("adx_14", up, down) == pytest.approx([100.0, 100.0])
    assert last("trend_strong", up, down) == pytest.approx([1.0, 1.0])
    assert last("minus_di_14", up) == pytest.approx([0.0]) and last("plus_di_14", down) == pytest.approx([0.0])
    assert last("macd", up) > 0 > last("macd", down)
    assert last("rsi_overbought", up, down) == pytest.approx([1.0, 0.0])
    assert last("rsi_oversold", up, down) == pytest.approx([0.0, 1.0])
    assert last("mfi_14", up, down) == pytest.approx([100.0, 0.0])
    assert last("signed_volume_20", up, down) == pytest.approx([1.0, -1.0])


def test_what_never_moves_has_no_strength_and_no_unit() -> None:
    still = {**steady(0.0), "high": np.full(260, 50.0), "low": np.full(260, 50.0)}
    for name in ("technical_v1:rsi", "technical_v2:rsi", "zscore_60", "bollinger_position", "stochastic_14", "vam_60",
                 "norm_ret_0", "vol_ratio_5_60", "mfi_14"):
        assert np.isnan(last(name, still)).all(), name
    for name in ("ewma_vol", "rv_60", "parkinson_20", "garman_klass_20", "mom_60", "drawdown_252", "macd",
                 "illiquidity_20", "atr_wilder_14", "downside_vol_60", "adx_14"):
        assert last(name, still) == pytest.approx([0.0]), name


def test_momentum_counts_sessions_and_leaves_the_last_month_out() -> None:
    made = steady(0.001)
    for sessions in (10, 60, 120):
        assert last(f"mom_{sessions}", made) == pytest.approx([1.001**sessions - 1])
    assert last("mom_252_21", made) == pytest.approx([1.001**231 - 1])
    fallen = {**made, "close": np.where(np.arange(260) >= 245, made["close"] / 2, made["close"])}
    assert last("mom_252_21", fallen) == pytest.approx([1.001**231 - 1])
    assert last("drawdown_252", fallen)[0] == pytest.approx(0.5 * 1.001**15 - 1)


def test_a_young_name_counts_its_sessions() -> None:
    young = {name: np.where(np.arange(260) < 220, np.nan, column) for name, column in steady(0.001).items()}
    assert last("listed_252", steady(0.001), young) == pytest.approx([252.0, 40.0])
    assert np.isfinite(last("technical_v1:rsi", young)).all() and np.isnan(last("mom_60", young)).all()


def test_exponential_volatility_of_a_steady_swing_is_the_swing() -> None:
    close = 50.0 * np.cumprod(np.where(np.arange(260) % 2 == 0, 1.02, 1 / 1.02))
    made = {**steady(0.0), "close": close}
    size = np.sqrt(252 * np.mean(np.array([0.02, 1 / 1.02 - 1]) ** 2))
    assert last("ewma_vol", made) == pytest.approx([size], rel=2e-3)
    assert abs(last("norm_ret_0", made)[0]) == pytest.approx(1.0, abs=0.02)
    assert last("norm_ret_1", made)[0] == pytest.approx(-last("norm_ret_0", made)[0], abs=0.04)


def test_the_newest_return_is_measured_by_what_was_known_before_it() -> None:
    made = bars()
    jumped = {**made, "close": np.append(made["close"][:-1], made["close"][-2] * 1.5)}
    calm, leap = last("norm_ret_0", made)[0], last("norm_ret_0", jumped)[0]
    move = made["close"][-1] / made["close"][-2] - 1
    assert leap / calm == pytest.approx(0.5 / move)


def test_volatility_regimes_are_high_low_and_usual() -> None:
    noise = np.where(np.arange(300) % 2 == 0, 1.0, -1.0)
    for recent, regime in ((0.03, 1.0), (0.002, -1.0)):
        size = np.where(np.arange(300) >= 275, recent, 0.01 + 0.002 * np.sin(np.arange(300) / 9))
        made = {**steady(0.0, 300), "close": 50 * np.cumprod(1 + noise * size)}
        assert last("vol_regime", made) == pytest.approx([regime])


def test_the_adaptive_strength_is_quicker_when_the_market_is() -> None:
    rng = np.random.default_rng(3)
    calm = rng.normal(0, 0.004, 300)
    storm = np.concatenate([calm[:288], np.full(12, -0.03)])
    made = {**steady(0.0, 300), "close": 50 * np.cumprod(1 + storm)}
    assert last("technical_v2:rsi", made) < last("technical_v1:rsi", made)


def test_a_missing_bar_moves_no_state() -> None:
    made = bars()
    gap = {name: np.insert(column, 400, np.nan) for name, column in made.items()}
    for name in ("technical_v1:rsi", "technical_v2:rsi", "macd", "adx_14", "ewma_vol", "atr_wilder_14"):
        assert last(name, gap)[0] == pytest.approx(last(name, made)[0], rel=2e-2, abs=0.02), name


def test_versions_stand_side_by_side_in_views_of_their_own() -> None:
    one, two = named(("technical_v1:rsi", "technical_v2:rsi"))
    assert (one.name, one.version, two.name, two.version) == ("rsi", 1, "rsi", 2)
    assert one in families()["technical_v1"] and two in families()["technical_v2"]
    assert named(("rsi",)) == (two,)
    made = panel([bars()])
    assert compute_tail(made, [one])["rsi"] != compute_tail(made, [two])["rsi"]


@pytest.mark.parametrize("block", [recursive.DIRECTIONAL, recursive.OF_CLOSES, recursive.ADAPTIVE_RSI])
@pytest.mark.parametrize(("seed", "more"), [(1, 0), (2, 0), (3, 0), (4, 39)])  # sessions beyond the window
def test_the_short_way_of_orderly_names_has_the_bits_of_the_long_one(
    block: Block, seed: int, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions, names = (recursive.ADAPTIVE if block is recursive.ADAPTIVE_RSI else recursive.STATE) + more, 60
    rng = np.random.default_rng(seed)
    close = np.round(50 * np.cumprod(1 + rng.normal(0, 0.02, (sessions, names)), axis=0), 1)
    close[:, 5] = 40.0  # nothing ever moves
    high, low = close * rng.choice([1.0, 1.01], close.shape), close * rng.choice([1.0, 0.99], close.shape)
    gone = rng.random(close.shape) < np.where(np.arange(names) < 10, 0.0, rng.choice([0.0, 0.01, 0.1, 0.6], names))
    young = np.arange(names) >= 30  # of every age
    gone |= young & (np.arange(sessions)[:, None] < sessions - rng.integers(1, 90, names))
    for held in (high, low, close):
        held[gone] = np.nan
    high[3, 0] = np.nan  # a bar that is not told whole
    bars = {"high_tr": high, "low_tr": low, "close_tr": close}
    given = {name: bars[name] for name in (bars if block is recursive.DIRECTIONAL else ("close_tr",))}
    answers = []
    for short in (True, False):
        if not short:
            monkeypatch.setattr(recursive, "_orderly", lambda *series: np.zeros(names, dtype=bool))
        into = {name: np.empty((more + 1, names)) for name in block.columns}
        with np.errstate(divide="ignore", invalid="ignore"):
            block.fill(**given, into=into)
        answers.append(into)
    for name, values in answers[0].items():
        one, other = (np.where(np.isnan(found), np.nan, found) for found in (values, answers[1][name]))
        assert one.tobytes() == other.tobytes(), name
        assert np.isfinite(values).any()


@pytest.mark.parametrize("level", [33.37, 5.01, 100.0, 412.93, 7.77])
def test_what_never_moves_is_no_deviation_from_its_mean(level: float) -> None:
    """The mean of twenty equal prices is seldom that price, and what is left over its own size is one."""
    still = {name: np.full(80, level) for name in ("open", "high", "low", "close")} | {"volume": np.full(80, 3e5)}
    asked = ("zscore_20", "volume_z_20", "mkt_volume_z", "vam_20", "zscore_60", "bollinger_position", "bollinger_break")
    told = compute_tail(panel([still]), named(asked))
    assert {name: told[name][0] for name in asked} == pytest.approx(dict.fromkeys(asked, np.nan), nan_ok=True)
    assert np.isnan(kernels.zscore(vix=np.full((1, 1, 20), level / 3))).all()
    stirred = {**still, "close": still["close"] + np.where(np.arange(80) == 79, 0.01, 0.0)}
    assert compute_tail(panel([stirred]), named(("zscore_20",)))["zscore_20"][0] == pytest.approx(np.sqrt(19.0))
