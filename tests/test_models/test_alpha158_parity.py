"""Batch, tail, chunk, memory order, thread and neighbour: none of them moves a bit of Alpha158."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features import compute
from models.features.alpha158.columns import NAMES
from models.features.alpha158.declared import FEATURES, LOOK_BACK
from models.features.compute import compute_batch, compute_tail
from models.features.inputs import derive
from models.features.panel import BarPanel


def market(seed: int, sessions: int, names: int, missing: float) -> BarPanel:
    rng = np.random.default_rng(seed)
    shape = (sessions, names)
    close = np.round(50 * np.cumprod(1 + rng.normal(0, 0.02, shape), axis=0), 2)
    close[rng.random(shape) < 0.1] = 37.0  # ties
    raw = {
        "close": close, "open": close * rng.uniform(0.97, 1.02, shape),
        "high": close * 1.02, "low": close * 0.97, "volume": np.floor(rng.lognormal(9, 1, shape)),
        "split_factor": np.where(np.arange(sessions)[:, None] > sessions // 2, 2.0, 1.0) * np.ones(shape),
        "total_return_factor": np.cumprod(1 + (rng.random(shape) < 0.05) * 0.01, axis=0),
    }
    raw["volume"][rng.random(shape) < missing / 4] = 0.0
    gone = rng.random(shape) < missing
    gone[: int(rng.integers(0, sessions)), 0] |= missing > 0  # one name lists late
    days = np.datetime64("2024-01-01") + np.arange(sessions)
    held = {key: np.where(gone, np.nan, column) for key, column in raw.items()}
    return BarPanel(days, tuple(f"N{n:02d}" for n in range(names)), derive("equity", held))


def bits(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values).tobytes()


def cut(panel: BarPanel, sessions: slice, names: slice = slice(None)) -> BarPanel:
    columns = {key: column[sessions, names] for key, column in panel.columns.items()}
    return BarPanel(panel.sessions[sessions], panel.names[names], columns)


# What a market is made of: a failing example is told by these.
markets = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(50, 140), st.integers(1, 9), st.sampled_from([0.0, 0.01, 0.3])
)


@settings(max_examples=60)
@given(drawn=markets, back=st.integers(0, 30))
def test_the_tail_of_any_day_has_the_bits_of_batch(drawn: tuple[int, int, int, float], back: int) -> None:
    panel = market(*drawn)
    day = max(1, len(panel.sessions) - back)
    batch = compute_batch(panel, FEATURES)
    tail = compute_tail(cut(panel, slice(0, day)), FEATURES)
    for name in NAMES:
        assert bits(batch[name][day - 1]) == bits(tail[name]), name


@settings(max_examples=30)
@given(drawn=markets, first=st.integers(0, 60), later=st.integers(1, 40))
def test_neither_what_comes_later_nor_what_lies_before_the_look_back_counts(
    drawn: tuple[int, int, int, float], first: int, later: int
) -> None:
    panel = market(*drawn)
    last = max(1, len(panel.sessions) - later)
    first = min(first, last - 1)
    whole, part = compute_batch(panel, FEATURES), compute_batch(cut(panel, slice(first, last)), FEATURES)
    for name in NAMES:
        same = slice(first + LOOK_BACK - 1, last)
        assert bits(whole[name][same]) == bits(part[name][LOOK_BACK - 1 :]), name


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), missing=st.sampled_from([0.0, 0.05]))
def test_memory_order_tiles_threads_and_neighbours_change_no_bit(seed: int, missing: float) -> None:
    panel = market(seed, 90, 9, missing)
    whole = compute_batch(panel, FEATURES)
    turned = {key: np.asfortranarray(column) for key, column in panel.columns.items()}
    side_by_side = compute_batch(BarPanel(panel.sessions, panel.names, turned), FEATURES, threads=3)
    wide = BarPanel(panel.sessions, tuple(map(str, range(108))), {key: np.tile(column, 12)
                                                                  for key, column in panel.columns.items()})
    crowded = compute_batch(wide, FEATURES)  # more names than sessions: laid out the other way round
    alone = compute_batch(cut(panel, slice(None), slice(4, 5)), FEATURES)
    for name in NAMES:
        assert bits(whole[name]) == bits(side_by_side[name]) == bits(crowded[name][:, 99:]), name
        assert bits(whole[name][:, 4:5]) == bits(alone[name]), name


def test_the_size_of_a_tile_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = market(3, 100, 9, 0.03)
    whole = compute_batch(panel, FEATURES)
    monkeypatch.setattr(compute, "BLOCK_CELLS", 200)
    for name, values in compute_batch(panel, FEATURES).items():
        assert bits(values) == bits(whole[name]), name


def test_some_of_the_columns_have_the_bits_of_all() -> None:
    panel = market(4, 80, 5, 0.02)
    whole = compute_batch(panel, FEATURES)
    for wanted in (FEATURES[7:9], FEATURES[::-17]):
        some, tail = compute_batch(panel, wanted), compute_tail(panel, wanted)
        assert list(some) == [feature.name for feature in wanted] == list(tail)
        for name in some:
            assert bits(some[name]) == bits(whole[name]) and bits(tail[name]) == bits(whole[name][-1]), name


def test_single_precision_is_the_same_values_rounded_once() -> None:
    panel = market(6, 150, 4, 0.02)
    whole, half = compute_batch(panel, FEATURES), compute_batch(panel, FEATURES, precision=np.float32)
    for name in NAMES:
        assert half[name].dtype == np.float32
        assert bits(half[name]) == bits(whole[name].astype(np.float32)), name


@settings(max_examples=25)
@given(drawn=markets)
def test_values_are_finite_or_missing_and_keep_their_bounds(drawn: tuple[int, int, int, float]) -> None:
    panel = market(*drawn)
    gone = ~np.isfinite(panel.columns["close"])
    values = compute_batch(panel, FEATURES)
    for feature in FEATURES:
        column = values[feature.name]
        assert not np.isinf(column).any() and np.isnan(column[gone]).all(), feature.name
        if feature.bounds is not None:
            known = column[np.isfinite(column)]
            assert ((known >= feature.bounds[0]) & (known <= feature.bounds[1])).all(), feature.name


def test_a_tail_shorter_than_the_look_back_says_nothing() -> None:
    short = market(5, LOOK_BACK - 1, 3, 0.0)
    assert all(np.isnan(values).all() for values in compute_tail(short, FEATURES).values())
    assert all(np.isnan(values).all() for values in compute_batch(short, FEATURES).values())
