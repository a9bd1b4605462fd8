"""The tape by the minute: meaning by hand, quiet minutes against unknown ones, and a future that moves no bit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.compute import compute_batch, compute_tail
from models.features.inputs import RAW
from models.features.panel import BarPanel
from models.features.registry import families, view_look_back
from models.features.tape.kernels import HORIZONS, WEIGHTS
from models.features.tape.window import GRACE

TAPE = families()["tape_v1"]
FIRST = np.datetime64("2025-06-23T13:30", "m")
OF_ONE_MINUTE = {"bar_place", "vwap_gap_session", "delta_share_1m", "delta_share_session", "session_progress",
                 "newyork_open"}  # fmt: skip


def panel_of(columns: dict[str, np.ndarray]) -> BarPanel:
    whole = {name: np.asarray(columns[name], dtype=np.float64) for name in RAW["tape"]}
    count, names = whole["close"].shape
    return BarPanel(FIRST + np.arange(count), tuple(f"C{n}" for n in range(names)), whole)


def market(seed: int, count: int = 120, names: int = 2, missing: float = 0.2) -> BarPanel:
    rng = np.random.default_rng(seed)
    shape = (count, names)
    close = 5000 + 0.25 * np.cumsum(rng.integers(-4, 5, shape), axis=0)
    high, low = (close + sign * 0.25 * rng.integers(0, 5, shape) for sign in (1, -1))
    buy, sell, nobody = rng.integers(0, 300, (3, *shape))
    volume = buy + sell + nobody + 1
    up, down = rng.integers(0, 20, (2, *shape))
    columns = {
        "high": high, "low": low, "close": close, "volume": volume, "delta": buy - sell,
        "turnover": volume * (low + (high - low) * rng.random(shape)),
        "large_buy_volume": rng.integers(0, 2, shape) * buy, "large_sell_volume": rng.integers(0, 2, shape) * sell,
        "hidden_bid_volume": rng.integers(0, 2, shape) * sell, "hidden_ask_volume": rng.integers(0, 2, shape) * buy,
        "up_ticks": up, "down_ticks": down, "reversals": rng.integers(0, 1 + up + down),
        "session_minute": np.repeat(np.arange(count)[:, None] % 1380, names, axis=1),
    }  # fmt: skip
    for name in ("delta", "volume", "turnover"):
        columns[f"cumulative_{name}"] = np.cumsum(columns[name], axis=0)
    gone = rng.random(shape) < missing
    return panel_of({name: np.where(gone, np.nan, column) for name, column in columns.items()})


def last(panel: BarPanel, name: str) -> np.ndarray:
    return compute_tail(panel, tuple(feature for feature in TAPE if feature.name == name))[name]


def bits(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values).tobytes()


def test_vwap_delta_and_ticks_are_those_of_rolling_frames() -> None:
    """Once more by pandas over the minutes that traded, quiet ones filled in."""
    panel = market(1, names=1)
    frame = pd.DataFrame({name: column[:, 0] for name, column in panel.columns.items()})
    close, flows = frame["close"].ffill(), frame.fillna(0.0)
    traded = frame["close"].notna()
    ours = {name: column[:, 0] for name, column in compute_batch(panel, TAPE).items()}
    rolled = {span: flows.rolling(span).sum() for span in (5, 15, 20, 60)}
    middle = rolled[20]["turnover"] / rolled[20]["volume"]
    price = (flows["turnover"] / flows["volume"]).where(flows["volume"] > 0, 0.0)
    second = (flows["volume"] * price**2).rolling(20).sum() / rolled[20]["volume"]
    expected = {
        "vwap_gap_20m": close / middle - 1.0,
        "vwap_position_20m": (close - middle) / np.sqrt(second - middle**2),
        "delta_share_15m": rolled[15]["delta"] / rolled[15]["volume"],
        "tick_balance_5m": (rolled[5]["up_ticks"] - rolled[5]["down_ticks"])
        / (rolled[5]["up_ticks"] + rolled[5]["down_ticks"]),
        "tick_persistence_5m": 1 - 2 * rolled[5]["reversals"] / (rolled[5]["up_ticks"] + rolled[5]["down_ticks"]),
        "large_net_share_15m": (rolled[15]["large_buy_volume"] - rolled[15]["large_sell_volume"])
        / rolled[15]["volume"],
        "move_60m": close / close.shift(60) - 1.0,
        "volatility_60m": np.sqrt((close.pct_change() ** 2).rolling(60).mean()),
        "volume_surge_20m": frame["volume"] / (rolled[20]["volume"] / 20),
        "vwap_slope_20m": middle / middle.shift(20) - 1.0,
    }  # fmt: skip
    for name, told in expected.items():
        after = 60 + GRACE  # where every window is whole
        theirs = np.where(traded, told, np.nan)[after:]
        assert ours[name][after:] == pytest.approx(theirs, rel=1e-6, abs=1e-9, nan_ok=True), name
        assert np.isfinite(ours[name][after:]).sum() > 20, name


def test_four_horizons_are_weighed_by_hand() -> None:
    panel = market(4, names=1, missing=0.0)
    close = panel.columns["close"][:, 0][-61:]
    steps = np.diff(close) / close[:-1]
    minute, short = np.sqrt(np.mean(steps**2)), np.sqrt(np.mean(steps[-15:] ** 2))
    scaled = [(close[-1] / close[-1 - span] - 1) / (minute * np.sqrt(span)) for span in HORIZONS]
    votes = np.clip(scaled, -1, 1)
    pace = np.clip(short / minute, 0.5, 2.0)
    weights = np.array(WEIGHTS) * np.array([1 / pace, 1 / np.sqrt(pace), np.sqrt(pace), pace])
    told = (votes * weights).sum() / weights.sum()
    agree = np.mean(np.sign(votes) == np.sign(told))
    assert last(panel, "mtf_agreement")[0] == agree
    assert last(panel, "mtf_confluence")[0] == pytest.approx(told * agree)


def test_price_that_outruns_its_buyers_diverges() -> None:
    panel = market(2, names=1, missing=0.0)
    rising = 5000 + np.arange(120.0)[:, None]
    for name in ("close", "high", "low"):
        panel.columns[name] = rising
    panel.columns["delta"] = np.full((120, 1), -5.0)
    assert last(panel, "delta_divergence_15m")[0] == 1.0 and last(panel, "hidden_strength_15m")[0] == -1.0
    panel.columns["delta"] = np.full((120, 1), 5.0)
    assert last(panel, "delta_divergence_15m")[0] == 0.0 and last(panel, "hidden_strength_15m")[0] == 0.0


def test_a_turn_needs_a_fall_a_rise_and_ticks_that_agree() -> None:
    panel = market(3, names=1, missing=0.0)
    path = np.full(120, 5000.0)
    path[-16:-5] = 5000.0 - 3.0 * np.arange(11)
    path[-5:] = path[-6] + 4.0 * np.arange(1, 6)
    panel.columns["close"] = path[:, None]
    panel.columns["up_ticks"], panel.columns["down_ticks"] = np.full((120, 1), 9.0), np.full((120, 1), 1.0)
    assert last(panel, "tick_reversal")[0] == 1.0
    panel.columns["up_ticks"], panel.columns["down_ticks"] = panel.columns["down_ticks"], panel.columns["up_ticks"]
    assert last(panel, "tick_reversal")[0] == 0.0


def test_a_quiet_minute_is_no_trade_and_an_unknown_past_is_no_zero() -> None:
    panel = market(5, count=80, names=1, missing=0.0)
    quiet = {name: column.copy() for name, column in panel.columns.items()}
    for column in quiet.values():
        column[-17:-3] = np.nan  # seen before, nothing traded, then again
    told = compute_tail(panel_of(quiet), TAPE)
    lots, pressed = panel.columns["volume"][-3:, 0], panel.columns["delta"][-3:, 0]
    assert told["delta_share_5m"][0] == pytest.approx(pressed.sum() / lots.sum())
    assert told["move_15m"][0] == pytest.approx(panel.columns["close"][-1, 0] / panel.columns["close"][-18, 0] - 1)
    unknown = {name: column.copy() for name, column in panel.columns.items()}
    for column in unknown.values():
        column[:-1] = np.nan  # the tape begins here
    for name, value in compute_tail(panel_of(unknown), TAPE).items():
        assert np.isnan(value[0]) == (name not in OF_ONE_MINUTE), name


def test_nothing_is_said_of_a_minute_without_a_bar() -> None:
    panel = market(6, missing=0.3)
    gone = np.isnan(panel.columns["close"])
    for name, column in compute_batch(panel, TAPE).items():
        assert np.isnan(column[gone]).all() and not np.isinf(column).any(), name


def test_without_large_prints_their_balance_is_missing_and_their_share_is_none() -> None:
    panel = market(7, names=1, missing=0.0)
    for name in ("large_buy_volume", "large_sell_volume"):
        panel.columns[name] = np.zeros((120, 1))
    assert np.isnan(last(panel, "large_balance_15m")[0]) and last(panel, "large_net_share_15m")[0] == 0.0


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), later=st.integers(1, 30), missing=st.sampled_from([0.0, 0.1, 0.6]),
       future=st.sampled_from(["gone", "dealt again", "blown up"]))  # fmt: skip
def test_no_later_minute_moves_a_bit(seed: int, later: int, missing: float, future: str) -> None:
    panel = market(seed, missing=missing)
    rng, cut = np.random.default_rng(seed), len(panel.sessions) - later
    columns = {name: column.copy() for name, column in panel.columns.items()}
    for name, column in columns.items():
        if future == "dealt again":
            column[cut:] = rng.permutation(column[cut:])
        elif future == "blown up":
            column[cut:] *= 1e6
        else:
            columns[name] = column[:cut]
    other = BarPanel(panel.sessions[: len(columns["close"])], panel.names, columns)
    ours, theirs = compute_batch(panel, TAPE), compute_batch(other, TAPE)
    early = compute_tail(
        BarPanel(panel.sessions[:cut], panel.names, {key: column[:cut] for key, column in panel.columns.items()})
        .tail(view_look_back(TAPE)), TAPE)  # fmt: skip
    for feature in TAPE:
        assert bits(ours[feature.name][:cut]) == bits(theirs[feature.name][:cut]), feature.name
        assert bits(ours[feature.name][cut - 1]) == bits(early[feature.name]), feature.name
        if feature.bounds:
            held = ours[feature.name][np.isfinite(ours[feature.name])]
            assert ((held >= feature.bounds[0]) & (held <= feature.bounds[1])).all(), feature.name
