"""What each planted carelessness adds to a Sharpe, and that an honest record is charged nothing."""

import math
from dataclasses import replace

import numpy as np
import pytest

from models.backtest import Prices
from models.backtest.figures import sharpe_annual
from models.crosssection import zscore
from models.features.panel import FeaturePanel
from models.gbm.score import GbmModel
from models.market.costs import CostModel
from models.signals.rules import RuleConfig
from models.strategy import StrategyConfig
from models.validation.price_tag import influence, price_tag
from pipelines.evidence import price_tag as tags
from pipelines.evidence.judged import JudgedNight, judge_all
from pipelines.evidence.ledger import Ledger
from pipelines.training import hindsight, variants
from pipelines.training.candidates import TARGET, Candidate
from pipelines.training.folds import Bench, Fold
from pipelines.training.inputs import Inputs
from pipelines.training.prices import prices_of
from pipelines.training.walk import Walked, walk_forward
from tests.test_models import planted
from tests.test_pipelines.training_home import NOW, STRATEGY, small_home, small_settings

REVERSAL = Candidate("baseline", RuleConfig("reversal", "ret_20", -1.0, max_weight=0.5))


def as_bars(inputs: Inputs, falls: dict[int, float] | None = None) -> dict[str, np.ndarray]:
    """Rows of a mart whose open-to-open returns are the labels; `falls` is what a name loses on its last session."""
    returns = np.nan_to_num(inputs.returns)
    opens = 100.0 * np.cumprod(1.0 + np.vstack([np.zeros((1, returns.shape[1])), returns[:-1]]), axis=0)
    close, dead = opens * 1.001, np.zeros(opens.shape, bool)
    for name, fall in (falls or {}).items():
        last = int(np.flatnonzero(inputs.panel.tradable[:, name])[-1])
        dead[last + 1 :, name] = True
        close[last, name] = opens[last, name] * (1.0 - fall)
    kept = ~dead.ravel()
    count, names = opens.shape
    told = {"session": np.repeat(inputs.panel.sessions, names), "instrument_id": np.tile(inputs.panel.names, count),
            "open": opens.ravel(), "close": close.ravel(), "volume": np.full(opens.size, 5e6),
            "split_factor": np.ones(opens.size), "total_return_factor": np.ones(opens.size)}
    return {name: values[kept] for name, values in told.items()}


def rule_bill(folder, inputs: Inputs, bars: dict[str, np.ndarray], first: int) -> tags.Bill:
    """A judged night of one rule from session `first` on."""
    from models.signals.rules import rule_weights

    home, _ = small_home(folder)
    prices, panel = prices_of(bars, inputs.panel), inputs.panel
    rows = np.arange(first, len(panel.sessions) - 1)
    weights = {REVERSAL.name: rule_weights(REVERSAL.config, panel, rows.tolist())}
    walked = Walked(rows, panel.sessions[rows], panel.names, (REVERSAL,), weights, np.zeros((len(rows), 1)), ("Bull",),
                    {}, {}, {}, inputs.digest())
    night = judge_all(walked, prices, CostModel.default(), 2.0)
    return tags.Bill(home, small_settings(), inputs, night, prices, NOW)


def falling_market(sessions: int = 220, names: int = 12) -> Inputs:
    """Names without drift; a few sink for weeks, which a reversal buys, and then are gone."""
    rng = np.random.default_rng(5)
    moves = 0.01 * rng.standard_normal((sessions, names))
    tradable = np.ones((sessions, names), bool)
    for number, name in enumerate((0, 1, 2)):
        last = 90 + 40 * number
        moves[last - 40 : last, name] -= 0.012
        tradable[last + 1 :, name] = False
    past = np.vstack([np.full((20, names), np.nan),
                      np.stack([moves[row - 20 : row].sum(axis=0) for row in range(20, sessions)])])
    values = np.where(tradable, past, np.nan)[:, :, None]
    days = np.busday_offset(np.datetime64("2022-01-03"), np.arange(sessions)).astype("datetime64[D]")
    returns = np.where(tradable, moves, np.nan)
    returns[-2:] = np.nan
    called = tuple(f"N{at:02d}" for at in range(names))
    return Inputs(FeaturePanel(days, called, ("ret_20",), values, tradable), returns)


def test_a_planted_survivor_bias_has_a_positive_price(tmp_path) -> None:
    inputs = falling_market()
    bill = rule_bill(tmp_path, inputs, as_bars(inputs, {0: 0.6, 1: 0.6, 2: 0.6}), 30)
    section = tags.tonight(bill, 0, promoted=False)
    found = {one["bias"]: one for one in section["tags"]}
    assert section["names_gone"] == 3
    assert found["survivors_only"]["added"] > 1.0 and found["survivors_only"]["low"] > 0.0
    assert section["buy_and_hold"]["added"] > 0.3
    assert found["zero_cost"]["added"] > 0.02 and "refitted" not in section
    diagnostics = Ledger(bill.home.ledger).rows("diagnostic")
    assert [row["detail"]["bias"] for row in diagnostics] == ["survivors_only"]
    assert Ledger(bill.home.ledger).n(TARGET) == 0  # outside N


def test_where_nobody_dies_survivors_cost_nothing_and_nothing_is_computed(tmp_path) -> None:
    inputs = falling_market()
    calm = replace(inputs, panel=replace(inputs.panel, tradable=np.ones_like(inputs.panel.tradable)))
    calm = replace(calm, returns=np.nan_to_num(calm.returns))
    section = tags.tonight(rule_bill(tmp_path, calm, as_bars(calm), 30), 0, promoted=False)
    found = {one["bias"]: one for one in section["tags"]}
    assert section["names_gone"] == 0 and found["survivors_only"]["added"] == 0.0
    assert Ledger(small_home(tmp_path)[0].ledger).rows("diagnostic") == []


def test_a_name_that_only_halts_at_the_end_is_a_survivor() -> None:
    inputs = falling_market()
    bars = as_bars(inputs, {0: 0.1})
    late = (bars["instrument_id"] == "N05") & (bars["session"] >= inputs.panel.sessions[-3])
    prices = prices_of({name: values[~late] for name, values in bars.items()}, inputs.panel)
    assert variants.survivors(prices).tolist() == [False, *[True] * 11]


def memorable(sessions: int = 112, names: int = 12, block: int = 10) -> Inputs:
    """Noise, but each name carries a mark that stays for some sessions: trees remember what came of it."""
    rng = np.random.default_rng(2)
    panel, _ = planted.market(3, sessions=sessions, names=names, strength=0.0)
    moves = 0.012 * rng.standard_normal((sessions, names))
    values = panel.values.copy()
    values[:, :, panel.features.index("noise_a")] = np.repeat(
        rng.standard_normal((sessions // block + 1, names)), block, axis=0)[:sessions]
    values[:, :, panel.features.index("ret_1")] = np.vstack([np.zeros((1, names)), moves[:-1]])
    tradable = np.ones((sessions, names), bool)
    tradable[:25] = False
    returns = moves.copy()
    returns[-2:] = np.nan
    return Inputs(replace(panel, values=values, tradable=tradable), returns)


def test_labels_that_end_inside_the_test_have_a_positive_price(tmp_path) -> None:
    """Folds of two sessions, labels of five: without the purge most of a test is in the training labels."""
    inputs, (home, ledger) = memorable(), small_home(tmp_path)
    settings = small_settings(first_train_sessions=70, step_sessions=2, slow_step_sessions=60, optuna_trials=0)
    gbm = replace(STRATEGY.gbm, features=("noise_a",), context=(), rounds=60, min_leaf=2, leaves=63,
                  learning_rate=0.3, feature_fraction=1.0, row_fraction=1.0, l2=0.0)
    strategy = replace(STRATEGY, name="memory", blend_gnn=0.0, hold_sessions=1, gbm=gbm)
    bench = Bench(home, settings, inputs, ledger, NOW, strategy)
    honest: dict[str, list[Fold]] = {"hmm": [], "gbm": bench.folds("gbm")}
    loose = variants.refitted(bench, honest, purge=False)
    assert loose["hmm"] is honest["hmm"]  # regimes learn from no label
    assert all(one.fitted.train_rows == int(one.test[0]) for one in loose["gbm"])
    tag = price_tag(traded(honest["gbm"], inputs), traded(loose["gbm"], inputs))
    assert tag.added > 1.0 and tag.low > 0.0, tag
    again = variants.refitted(bench, honest, purge=True)
    assert all(one.fitted.data == two.fitted.data for one, two in zip(again["gbm"], honest["gbm"], strict=True))


def traded(folds: list[Fold], inputs: Inputs) -> np.ndarray:
    """What equal stakes behind each fold's own scores earned, by session."""
    scored = [(GbmModel.from_bytes(fold.fitted.data), int(row)) for fold in folds for row in fold.test]
    return np.array([np.nanmean(zscore(model.score(inputs.panel, row)) * np.nan_to_num(inputs.returns[row]))
                     for model, row in scored])


def test_hindsight_restates_prices_volumes_and_the_universe() -> None:
    """A name at 4 dollars that later joins ten shares to one looks like 40: today's factors let it in."""
    sessions, names = 100, 2
    days = np.busday_offset(np.datetime64("2023-01-02"), np.arange(sessions)).astype("datetime64[D]")
    split = np.ones((sessions, names))
    split[90:, 0] = 0.1
    rng = np.random.default_rng(1)
    close = np.where(split == 0.1, 40.0, 4.0) * np.array([1.0, 25.0]) * np.exp(
        np.cumsum(0.01 * rng.standard_normal((sessions, names)), axis=0))
    close[90:, 1] = close[90:, 1]
    raw = {name: close.copy() for name in ("open", "high", "low", "close")}
    raw |= {"volume": np.full((sessions, names), 3e6) * split, "split_factor": split, "total_return_factor": split}
    seen = hindsight.adjusted(raw)
    assert np.allclose(seen["close"][-1], raw["close"][-1])
    assert np.allclose(seen["close"][0, 0], 10 * raw["close"][0, 0])
    assert np.allclose(seen["volume"] * seen["close"], raw["volume"] * raw["close"])
    tradable = np.ones((sessions, names), bool)
    tradable[:, 0] = hindsight.passes_bars(raw["close"], raw["volume"])[:, 0]
    assert not tradable[70:90, 0].any()
    panel = FeaturePanel(days, ("A", "B"), ("ret_1",), np.full((sessions, names, 1), np.nan), tradable)
    told, prices = hindsight.restated(Inputs(panel, np.zeros((sessions, names))), days, raw)
    assert told.panel.tradable[70:90, 0].all() and np.array_equal(told.panel.tradable[70:90, 1], tradable[70:90, 1])
    honest = close[70, 1] / close[69, 1] - 1.0
    assert told.panel.values[71, 1, 0] == pytest.approx(honest)
    assert isinstance(prices, Prices) and prices.split_factor[-1].tolist() == [1.0, 1.0]


def test_the_first_order_error_is_that_of_a_bootstrap() -> None:
    rng = np.random.default_rng(3)
    honest = 0.001 + 0.01 * rng.standard_normal(700)
    biased = honest + 0.0004 + 0.004 * rng.standard_normal(700)
    tag = price_tag(honest, biased)
    drawn = rng.integers(0, 700, (4000, 700))
    spread = np.std([sharpe_annual(biased[rows]) - sharpe_annual(honest[rows]) for rows in drawn[:1500]])
    assert (tag.high - tag.low) / 2 / 1.96 == pytest.approx(float(spread), rel=0.1)
    assert tag.added == pytest.approx(sharpe_annual(biased) - sharpe_annual(honest)) and tag.sessions == 700
    assert abs(float(influence(honest).mean())) < 1e-12 and not influence(np.ones(9)).any()


def test_little_is_said_of_little() -> None:
    tag = price_tag(np.arange(5.0), np.arange(5.0) + 1.0)
    assert math.isnan(tag.low) and tag.added > 0.0
    with pytest.raises(ValueError, match="the same sessions"):
        price_tag(np.zeros(3), np.zeros(4))


@pytest.mark.slow
def test_a_promoted_strategy_is_fitted_anew_once_and_remembered(tmp_path, monkeypatch) -> None:
    inputs, (home, ledger) = planted_inputs(), small_home(tmp_path)
    settings = small_settings()
    walked = walk_forward(home, settings, inputs, ledger, NOW, (Candidate("candidate", STRATEGY), REVERSAL))
    bars = as_bars(inputs)
    prices = prices_of(bars, inputs.panel)
    night = judge_all(walked, prices, CostModel.default(), 2.0)
    assert isinstance(night, JudgedNight) and isinstance(night.strategy(0), StrategyConfig)
    names = ("open", "close", "volume", "split_factor", "total_return_factor")
    grid = {name: bars[name].reshape(len(inputs.panel.sessions), -1) for name in names}
    grid |= {"high": grid["close"], "low": grid["open"]}
    monkeypatch.setattr(hindsight, "read_bars", lambda *_: (inputs.panel.sessions, grid))
    bill = tags.Bill(home, settings, inputs, night, prices, NOW)
    plain = tags.tonight(bill, 0, promoted=False)
    assert "refitted" not in plain
    told = tags.tonight(bill, 0, promoted=True)
    assert [one["bias"] for one in told["refitted"]["tags"]] == ["unpurged", "hindsight"]
    rows = Ledger(home.ledger).rows("diagnostic")
    assert {row["detail"]["bias"] for row in rows} >= {"unpurged", "hindsight"}
    monkeypatch.setattr(variants, "refitted", None)  # nothing is fitted a second time
    assert tags.tonight(bill, 0, promoted=True) == told
    assert tags.tonight(bill, 0, promoted=False)["refitted"] == told["refitted"]


def planted_inputs() -> Inputs:
    panel, returns = planted.market(3, sessions=262, names=12)
    returns[-2:] = np.nan
    return Inputs(panel, returns)
