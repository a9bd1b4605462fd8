"""Sweeps against vectorbt's recorded figures (`tests/bench/peers/vectorbt_record.py`), and against a walk over bars."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.sweep import (
    Fees,
    Swept,
    crossing_trips,
    equity_curves,
    from_positions,
    from_signals,
    sweep,
    sweep_crossings,
    trips_table,
)
from models.backtest.sweep.ranges import Ranges
from tests.test_models.sweep_market import FAST, FEES, SLOW, closes, positions, signals

RECORDED = np.load(Path(__file__).parent / "recorded" / "sweep.npz")
YEAR = 365.0


def held_to(told: Swept, recorded: np.ndarray) -> None:
    final, sharpe, depth, trades, wins = recorded
    moved = np.isfinite(sharpe)  # vectorbt: infinite where nothing ever moved
    assert told.total_return == pytest.approx(final, abs=1e-12)
    assert np.array_equal(np.isfinite(told.sharpe), moved)
    assert told.sharpe[moved] == pytest.approx(sharpe[moved], abs=1e-10)
    assert told.max_drawdown == pytest.approx(depth, abs=1e-12)
    assert told.trades.tolist() == trades.tolist()
    assert told.wins.tolist() == wins.tolist()


@pytest.mark.parametrize("number", range(len(FEES)))
def test_figures_are_vectorbts(number: int) -> None:
    fees, paths = Fees(*FEES[number]), closes()
    held_to(sweep_crossings(paths[:, 0], FAST, SLOW, fees, YEAR), RECORDED[f"pairs_{number}"])
    held_to(sweep_crossings(paths, 3, 7, fees, YEAR), RECORDED[f"names_{number}"])
    trips = from_signals(*signals())
    for name, price in (("signals", paths), ("shared", paths[:, 0])):
        held_to(sweep(price, trips, fees, YEAR), RECORDED[f"{name}_{number}"])
        assert equity_curves(price, trips, fees) == pytest.approx(RECORDED[f"{name}_{number}_equity"], abs=1e-12)


@pytest.mark.parametrize("number", range(len(FEES)))
def test_long_and_short_figures_are_vectorbts(number: int) -> None:
    fees, paths, trips = Fees(*FEES[number]), closes(), from_positions(positions())
    assert (trips.side < 0).sum() > 100 < (trips.side > 0).sum()
    assert equity_curves(paths, trips, fees) == pytest.approx(RECORDED[f"sides_{number}_equity"], abs=1e-12)
    told, recorded = sweep(paths, trips, fees, YEAR), RECORDED[f"sides_{number}"]
    held_to(told, recorded)


def test_a_run_that_a_short_has_ruined_trades_no_more() -> None:
    price = np.array([10.0, 25.0, 30.0, 5.0, 10.0])
    told = sweep(price, from_positions(np.array([[-1, 0, 1, 1, 0]]).T), Fees(0.0))
    assert told.total_return.tolist() == [pytest.approx(-1.5)]


def test_the_recorded_market_has_what_is_hard() -> None:
    """Means that touch, runs that never trade, trips that never end, a trip from the first bar on."""
    paths, trips = closes(), from_signals(*signals())
    mean = [np.convolve(paths[:, 0], np.ones(window) / window)[: len(paths)][8:] for window in (2, 4)]
    assert (np.abs(mean[0] - mean[1]) < 1e-9).sum() > 20
    assert (trips.counts == 0).any() and not trips.closed.all() and (trips.entry == 0).any()
    assert (sweep_crossings(paths[:, 0], FAST, SLOW).trades == 0).any()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_looking_trips_up_gives_what_walking_the_bars_gives(seed: int) -> None:
    chance = np.random.default_rng(seed)
    bars, runs = int(chance.integers(1, 70)), int(chance.integers(1, 9))
    price = 10.0 * np.exp(np.cumsum(chance.normal(0.0, 0.05, bars)))
    held = chance.random((bars, runs)) < chance.random(runs)
    trips, fees = from_positions(held), Fees(0.003, 0.001)
    cash, shares, curves = np.ones(runs), np.zeros(runs), np.zeros((bars, runs))
    for bar in range(bars):
        for run in range(runs):
            if held[bar, run] and shares[run] == 0.0:
                cash[run], shares[run] = 0.0, cash[run] / (price[bar] * fees.buying)
            elif not held[bar, run] and shares[run] > 0.0:
                cash[run], shares[run] = shares[run] * price[bar] * fees.selling, 0.0
        curves[bar] = cash + shares * price[bar]
    told, each = sweep(price, trips, fees), sweep(np.repeat(price[:, None], runs, axis=1), trips, fees)
    assert equity_curves(price, trips, fees) == pytest.approx(curves, rel=1e-12)
    moved = np.diff(np.vstack([np.ones(runs), curves]), axis=0) / np.vstack([np.ones(runs), curves[:-1]])
    for one in (told, each):
        assert one.total_return == pytest.approx(curves[-1] - 1.0, abs=1e-12)
        assert one.max_drawdown == pytest.approx((curves / np.maximum.accumulate(curves, axis=0) - 1).min(axis=0))
        assert one.exposure == pytest.approx(held.mean(axis=0))
        if bars > 1:
            spread = moved.std(axis=0, ddof=1)
            risky = spread > 1e-9
            assert one.sharpe[risky] == pytest.approx((moved.mean(axis=0)[risky] / spread[risky]) * np.sqrt(252))


def test_a_range_is_looked_up_as_it_would_be_walked() -> None:
    price = np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 0.02, 45)))
    first, last = (rows.ravel() for rows in np.meshgrid(np.arange(45), np.arange(45)))
    first, last = first[first <= last], last[first <= last]
    high, low, fall = Ranges(price).between(first, last)
    for at, (one, other) in enumerate(zip(first, last, strict=True)):
        part = price[one : other + 1]
        assert (high[at], low[at]) == (part.max(), part.min())
        assert fall[at] == pytest.approx((part / np.maximum.accumulate(part)).min() - 1.0, abs=1e-15)


def test_pairs_in_any_order_are_the_same_pairs() -> None:
    price = closes()[:, 1]
    turned = np.random.default_rng(1).permutation(len(FAST))
    one, other = sweep_crossings(price, FAST, SLOW), sweep_crossings(price, FAST[turned], SLOW[turned])
    assert one.total_return[turned].tolist() == other.total_return.tolist()
    assert one.table(fast=FAST, slow=SLOW).column_names[:3] == ["fast", "slow", "total_return"]


def test_the_trips_are_told_one_by_one() -> None:
    price, fees = closes()[:, 0], Fees(0.001)
    trips = crossing_trips(price, FAST[:4], SLOW[:4])
    table = trips_table(price, trips, fees).to_pydict()
    grown = np.ones(4)
    for run, back in zip(table["run"], table["return"], strict=True):
        grown[run] *= 1.0 + back
    assert grown - 1.0 == pytest.approx(sweep(price, trips, fees).total_return, abs=1e-12)
    assert table["entered_at"][0] == price[table["entry"][0]] and set(table["side"]) == {1}


@pytest.mark.parametrize(("call", "match"), [
    (lambda: sweep_crossings(np.array([1.0, np.nan, 2.0]), [1], [2]), "price at every bar"),
    (lambda: sweep_crossings(np.ones(5), [0], [2]), "one bar or more"),
    (lambda: sweep_crossings(np.ones(5), [], []), "nothing to sweep"),
    (lambda: sweep_crossings(np.ones((5, 2)), [1, 2], [3, 4]), "a path at a time"),
    (lambda: sweep(np.ones(4), from_positions(np.ones((5, 2)))), "do not fit"),
    (lambda: sweep(np.zeros((5, 2)), from_positions(np.ones((5, 2)))), "above nought"),
    (lambda: sweep(np.zeros(5), from_positions(np.ones((5, 2)))), "above nought"),
    (lambda: from_signals(np.ones((5, 2), bool), np.ones((5, 3), bool)), "both"),
    (lambda: Fees(10.0), "ten basis points")])
def test_what_cannot_be_swept_is_refused_in_plain_words(call, match) -> None:
    with pytest.raises(ValueError, match=match):
        call()
