"""One kernel, three users: batch, chunk and tail give the same bits, whatever is missing and whoever is listed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features import compute
from models.features.compute import compute_batch, compute_tail
from models.features.inputs import RAW, derive
from models.features.panel import BarPanel
from models.features.registry import families, view_look_back

VIEWS = sorted(families())


def panel_of(seed: int, sessions: int, names: int, missing: float, cells: str = "equity") -> BarPanel:
    rng = np.random.default_rng(seed)
    shape = (sessions, names)
    raw = {name: rng.lognormal(0, 0.3, shape) for name in RAW[cells]}
    if cells == "equity":
        close = 50 * np.cumprod(1 + rng.normal(0, 0.02, shape), axis=0)
        close[rng.random(shape) < 0.1] = 37.0  # ties, and returns of zero
        spread = rng.uniform(0.0, 0.02, shape)
        raw |= {"close": close, "open": close * (1 + rng.normal(0, 0.01, shape)), "high": close * (1 + spread),
                "low": close * (1 - spread), "volume": np.floor(rng.lognormal(10, 1, shape)),
                "split_factor": np.where(np.arange(sessions)[:, None] > sessions // 2, 2.0, 1.0) * np.ones(shape),
                "total_return_factor": np.cumprod(1 + (rng.random(shape) < 0.05) * 0.01, axis=0)}
    gone = rng.random(shape) < missing
    days = np.datetime64("2024-01-01") + np.arange(sessions)
    raw = {name: np.where(gone, np.nan, column) for name, column in raw.items()}
    return BarPanel(days, tuple(f"N{n:03d}" for n in range(names)), derive(cells, raw))


def bits(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, dtype=np.float64).tobytes()


panels = st.builds(
    lambda view, **asked: (view, panel_of(cells=families()[view][0].cells, **asked)), view=st.sampled_from(VIEWS),
    seed=st.integers(0, 2**32 - 1), sessions=st.integers(1, 60), names=st.integers(1, 33),
    missing=st.sampled_from([0.0, 0.02, 0.3]),
)


@settings(max_examples=60, deadline=None)
@given(drawn=panels)
def test_tail_has_the_bits_of_batch(drawn: tuple[str, BarPanel]) -> None:
    view, panel = drawn
    features = families()[view]
    batch = compute_batch(panel, features)
    tail = compute_tail(panel.tail(view_look_back(features)), features)
    for feature in features:
        assert bits(batch[feature.name][-1]) == bits(tail[feature.name]), feature.name


@settings(max_examples=40, deadline=None)
@given(drawn=panels, later=st.integers(1, 20))
def test_later_sessions_change_no_bit(drawn: tuple[str, BarPanel], later: int) -> None:
    view, panel = drawn
    features = families()[view]
    cut = max(1, len(panel.sessions) - later)
    early = BarPanel(panel.sessions[:cut], panel.names, {key: column[:cut] for key, column in panel.columns.items()})
    whole, part = compute_batch(panel, features), compute_batch(early, features)
    for feature in features:
        assert bits(whole[feature.name][:cut]) == bits(part[feature.name]), feature.name


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), absent=st.integers(1, 20), names=st.integers(1, 20))
def test_names_without_bars_and_their_order_change_no_bit(seed: int, absent: int, names: int) -> None:
    panel = panel_of(seed, 40, names, 0.05)
    rng = np.random.default_rng(seed)
    place = rng.permutation(names + absent)[:names]
    columns = {}
    for key, column in panel.columns.items():
        columns[key] = np.full((40, names + absent), np.nan)
        columns[key][:, place] = column
    wide = BarPanel(panel.sessions, tuple(map(str, range(names + absent))), columns)
    features = families()["equity_v1"]
    alone, crowded = compute_batch(panel, features), compute_batch(wide, features)
    for feature in features:
        assert bits(alone[feature.name]) == bits(crowded[feature.name][:, place]), feature.name


def test_the_size_of_a_chunk_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = panel_of(3, 90, 22, 0.02)
    features = families()["equity_v1"]
    whole = compute_batch(panel, features)
    monkeypatch.setattr(compute, "CHUNK_SESSIONS", 7)
    for name, values in compute_batch(panel, features).items():
        assert bits(values) == bits(whole[name]), name


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_missing_bar_is_missing_in_every_feature_of_its_name(seed: int) -> None:
    panel = panel_of(seed, 45, 9, 0.1)
    gone = np.isnan(panel.columns["close"])
    for name, values in compute_batch(panel, families()["equity_v1"]).items():
        assert np.isnan(values[gone]).all(), name


def test_not_a_number_never_hides_as_infinity_or_zero() -> None:
    panel = panel_of(1, 30, 3, 0.0)
    panel.columns["close_tr"][:, 0] = 5.0  # nothing moved: no deviation, no strength
    values = compute_batch(panel, families()["equity_v1"])
    assert all(not np.isinf(column).any() for column in values.values())
    assert np.isnan(values["zscore_20"][-1, 0]) and np.isnan(values["rsi_14"][-1, 0])
    assert values["ret_20"][-1, 0] == 0.0
