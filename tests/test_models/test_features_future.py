"""No kernel sees past its session, nor further back than it says.

Truncated, scrambled and blown-up futures leave every bit of the past, and the tail of a panel gives what the whole of
it gives; with gaps, young and dead names.
"""

import numpy as np
import pytest

from models.features.compute import compute_batch, compute_tail
from models.features.inputs import RAW, derive
from models.features.panel import BarPanel
from models.features.registry import FEATURES, families, view_look_back
from tests.test_models.test_features_parity import bits

VIEWS = sorted({feature.view for feature in FEATURES if feature.cells == "equity"})
OTHERS = sorted(set(families()) - set(VIEWS) - {"calendar_v1"})  # which reads nothing but the day
CLOCKS = {"week": 5, "session_minute": 1}  # what the calendar tells, and how many rows share a value of it
RAW_SESSIONS = 320


def raw_market(seed: int, sessions: int = RAW_SESSIONS, names: int = 8) -> dict[str, np.ndarray]:
    """Names that list late, die, halt, split, pay, stand still or gap; volumes of nothing."""
    rng = np.random.default_rng(seed)
    shape = (sessions, names)
    moves = rng.normal(0, 0.02, shape) * rng.choice([1.0, 1.0, 0.0, 4.0], shape)
    close = 50 * np.cumprod(1 + np.clip(moves, -0.6, 0.6), axis=0)
    spread = np.abs(rng.normal(0, 0.01, (2, *shape)))
    open_ = close * (1 + rng.normal(0, 0.005, shape))
    raw = {"open": open_, "high": np.maximum(open_, close) * (1 + spread[0]),
           "low": np.minimum(open_, close) * (1 - np.minimum(spread[1], 0.5)), "close": close,
           "volume": np.floor(rng.lognormal(10, 1, shape)) * (rng.random(shape) > 0.02),
           "split_factor": np.where(np.arange(sessions)[:, None] > 200, 2.0, 1.0) * np.ones(shape),
           "total_return_factor": np.cumprod(1 + (rng.random(shape) < 0.02) * 0.01, axis=0)}
    gone = rng.random(shape) < np.where(np.arange(names) % 3 == 0, 0.0, 0.01)
    gone[: sessions // 3, 1] = True
    gone[sessions * 4 // 5 :, 2] = True
    return {key: np.where(gone, np.nan, column) for key, column in raw.items()}


def panel(raw: dict[str, np.ndarray]) -> BarPanel:
    count, names = raw["close"].shape
    return BarPanel(np.datetime64("2022-01-01") + np.arange(count), tuple(f"N{n}" for n in range(names)),
                    derive("equity", raw))


def futures(raw: dict[str, np.ndarray], cut: int, rng: np.random.Generator) -> dict[str, dict[str, np.ndarray]]:
    """The same past up to session `cut`, and other days after it."""
    count = len(next(iter(raw.values())))
    order = np.append(np.arange(cut), cut + rng.permutation(count - cut))
    later = np.arange(len(order))[:, None] >= cut
    return {
        "truncated": {key: column[:cut] for key, column in raw.items()},
        "scrambled": {key: column[order] for key, column in raw.items()},
        "huge": {key: np.where(later, column * 1e9, column) for key, column in raw.items()},
        "tiny": {key: np.where(later, column * 1e-9, column) for key, column in raw.items()},
        "missing": {key: np.where(later, np.nan, column) for key, column in raw.items()},
    }


@pytest.mark.parametrize("view", VIEWS)
def test_no_future_moves_a_bit_of_the_past(view: str) -> None:
    rng = np.random.default_rng(len(view))
    raw = raw_market(sum(view.encode()))
    features = families()[view]
    cut = int(rng.integers(280, 310))
    now = compute_batch(panel(raw), features)
    assert any(np.isfinite(values[cut - 1]).any() for values in now.values())
    for kind, other in futures(raw, cut, rng).items():
        for name, values in compute_batch(panel(other), features).items():
            assert bits(values[:cut]) == bits(now[name][:cut]), f"{name} knows a {kind} future"


@pytest.mark.parametrize("view", OTHERS)
def test_no_future_moves_a_bit_of_what_is_not_of_daily_bars(view: str) -> None:
    features, rows, cut = families()[view], 300, 270
    cells, rng = features[0].cells, np.random.default_rng(sum(view.encode()))
    gone = rng.random((rows, 4)) < 0.01
    raw = {name: np.where(gone, np.nan, np.exp(np.cumsum(rng.normal(0, 0.02, gone.shape), axis=0)))
           for name in RAW[cells] if name not in CLOCKS}  # fmt: skip
    clock = {name: np.where(gone, np.nan, np.arange(rows)[:, None] // CLOCKS[name]) for name in RAW[cells]
             if name in CLOCKS}  # fmt: skip

    def seen(facts: dict[str, np.ndarray], count: int) -> BarPanel:
        columns = {name: column[:count] for name, column in {**facts, **clock}.items()}
        return BarPanel(np.datetime64("2024-01-01") + np.arange(count), tuple("ABCD"), derive(cells, columns))

    now = compute_batch(seen(raw, rows), features)
    assert any(np.isfinite(values[cut - 1]).any() for values in now.values())
    for kind, other in futures(raw, cut, rng).items():
        found = compute_batch(seen(other, cut if kind == "truncated" else rows), features)
        for name, values in found.items():
            assert bits(values[:cut]) == bits(now[name][:cut]), f"{name} knows a {kind} future"
    for name, values in compute_tail(seen(raw, cut), features).items():
        assert bits(values) == bits(now[name][cut - 1]), name
    for name, values in compute_batch(seen(raw, rows), features, since=cut).items():
        assert bits(values) == bits(now[name][cut:]), name


@pytest.mark.parametrize("view", VIEWS)
def test_a_tail_has_the_bits_of_the_whole(view: str) -> None:
    raw = raw_market(sum(view.encode()) + 1)
    features = families()[view]
    whole = compute_batch(panel(raw), features)
    for end in (281, 300, RAW_SESSIONS):
        seen = panel({key: column[:end] for key, column in raw.items()}).tail(view_look_back(features))
        for name, values in compute_tail(seen, features).items():
            assert bits(values) == bits(whole[name][end - 1]), name
    for since in (7, 270):  # within the longest look-back, and beyond every one
        for name, values in compute_batch(panel(raw), features, since=since).items():
            assert bits(values) == bits(whole[name][since:]), name


@pytest.mark.parametrize("view", VIEWS)
def test_bounds_hold_on_wild_markets(view: str) -> None:
    for seed in range(2):
        found = compute_batch(panel(raw_market(seed)), families()[view])
        for feature in families()[view]:
            if feature.bounds:
                values, (low, high) = found[feature.name], feature.bounds
                assert not ((values < low) | (values > high)).any(), feature.ref


@pytest.mark.parametrize("view", [view for view in VIEWS if view.startswith(("technical", "statistical"))])
def test_names_are_judged_alone_and_in_no_currency(view: str) -> None:
    """Whoever else is listed, and a price twice as high throughout, change nothing that is a share."""
    raw = raw_market(9)
    features = families()[view]
    whole = compute_batch(panel(raw), features)
    alone = compute_batch(panel({key: column[:, 3:4] for key, column in raw.items()}), features)
    dear = {key: column * (2.0 if key in ("open", "high", "low", "close") else 1.0) for key, column in raw.items()}
    other = compute_batch(panel(dear), features)
    for feature in features:
        assert bits(alone[feature.name][:, 0]) == bits(whole[feature.name][:, 3]), feature.ref
        if feature.name != "illiquidity_20":  # of dollars traded
            expected = pytest.approx(whole[feature.name], rel=1e-9, abs=1e-9, nan_ok=True)
            assert other[feature.name] == expected, feature.ref


def test_cross_sectional_features_move_for_every_name_of_a_session() -> None:
    raw = raw_market(4)
    pushed = {key: column.copy() for key, column in raw.items()}
    pushed["close"][300, 0] *= 1.3
    for name in ("rank_ret_1", "exposure_reversal", "beta_resid_ret_5", "peer_ret_5", "dollar_share"):
        features = [feature for feature in FEATURES if feature.name == name]
        was, now = (compute_batch(panel(one), features)[name] for one in (raw, pushed))
        assert bits(was[:300]) == bits(now[:300])
        moved = (was[300] != now[300]) & np.isfinite(was[300])
        assert moved[1:].any(), name
