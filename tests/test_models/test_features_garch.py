"""GARCH(1,1): fits that are as likely as another library's, and a forecast that is the textbook's recursion."""

import numpy as np
import pytest

from models.features.compute import compute_batch, compute_tail
from models.features.inputs import FITTED, derive
from models.features.panel import BarPanel
from models.features.statistical import garch


def simulated(seed: int, names: int, alpha: float, beta: float, count: int = garch.RETURNS) -> np.ndarray:
    rng = np.random.default_rng(seed)
    variance, moves = np.full(names, 1e-4), np.empty((names, count))
    for at in range(count):
        moves[:, at] = np.sqrt(variance) * rng.normal(size=names)
        variance = 1e-4 * (1 - alpha - beta) + alpha * moves[:, at] ** 2 + beta * variance
    return moves


def ahead(moves: np.ndarray, alpha: float, beta: float, usual: float) -> tuple[float, float]:
    """Twice the negative log likelihood, and the variance after the last return."""
    variance, lost = usual, 0.0
    for move in moves:
        lost += np.log(variance) + move * move / variance
        variance = usual * (1 - alpha - beta) + alpha * move * move + beta * variance
    return lost, variance


def panel(moves: np.ndarray, fitted: np.ndarray) -> BarPanel:
    close = 50 * np.cumprod(np.concatenate([np.ones((1, len(moves))), 1 + moves.T]), axis=0)
    raw = {"close": close, "total_return_factor": np.ones_like(close)}
    raw |= {name: np.tile(fitted[:, at], (len(close), 1)) for at, name in enumerate(FITTED)}
    days = np.datetime64("2020-01-01") + np.arange(len(close))
    return BarPanel(days, tuple(f"N{at}" for at in range(len(moves))), derive("garch", raw))


def test_many_fits_together_find_what_the_returns_were_made_with() -> None:
    for alpha, beta in ((0.08, 0.88), (0.15, 0.7)):
        found = np.median(garch.fit(simulated(5, 60, alpha, beta)), axis=0)
        assert found[0] == pytest.approx(alpha, abs=0.025) and found[:2].sum() == pytest.approx(alpha + beta, abs=0.03)
        assert found[2] == pytest.approx(1e-4, rel=0.15)


@pytest.mark.slow
def test_fits_are_as_likely_as_those_of_arch_and_forecast_alike() -> None:
    from arch import arch_model

    for moves in np.concatenate([simulated(1, 4, 0.08, 0.9), simulated(2, 4, 0.15, 0.6)]):
        omega, alpha, beta = arch_model(100 * moves, mean="Zero", vol="GARCH", p=1, q=1).fit(disp="off").params
        ours = garch.fit(moves[None])[0]
        theirs, variance = ahead(moves, alpha, beta, omega * 1e-4 / (1 - alpha - beta))
        mine, forecast = ahead(moves, *ours)
        assert mine < theirs + 1.5  # twice a log likelihood; theirs has a third parameter free
        assert np.sqrt(forecast / variance) == pytest.approx(1.0, abs=0.04)


def test_a_fit_is_of_each_name_alone_and_of_nothing_where_too_little_is_known() -> None:
    moves = simulated(3, 6, 0.1, 0.8)
    moves[4, : garch.RETURNS - garch.FEWEST + 1] = np.nan
    moves[5] = 0.0
    together = garch.fit(moves)
    assert np.isnan(together[4:]).all() and np.isfinite(together[:4]).all()
    assert together[:4].tobytes() == np.concatenate([garch.fit(moves[at : at + 1]) for at in range(4)]).tobytes()
    gaps = moves[:4].copy()
    gaps[0, 100:110] = np.nan
    assert garch.fit(gaps)[1:].tobytes() == together[1:4].tobytes() and np.isfinite(garch.fit(gaps)[0]).all()


def test_the_forecast_is_the_recursion_over_its_window() -> None:
    moves = simulated(4, 3, 0.1, 0.85, 300)
    fitted = np.array([[0.1, 0.85, 1e-4], [0.05, 0.6, 2e-4], [0.2, 0.7, 5e-5]])
    values = compute_batch(panel(moves, fitted), garch.FEATURES)
    for name in range(3):
        _, variance = ahead(moves[name, -252:], *fitted[name])
        assert values["garch_vol"][-1, name] == pytest.approx(np.sqrt(252 * variance))
        assert values["garch_ratio"][-1, name] == pytest.approx(np.sqrt(variance / fitted[name, 2]))
        assert values["garch_persistence"][-1, name] == pytest.approx(fitted[name, :2].sum())


def test_tail_has_the_bits_of_batch_and_no_future_moves_the_past() -> None:
    rng = np.random.default_rng(6)
    moves = simulated(6, 5, 0.1, 0.85, 320)
    whole = panel(moves, garch.fit(np.tile(moves, (1, 2))[:, : garch.RETURNS]))
    gone = rng.random(whole.columns["close"].shape) < 0.02
    whole = BarPanel(whole.sessions, whole.names,
                     {key: np.where(gone, np.nan, column) for key, column in whole.columns.items()})
    batch = compute_batch(whole, garch.FEATURES)
    for end in (260, 300, 321):
        cut = BarPanel(whole.sessions[:end], whole.names, {key: part[:end] for key, part in whole.columns.items()})
        early, tail = compute_batch(cut, garch.FEATURES), compute_tail(cut, garch.FEATURES)
        for name, values in batch.items():
            assert early[name].tobytes() == values[:end].tobytes(), name
            assert tail[name].tobytes() == values[end - 1].tobytes(), name
