"""Chains small enough for a pocket calculator, and one that was really traded."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.market.options import Repriced, gamma_flip, option_metric_versions, option_metrics

SESSION = dt.date(2025, 6, 23)
SNAPSHOT = dt.datetime(2025, 6, 23, 18, tzinfo=dt.UTC)  # two hours before the close
NEXT_WEEK, YESTERDAY = SESSION + dt.timedelta(days=7), SESSION - dt.timedelta(days=1)
_INSTANT = pa.timestamp("us", tz="UTC")


def chain(*contracts: dict[str, Any], snapshot: dt.datetime = SNAPSHOT) -> pa.Table:
    rows = [
        {"underlying": "SPX", "session": SESSION, "snapshot": snapshot, "contract": f"C{number}", "expiry": NEXT_WEEK,
         "right": "C", "strike": 100.0, "adjusted": False, "spot": 100.0, "iv30": 0.2, "volume": 0.0,
         "open_interest": 0.0, "iv": 0.2, "delta": None, "gamma": None, "available_at": snapshot,
         "ingested_at": snapshot, **contract}
        for number, contract in enumerate(contracts)
    ]  # fmt: skip
    text = [(name, pa.string()) for name in ("underlying", "contract", "right")]
    dates = [(name, pa.date32()) for name in ("session", "expiry")]
    instants = [(name, _INSTANT) for name in ("snapshot", "available_at", "ingested_at")]
    numbers = ("strike", "spot", "iv30", "volume", "open_interest", "iv", "delta", "gamma")
    floats = [(name, pa.float64()) for name in numbers]
    return pa.Table.from_pylist(rows, schema=pa.schema([*text, *dates, *instants, *floats, ("adjusted", pa.bool_())]))


def test_metrics_by_hand() -> None:
    told = option_metrics(chain(
        {"expiry": SESSION, "volume": 30.0, "open_interest": 100.0, "gamma": 0.05, "strike": 100.0},
        {"expiry": SESSION, "volume": 10.0, "open_interest": 40.0, "gamma": 0.02, "strike": 95.0, "right": "P"},
        {"volume": 60.0, "open_interest": 50.0, "gamma": 0.01, "strike": 110.0, "right": "P"},
        {"volume": 20.0, "open_interest": 10.0, "gamma": None, "strike": 120.0},
        {"volume": 5.0, "open_interest": 999.0, "gamma": 0.9, "adjusted": True},
        {"volume": 777.0, "open_interest": 777.0, "gamma": 0.9, "expiry": YESTERDAY},
    ))  # fmt: skip
    assert (told["call_volume"], told["put_volume"], told["volume_0dte"]) == (55.0, 70.0, 40.0)
    assert told["share_0dte"] == 40 / 125
    assert told["put_call_ratio"] == 70 / 55
    assert told["put_call_oi_ratio"] == 90 / 1109  # the adjusted contract counts in open interest
    # (5 − 0.8 − 0.5) × 100 shares × 100² × 1 %
    assert told["gamma_exposure"] == pytest.approx(3.7 * 100 * 100**2 * 0.01, abs=1e-9)
    assert told["dealer_position"] == "long"
    assert told["pin_strikes"] == [100.0, 95.0, 110.0]


def test_a_day_without_trades_has_no_ratios() -> None:
    told = option_metrics(chain({"volume": 0.0}))
    assert told["share_0dte"] is None and told["put_call_ratio"] is None and told["dealer_position"] == "neutral"


def test_exposure_flips_between_puts_below_and_calls_above() -> None:
    strike, years, iv = np.array([90.0, 110.0]), np.array([0.1, 0.1]), np.array([0.2, 0.2])
    signed = np.array([-10.0, 10.0])  # puts at 90, calls at 110
    flip = gamma_flip(100.0, strike, years, iv, signed)
    assert flip is not None
    # At zero rate both gammas are equal where d1 has the same size: at the geometric mean, less half the variance.
    assert flip == pytest.approx(np.sqrt(90 * 110) * np.exp(-0.5 * 0.2**2 * 0.1), rel=1e-9)
    book = Repriced(strike, years, iv, signed)
    assert book.exposure(flip - 1) < 0 < book.exposure(flip + 1)


def bisected(spot: float, strike: Any, years: Any, iv: Any, signed: Any) -> float | None:
    """The flip as one would write it down: every step of the grid, forty halvings of each that flips."""
    grid = spot * np.linspace(0.75, 1.25, 101)
    book = Repriced(strike, years, iv, signed)
    values = [book.exposure(float(level)) for level in grid]
    flips = []
    for left, (low, high) in enumerate(zip(grid[:-1].tolist(), grid[1:].tolist(), strict=True)):
        if np.sign(values[left]) != np.sign(values[left + 1]):
            for _ in range(40):
                middle = 0.5 * (low + high)
                above = (book.exposure(middle) > 0) == (values[left + 1] > 0)
                low, high = (low, middle) if above else (middle, high)
            flips.append(0.5 * (low + high))
    return min(flips, key=lambda one: (abs(one - spot), one), default=None)


def test_the_flip_is_the_one_that_bisection_ends_at_to_the_last_bit() -> None:
    chance, found = np.random.default_rng(7), 0
    for _ in range(60):
        count, spot = int(chance.integers(1, 40)), float(chance.uniform(10.0, 6000.0))
        book = (spot * chance.uniform(0.7, 1.3, count), chance.uniform(0.0005, 1.0, count),
                chance.uniform(0.05, 0.9, count), chance.normal(0.0, 100.0, count))  # fmt: skip
        expected = bisected(spot, *book)
        assert gamma_flip(spot, *book) == expected
        found += expected is not None
    assert found > 20


def test_no_flip_where_all_pull_one_way_or_nothing_can_be_priced() -> None:
    one = np.array([100.0]), np.array([0.1]), np.array([0.2])
    assert gamma_flip(100.0, *one, np.array([5.0])) is None
    assert gamma_flip(100.0, np.array([100.0]), np.array([-0.1]), np.array([0.2]), np.array([5.0])) is None


def test_a_corrected_chain_is_a_new_version() -> None:
    later = SNAPSHOT + dt.timedelta(hours=12)
    first = chain({"volume": 10.0}, {"volume": 10.0, "right": "P"})
    second = chain({"volume": 40.0, "available_at": later})
    rows = option_metric_versions(pa.concat_tables([first, second])).to_pylist()
    assert [(r["put_call_ratio"], r["available_at"]) for r in rows] == [(1.0, SNAPSHOT), (0.25, later)]
