"""The weekly graph: edges against independent computations, drawn from what was known before the week, and no later."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.features.compute import compute_batch, compute_tail
from models.features.graph.declared import FEATURES
from models.features.graph.edges import LAGS, SIGNIFICANCE, WINDOW, critical_f, granger, week_edges
from models.features.graph.nodes import LOOK_BACK, MONTH
from models.features.panel import BarPanel
from models.gnn.graph import correlation, listeners

MONDAY = np.datetime64("2024-01-01")


def sessions_of(count: int) -> np.ndarray:
    """Monday to Friday; now and then a holiday."""
    days = MONDAY + np.arange(2 * count + 30)
    open_days = days[((days - MONDAY).astype(int) % 7 < 5) & ((days - MONDAY).astype(int) % 61 != 17)]
    return open_days[:count]


def panel_of(seed: int, count: int = LOOK_BACK + 30, names: int = 14, missing: float = 0.01) -> BarPanel:
    rng = np.random.default_rng(seed)
    days = sessions_of(count)
    common = rng.normal(0, 0.01, (count, 3))
    loads = rng.normal(0, 1, (3, names))
    close = 50 * np.cumprod(1 + common @ loads + rng.normal(0, 0.01, (count, names)), axis=0)
    gone = rng.random(close.shape) < missing
    week = np.repeat(((days - MONDAY).astype(int) // 7).astype(float)[:, None], names, axis=1)
    columns = {"close_tr": np.where(gone, np.nan, close), "week": np.where(gone, np.nan, week)}
    return BarPanel(days, tuple(f"N{n:03d}" for n in range(names)), columns)


def cut(panel: BarPanel, count: int) -> BarPanel:
    return BarPanel(panel.sessions[:count], panel.names, {key: part[:count] for key, part in panel.columns.items()})


def bits(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values).tobytes()


def test_the_threshold_is_the_quantile_of_f() -> None:
    assert critical_f(118) == pytest.approx(stats.f.isf(SIGNIFICANCE, LAGS, 118 - 2 * LAGS - 1), rel=1e-9)


def led(seed: int = 3) -> np.ndarray:
    moves = np.random.default_rng(seed).normal(0, 0.01, (9, WINDOW))
    moves[1, 1:] += 0.5 * moves[0, :-1]
    moves[2, 2:] -= 0.4 * moves[3, :-2]
    return moves


def test_granger_edges_are_those_of_least_squares() -> None:
    """Every pair once more by two plain regressions and the F distribution."""
    moves, hears = led(), ~np.eye(9, dtype=bool)
    theirs = np.zeros_like(hears)
    for i, j in zip(*np.nonzero(hears), strict=True):
        own, other = ([moves[k, LAGS - lag : WINDOW - lag] for lag in (1, 2)] for k in (i, j))
        left = []
        for lags in (own, [*own, *other]):
            x = np.column_stack([np.ones(WINDOW - LAGS), *lags])
            left.append(((moves[i, LAGS:] - x @ np.linalg.lstsq(x, moves[i, LAGS:], rcond=None)[0]) ** 2).sum())
        freedom = WINDOW - LAGS - 5
        theirs[i, j] = stats.f.sf((left[0] - left[1]) / 2 / (left[1] / freedom), 2, freedom) < SIGNIFICANCE
    ours = granger(moves, hears)
    assert (ours == theirs).all()
    assert ours[1, 0] and ours[2, 3] and not ours[0, 1] and ours.sum() < 8


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_granger_edges_are_those_of_statsmodels() -> None:
    from statsmodels.tsa.stattools import grangercausalitytests

    for seed in range(4):
        moves, hears = led(seed), ~np.eye(9, dtype=bool)
        theirs = np.zeros_like(hears)
        for i, j in zip(*np.nonzero(hears), strict=True):
            told = grangercausalitytests(moves[[i, j]].T, [LAGS])
            theirs[i, j] = told[LAGS][0]["ssr_ftest"][1] < SIGNIFICANCE
        assert (granger(moves, hears) == theirs).all()


def test_granger_cries_wolf_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    found = [granger(rng.normal(size=(20, WINDOW)), ~np.eye(20, dtype=bool)).sum() / 380 for _ in range(30)]
    assert np.mean(found) == pytest.approx(SIGNIFICANCE, abs=0.004)


def test_edges_are_those_of_the_graph_network() -> None:
    panel = panel_of(4, missing=0.0)
    prices = panel.columns["close_tr"][: WINDOW + 1].T
    edges = week_edges(prices)
    likeness = correlation((prices[:, 1:] / prices[:, :-1] - 1.0).T)
    assert np.array_equal(edges.likeness, likeness)
    assert np.array_equal(edges.hears | np.eye(14, dtype=bool), listeners(likeness, 10))
    assert edges.strength == pytest.approx([np.sort(np.delete(row, i))[-10:].mean() for i, row in enumerate(likeness)])


def test_the_graph_stands_still_within_a_week_and_moves_with_the_next() -> None:
    panel = panel_of(5, missing=0.0)
    values = compute_batch(panel, FEATURES)["graph_strength"]
    week = panel.columns["week"][:, 0]
    for at in range(LOOK_BACK, len(week)):
        same = bits(values[at]) == bits(values[at - 1])
        assert same == (week[at] == week[at - 1]), at


def test_a_week_knows_nothing_of_its_own_sessions_but_their_returns() -> None:
    panel = panel_of(6, missing=0.0)
    week = panel.columns["week"][:, 0]
    last = len(week) - 1
    begins = int(np.flatnonzero(week == week[last])[0])
    assert begins < last
    close = panel.columns["close_tr"].copy()
    close[begins:] *= np.random.default_rng(1).uniform(0.5, 2.0, close[begins:].shape)
    scrambled = compute_batch(BarPanel(panel.sessions, panel.names, {**panel.columns, "close_tr": close}), FEATURES)
    plain = compute_batch(panel, FEATURES)
    for name in ("graph_degree", "graph_in_degree", "graph_strength", "granger_led_share", "granger_lead_share",
                 "graph_turnover_20", "correlation_rotation_20"):  # fmt: skip
        assert bits(plain[name]) == bits(scrambled[name]), name
    assert bits(plain["neighbour_ret_1"][last]) != bits(scrambled["neighbour_ret_1"][last])


def test_twins_hear_each_other_and_a_leader_is_named() -> None:
    rng = np.random.default_rng(8)
    count, names = LOOK_BACK + 5, 30
    moves = rng.normal(0, 0.01, (count, names))
    moves[:, 1] = moves[:, 0] + rng.normal(0, 0.001, count)  # twins
    moves[1:, 2] = 0.7 * moves[:-1, 3] + 0.5 * moves[1:, 3] + rng.normal(0, 0.003, count - 1)  # 2 follows 3
    panel = panel_of(8, count, names, 0.0)
    panel.columns["close_tr"][:] = 50 * np.cumprod(1 + moves, axis=0)
    rows = compute_tail(panel, FEATURES)
    assert rows["graph_degree"][0] == rows["graph_degree"][1] == pytest.approx(1 / 29)
    assert rows["leader_ret_1"][2] == pytest.approx(moves[-1, 3], abs=0.01) and rows["granger_led_share"][2] >= 0.1
    assert rows["neighbour_gap_5"] == pytest.approx(
        rows["neighbour_ret_5"] - (np.prod(1 + moves[-5:], axis=0) - 1), rel=1e-6, abs=1e-9)


def test_a_rotation_shows_as_turnover() -> None:
    """Two blocks; in the last weeks a name leaves one for the other."""
    rng = np.random.default_rng(2)
    count, names = LOOK_BACK + 5, 24
    first, second = rng.normal(0, 0.02, (2, count))
    moves = rng.normal(0, 0.002, (count, names)) + np.where(np.arange(names) < 12, first[:, None], second[:, None])
    moves[-(MONTH + 4) :, 0] = 40 * second[-(MONTH + 4) :]
    panel = panel_of(2, count, names, 0.0)
    panel.columns["close_tr"][:] = 50 * np.cumprod(1 + moves, axis=0)
    turnover = compute_tail(panel, FEATURES)["graph_turnover_20"]
    assert turnover[0] == 1.0 and np.median(turnover[1:]) < 0.5


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), later=st.integers(1, 25), missing=st.sampled_from([0.0, 0.02, 0.2]))
def test_tail_and_truncation_keep_every_bit(seed: int, later: int, missing: float) -> None:
    panel = panel_of(seed, missing=missing, names=8 + seed % 9)
    batch = compute_batch(panel, FEATURES)
    tail = compute_tail(panel.tail(LOOK_BACK), FEATURES)
    early = compute_batch(cut(panel, len(panel.sessions) - later), FEATURES)
    for feature in FEATURES:
        assert bits(batch[feature.name][-1]) == bits(tail[feature.name]), feature.name
        assert bits(batch[feature.name][:-later]) == bits(early[feature.name]), feature.name
        if feature.bounds:
            held = batch[feature.name][np.isfinite(batch[feature.name])]
            assert ((held >= feature.bounds[0]) & (held <= feature.bounds[1])).all(), feature.name


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), absent=st.integers(1, 12))
def test_names_that_list_later_change_no_bit(seed: int, absent: int) -> None:
    panel = panel_of(seed)
    place = np.sort(np.random.default_rng(seed).permutation(14 + absent)[:14])
    columns = {}
    for key, column in panel.columns.items():
        columns[key] = np.full((len(column), 14 + absent), np.nan)
        columns[key][:, place] = column
    wide = compute_batch(BarPanel(panel.sessions, tuple(map(str, range(14 + absent))), columns), FEATURES)
    for name, values in compute_batch(panel, FEATURES).items():
        assert bits(values) == bits(wide[name][:, place]), name


def test_a_missing_bar_says_nothing_and_a_short_past_says_nothing() -> None:
    panel = panel_of(9)
    values = compute_batch(panel, FEATURES)
    gone = np.isnan(panel.columns["close_tr"])
    for name, column in values.items():
        assert np.isnan(column[gone]).all() and np.isnan(column[: LOOK_BACK - 1]).all(), name
        assert not np.isinf(column).any(), name
    assert np.isfinite(values["graph_strength"][-1]).sum() > 10
