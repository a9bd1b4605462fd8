"""Positioning, fear and the auction of a session: meaning by hand, nulls for what is missing, no look at tomorrow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.compute import compute_batch, compute_tail
from models.features.inputs import RAW
from models.features.panel import BarPanel
from models.features.registry import families, view_look_back

VIEWS = ("positioning_v1", "sentiment_v1", "auction_v1")
NAN = np.nan


def panel_of(view: str, *rows: dict[str, float], rest: float = NAN) -> BarPanel:
    """One name, a session a row; what a row does not say is `rest`."""
    names = RAW[families()[view][0].cells]
    columns = {name: np.array([[row.get(name, rest)] for row in rows]) for name in names}
    return BarPanel(np.datetime64("2025-01-01") + np.arange(len(rows)), ("SPX",), columns)


def last(view: str, name: str, *rows: dict[str, float]) -> float:
    (feature,) = (one for one in families()[view] if one.name == name)
    return float(compute_tail(panel_of(view, *rows), (feature,))[name][0])


def chain(name: str, **columns: float) -> float:
    return last("positioning_v1", name, columns)


def auction(name: str, **columns: float) -> float:
    return last("auction_v1", name, columns)


def test_put_and_call_volume() -> None:
    assert chain("put_call_balance", put_volume=300.0, call_volume=100.0) == 0.5
    assert np.isnan(chain("put_call_balance", put_volume=0.0, call_volume=0.0))
    assert [chain("put_call_crowd", put_call_ratio=ratio) for ratio in (0.7, 1.0, 1.3)] == [1.0, 0.0, -1.0]
    assert np.isnan(chain("put_call_crowd"))


def test_gamma_conventions() -> None:
    assert chain("gamma_balance", gamma_calls=6e9, gamma_puts=2e9) == 0.5
    assert chain("gamma_gross_bn", gamma_calls=6e9, gamma_puts=2e9) == 8.0
    assert chain("gamma_0dte_share", gamma_0dte=-2e9, gamma_calls=6e9, gamma_puts=2e9) == -0.25
    assert chain("gamma_per_point_mn", gamma_exposure=5e9, spot=5000.0) == pytest.approx(100.0)  # 1 % is 50 points
    assert chain("gamma_flip_distance", spot=5000.0, gamma_flip=4000.0) == 0.25
    assert [chain("above_gamma_flip", spot=5000.0, gamma_flip=flip) for flip in (4000.0, 6000.0)] == [1.0, 0.0]
    assert np.isnan(chain("above_gamma_flip", spot=5000.0))  # all pulls one way: there is no flip


def test_pins() -> None:
    pins = {"pin_1": 5100.0, "pin_2": 4990.0, "pin_3": NAN, "spot": 5000.0}
    assert chain("pin_1_distance", **pins) == pytest.approx(0.02) and np.isnan(chain("pin_3_distance", **pins))
    assert chain("pin_nearest", **pins) == pytest.approx(0.002)
    near = {"pin_1": 5010.0, "spot": 5000.0}
    assert [chain("pinned", **near, gamma_exposure=gamma) for gamma in (1.0, -1.0)] == [1.0, 0.0]
    assert np.isnan(chain("pinned", **near))


def test_term_and_skew() -> None:
    assert chain("iv_term_short", iv_9d=0.30, iv30=0.20) == pytest.approx(0.5)
    assert chain("iv_term_long", iv30=0.20, iv_93d=0.25) == pytest.approx(-0.2)
    assert chain("skew_share", skew_25d=0.05, iv30=0.20) == 0.25
    flat = [{"iv30": 0.2, "spot": 100.0}] * 20
    assert last("positioning_v1", "iv_less_realised_20", *flat, {"iv30": 0.2, "spot": 101.0}) == pytest.approx(
        0.2 - 0.01 * np.sqrt(252 / 20))


@pytest.mark.parametrize(("level", "rank", "share", "regime"), [(30.0, 1.0, 1.0, 3.0), (9.0, 0.0, 0.0, 0.0)])
def test_where_a_level_stands_in_its_past(level: float, rank: float, share: float, regime: float) -> None:
    past = [{"iv30": 10.0 + n % 10} for n in range(251)]
    assert last("positioning_v1", "iv_rank_252", *past, {"iv30": level}) == rank
    assert last("positioning_v1", "iv_percentile_252", *past, {"iv30": level}) == share
    assert last("positioning_v1", "iv_regime", *past, {"iv30": level}) == regime


def test_a_rank_waits_for_its_past_and_bears_a_few_holes() -> None:
    past = [{"iv30": 10.0 + n} for n in range(20)]
    for holes, known in ((4, True), (5, False)):
        rows = [{} if 3 <= n < 3 + holes else row for n, row in enumerate(past)]
        assert np.isfinite(last("positioning_v1", "iv_rank_20", *rows)) == known
    assert np.isnan(last("positioning_v1", "iv_rank_20", *past[:19], {}))  # today is missing
    assert np.isnan(last("positioning_v1", "iv_rank_20", *past[:19]))  # a session short


def test_regimes_of_fear() -> None:
    told = [last("sentiment_v1", "vix_regime", {"vix": level}) for level in (12.0, 15.0, 20.0, 29.9, 30.0)]
    assert told == [0.0, 1.0, 2.0, 2.0, 3.0] and np.isnan(last("sentiment_v1", "vix_regime", {}))
    assert last("sentiment_v1", "vix_term", {"vix": 22.0, "vix3m": 20.0}) == pytest.approx(0.1)


def test_against_vwap_and_levels() -> None:
    bands = {"close": 105.0, "vwap": 100.0, "vwap_deviation": 2.0}
    assert auction("vwap_position", **bands) == 2.5 and auction("vwap_band", **bands) == 2.0
    assert auction("vwap_band", **{**bands, "close": 97.1}) == -1.0
    assert np.isnan(auction("vwap_position", **{**bands, "vwap_deviation": 0.0}))  # one price: no band
    value = {"vah": 110.0, "val": 100.0, "pvah": 105.0, "pval": 95.0, "close": 102.5}
    assert auction("value_position", **value) == 0.25 and auction("value_overlap", **value) == pytest.approx(1 / 3)
    told = [auction("open_outside_value", open=price, pvah=105.0, pval=95.0) for price in (106.0, 100.0, 94.0)]
    assert told == [1.0, 0.0, -1.0] and np.isnan(auction("open_outside_value", open=100.0))
    assert auction("level_pull", close=100.0, poc=110.0, vah=110.0, val=110.0) == pytest.approx(0.1)


def test_zones_and_those_who_trade_in_size() -> None:
    zones = {"accumulation_volume": 40.0, "distribution_volume": 10.0, "total_volume": 100.0}
    assert auction("imbalance_strength", **zones) == pytest.approx(0.3)
    large = {"large_buy_volume": 30.0, "large_sell_volume": 10.0, "total_volume": 100.0}
    assert auction("large_balance", **large) == 0.5 and auction("large_net_share", **large) == 0.2
    quiet = {"large_buy_volume": 0.0, "large_sell_volume": 0.0, "total_volume": 100.0}
    assert np.isnan(auction("large_balance", **quiet)) and auction("large_net_share", **quiet) == 0.0
    absorbed = {"open": 100.0, "close": 99.0, "hidden_bid_volume": 20.0, "hidden_ask_volume": 0.0,
                "total_volume": 100.0}  # fmt: skip
    assert auction("stealth", **absorbed) == 0.2 and auction("stealth", **{**absorbed, "close": 101.0}) == 0.0


def test_delta_against_price() -> None:
    outrun = {"close": 110.0, "low": 100.0, "high": 110.0, "delta": -50.0, "delta_low": -50.0, "delta_high": 50.0}
    assert auction("delta_divergence", **outrun) == 1.0
    assert auction("delta_divergence", **{**outrun, "delta": 50.0}) == 0.0
    moves = {"open": 100.0, "close": 99.0, "delta": 10.0}
    assert auction("hidden_strength", **moves) == 1.0
    assert auction("hidden_strength", **{**moves, "close": 101.0, "delta": -1.0}) == -1.0
    ticks = {"open": 100.0, "close": 99.0, "up_ticks": 10.0, "down_ticks": 30.0, "reversals": 10.0}
    assert auction("volume_confirms", **ticks) == 0.5 and auction("tick_persistence", **ticks) == 0.5


def test_the_part_of_the_day_that_moves_most() -> None:
    rows = [{"high": 102.0, "low": 100.0, "asia_range": 0.002, "london_range": 0.01, "newyork_range": 0.005}] * 5
    assert last("auction_v1", "busiest_part_5", *rows) == 1.0
    assert last("auction_v1", "london_activity_5", *rows) == pytest.approx(0.5)
    assert np.isnan(last("auction_v1", "busiest_part_5", *rows[:4], {**rows[0], "asia_range": NAN}))


@pytest.mark.parametrize("view", VIEWS)
def test_each_missing_input_is_missing_in_what_reads_it_and_in_nothing_else(view: str) -> None:
    declared = families()[view]
    rng = np.random.default_rng(1)
    count = view_look_back(declared)
    rows = [dict(zip(RAW[declared[0].cells], rng.lognormal(0, 0.3, 60), strict=False)) for _ in range(count)]
    whole = compute_tail(panel_of(view, *rows), declared)
    for gone in RAW[declared[0].cells]:
        told = compute_tail(panel_of(view, *[{**row, gone: NAN} for row in rows]), declared)
        for feature in declared:
            if gone not in feature.inputs:
                assert told[feature.name].tobytes() == whole[feature.name].tobytes(), (feature.name, gone)
            elif feature.name != "pin_nearest" or gone == "spot":  # the nearest of those pins that there are
                assert np.isnan(told[feature.name][0]), (feature.name, gone)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), view=st.sampled_from(VIEWS), missing=st.sampled_from([0.0, 0.05, 0.4]))
def test_no_later_session_moves_a_bit_and_the_tail_is_the_batch(seed: int, view: str, missing: float) -> None:
    declared, rng = families()[view], np.random.default_rng(seed)
    count = view_look_back(declared) + 12
    columns = {name: rng.lognormal(0, 0.5, (count, 2)) * rng.choice([-1.0, 1.0], 1) for name in
               RAW[declared[0].cells]}  # fmt: skip
    columns = {name: np.where(rng.random(column.shape) < missing, NAN, column) for name, column in columns.items()}
    days, cut = np.datetime64("2024-01-01") + np.arange(count), count - 6
    ours = compute_batch(BarPanel(days, ("A", "B"), columns), declared)
    blown = {name: np.concatenate([column[:cut], column[cut:][::-1] * 1e6]) for name, column in columns.items()}
    theirs = compute_batch(BarPanel(days, ("A", "B"), blown), declared)
    early = BarPanel(days[:cut], ("A", "B"), {name: column[:cut] for name, column in columns.items()})
    tail = compute_tail(early.tail(view_look_back(declared)), declared)
    for feature in declared:
        assert ours[feature.name][:cut].tobytes() == theirs[feature.name][:cut].tobytes(), feature.name
        assert ours[feature.name][cut - 1].tobytes() == tail[feature.name].tobytes(), feature.name
