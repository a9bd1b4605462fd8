"""Prices from the marts' rows, and the labels made of them."""

import numpy as np
import pytest

from models.features.panel import FeaturePanel
from pipelines.training.prices import label_returns, prices_of

DAYS = np.array(["2025-06-26", "2025-06-27", "2025-06-30", "2025-07-01"], dtype="datetime64[D]")


def panel_of(names, first=1):
    size = (len(DAYS) - first, len(names))
    return FeaturePanel(DAYS[first:], names, ("x",), np.zeros((*size, 1)), np.ones(size, bool))


def bars_of(rows):
    columns = zip(*rows, strict=True)
    names = ("session", "instrument_id", "open", "close", "volume", "split_factor", "total_return_factor")
    return {name: np.array(values) for name, values in zip(names, columns, strict=True)}


def test_a_label_is_the_total_return_across_a_split_and_a_dividend():
    bars = bars_of([
        (DAYS[0], "A", 100.0, 100.0, 1e6, 1.0, 1.0),
        (DAYS[1], "A", 100.0, 100.0, 1e6, 1.0, 1.0),
        (DAYS[2], "A", 50.0, 51.0, 2e6, 2.0, 2.0 * 1.01),  # two for one, and a dividend of a percent
    ])
    panel = panel_of(("A",))
    labels = label_returns(prices_of(bars, panel), panel)
    assert labels[0, 0] == pytest.approx(0.01)
    assert np.isnan(labels[1:]).all()  # the next open has not printed


def test_sessions_before_the_panel_serve_what_was_known_before_it():
    bars = bars_of([(day, "A", 10.0, 10.0 + n, 1e6, 1.0, 1.0) for n, day in enumerate(DAYS[:3])])
    prices = prices_of(bars, panel_of(("A",)))
    assert prices.sessions.tolist() == DAYS.tolist()
    assert prices.reference_price[1:, 0] == pytest.approx([10.0, 11.0, 12.0])
    assert prices.tradable[:, 0].tolist() == [False, True, True, True]


def test_a_dead_name_ends_at_its_last_close():
    bars = bars_of([
        (DAYS[0], "A", 10.0, 10.0, 1e6, 1.0, 1.0), (DAYS[0], "B", 5.0, 5.0, 1e6, 1.0, 1.0),
        (DAYS[1], "A", 10.0, 8.0, 1e6, 1.0, 1.0), (DAYS[1], "B", 5.0, 5.0, 1e6, 1.0, 1.0),
        (DAYS[2], "B", 6.0, 6.0, 1e6, 1.0, 1.0),
    ])
    panel = panel_of(("A", "B"))
    labels = label_returns(prices_of(bars, panel), panel)
    assert labels[0] == pytest.approx([-0.2, 0.2])
    assert np.isnan(labels[1, 0])
