"""Gamma by other conventions, tenors and skew, on chains small enough to check by hand."""

import datetime as dt
import math

import numpy as np
import pytest

from models.market.options import option_metrics
from models.market.surface import FIELDS, crossing, surface
from tests.test_models.test_market_options import SESSION, chain


def on(days: int) -> dt.date:
    return SESSION + dt.timedelta(days=days)


def test_between_neighbours_a_straight_line_and_beyond_them_nothing() -> None:
    x, y = np.array([3.0, 1.0, 2.0]), np.array([30.0, 10.0, 20.0])
    assert crossing(2.5, x, y) == 25.0 and crossing(1.0, x, y) == 10.0
    assert crossing(0.9, x, y) is None and crossing(3.1, x, y) is None
    assert crossing(1.0, np.array([]), np.array([])) is None


def test_gamma_by_side_by_volume_and_of_the_day() -> None:
    told = surface(chain(
        {"expiry": SESSION, "gamma": 0.02, "open_interest": 10.0, "volume": 100.0},
        {"gamma": 0.01, "open_interest": 50.0, "volume": 10.0},
        {"gamma": 0.03, "open_interest": 20.0, "volume": 5.0, "right": "P", "strike": 95.0},
        {"gamma": 0.9, "open_interest": 999.0, "adjusted": True},
        {"gamma": None, "open_interest": 999.0},
    ))  # fmt: skip
    per_lot = 100 * 100.0**2 * 0.01
    assert told["gamma_calls"] == pytest.approx(0.7 * per_lot) and told["gamma_puts"] == pytest.approx(0.6 * per_lot)
    assert told["gamma_by_volume"] == pytest.approx((2.0 + 0.1 - 0.15) * per_lot)
    assert told["gamma_0dte"] == pytest.approx(0.2 * per_lot)
    assert told["pin_share"] == pytest.approx(0.7 / 1.3)


def test_the_two_sides_make_the_exposure_of_the_mart() -> None:
    rng = np.random.default_rng(7)
    contracts = chain(*({"gamma": rng.uniform(0, 0.1), "open_interest": float(rng.integers(0, 500)),
                         "right": "CP"[n % 2], "strike": 90.0 + n} for n in range(20)))  # fmt: skip
    told = option_metrics(contracts)
    assert told["gamma_calls"] - told["gamma_puts"] == pytest.approx(told["gamma_exposure"])


def test_what_has_no_gamma_any_more_is_missing_and_not_nothing() -> None:
    told = surface(chain({"expiry": SESSION, "gamma": None, "open_interest": 10.0}, {"gamma": 0.01}))
    assert told["gamma_0dte"] is None and told["gamma_calls"] == 0.0
    assert surface(chain({"adjusted": True})) == {name: None for name, _ in FIELDS}


def test_tenors_share_out_total_variance_and_never_reach_beyond_the_listed() -> None:
    told = surface(chain(
        {"expiry": on(5), "iv": 0.30, "strike": 99.0}, {"expiry": on(5), "iv": 0.20, "strike": 101.0},
        {"expiry": on(25), "iv": 0.20}, {"expiry": on(25), "iv": 0.24, "right": "P"},
    ))  # fmt: skip
    near, far = 0.25**2 * 5, 0.22**2 * 25  # at the money between two strikes; a call and a put at one
    assert told["iv_9d"] == pytest.approx(math.sqrt((near + 0.2 * (far - near)) / 9))
    assert told["iv_30d"] is None and told["iv_93d"] is None


def test_a_spot_outside_the_strikes_has_no_volatility_at_the_money() -> None:
    told = surface(chain({"expiry": on(9), "strike": 105.0}, {"expiry": on(9), "strike": 110.0}))
    assert told["iv_9d"] is None


def test_skew_is_what_a_put_costs_more_than_a_call_as_far_out() -> None:
    told = surface(chain(
        {"expiry": on(28), "delta": 0.35, "iv": 0.18}, {"expiry": on(28), "delta": 0.15, "iv": 0.16},
        {"expiry": on(28), "delta": -0.20, "iv": 0.24, "right": "P"},
        {"expiry": on(28), "delta": -0.30, "iv": 0.22, "right": "P"},
        {"expiry": on(60), "delta": 0.25, "iv": 0.9}, {"expiry": on(60), "delta": -0.25, "iv": 0.1, "right": "P"},
    ))  # fmt: skip
    assert told["skew_25d"] == pytest.approx(0.23 - 0.17)
    assert surface(chain({"expiry": on(28), "delta": 0.25}))["skew_25d"] is None  # no put: not a skew of zero
