"""Rules on whole markets, from bars through features to what they earn: nothing where there is nothing, and each where
its own effect was planted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.backtest.figures import sharpe_annual
from models.features.compute import compute_batch
from models.features.inputs import derive
from models.features.panel import BarPanel, FeaturePanel
from models.features.registry import named
from models.signals.alpha import union
from models.signals.catalogue import BOOKS

FAMILIES = ("equity", "technical", "statistical")  # what bars alone can tell
RULES = {book.name: book for book in BOOKS if all(name.split("_v")[0] in FAMILIES for name in book.features)}
COLUMNS = union(*(book.features for book in RULES.values()))
SESSIONS, NAMES, FIRST = 460, 6, 290
SWING = 0.012


def moves(kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """(sessions, names) log returns: a walk, one with a drift that lasts, or one that is drawn back to its level."""
    shocks = SWING * rng.standard_normal((SESSIONS, NAMES))
    if kind == "walk":
        return shocks
    state, found = np.zeros(NAMES), np.empty_like(shocks)
    for at, shock in enumerate(shocks):
        if kind == "drifting":
            state = 0.97 * state + 0.1 * SWING * rng.standard_normal(NAMES)
            found[at] = shock + state
        else:  # of one fifth of the way a session
            found[at] = shock - 0.2 * state
            state = 0.8 * state + shock
    return found


def earned(kind: str, seed: int) -> dict[str, float]:
    """Annual Sharpe before costs of each rule; what is known at a close is held from the next open to the one after."""
    rng = np.random.default_rng(seed)
    close = 80.0 * np.exp(np.cumsum(moves(kind, rng), axis=0))
    gap = 1.0 + 0.2 * SWING * rng.standard_normal(close.shape)
    open_ = np.vstack([close[:1], close[:-1]]) * gap
    reach = 0.5 * SWING * rng.random((2, *close.shape))
    ones = np.ones_like(close)
    raw = {"open": open_, "high": np.maximum(open_, close) * (1 + reach[0]), "close": close,
           "low": np.minimum(open_, close) * (1 - reach[1]), "volume": 1e6 * (1.0 + rng.random(close.shape)),
           "split_factor": ones, "total_return_factor": ones}
    days = np.datetime64("2023-01-02") + np.arange(SESSIONS)
    names = tuple(f"N{at}" for at in range(NAMES))
    wanted = named(COLUMNS)
    told = compute_batch(BarPanel(days, names, derive("equity", raw)), wanted)
    values = np.stack([told[feature.name] for feature in wanted], axis=-1)
    panel = FeaturePanel(days, names, COLUMNS, values, np.ones(close.shape, dtype=bool))
    rows = range(FIRST, SESSIONS - 2)
    returns = (open_[2:] / open_[1:-1] - 1.0)[FIRST:]
    return {name: sharpe_annual((book.weights(panel, rows) * returns).sum(axis=1)) for name, book in RULES.items()}


def over(kind: str, markets: int) -> dict[str, NDArray[np.float64]]:
    found = [earned(kind, 100 * markets + seed) for seed in range(markets)]
    return {name: np.array([one[name] for one in found]) for name in RULES}


def t_of(sharpes: NDArray[np.float64]) -> float:
    return float(sharpes.mean() / sharpes.std(ddof=1) * np.sqrt(len(sharpes)))


def test_the_rules_of_bars_alone_are_these() -> None:
    assert set(RULES) == {"vam", "reversion", "breakout", "rule-ensemble", "voting", "voting-gated",
                          "trend-and-volatility", "multi-factor"}


@pytest.mark.parametrize("markets", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_on_walks_no_rule_earns_beyond_chance(markets: int) -> None:
    """Of eight rules, one in a thousand has a t above 3.7 somewhere by chance with a hundred markets."""
    found = over("walk", markets)
    assert {name: round(t_of(sharpes), 2) for name, sharpes in found.items() if t_of(sharpes) > 3.7} == {}


@pytest.mark.parametrize(("kind", "winners", "losers"), [
    ("drifting", ("vam", "trend-and-volatility", "rule-ensemble"), ("reversion",)),
    ("drawn back", ("reversion",), ("vam", "trend-and-volatility")),
])
def test_each_earns_where_its_own_effect_is_planted(
        kind: str, winners: tuple[str, ...], losers: tuple[str, ...]) -> None:
    found = over(kind, 6)
    for name in winners:
        assert found[name].mean() > 0.8 and t_of(found[name]) > 2.0, name
    for name in losers:
        assert found[name].mean() < 0.8, name
