"""The questions put to a gate, each small enough to be one file: null markets, years of nights, planted markets, paper.

Costs are nil and every other check is clean, so what is measured is the bars on skill alone, at their weakest."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.validation import batch, nulls, statistics
from models.validation.evidence import Evidence, Health
from models.validation.gate import best, passes
from models.validation.policy import GatePolicy, preset

Floats = NDArray[np.float64]
CORRELATIONS = (0.0, 0.5, 0.9)
ROWS, COLUMNS = 504, 20  # sessions judged, candidates of a search
NIGHTS = 250
FEWEST_CONFIGURATIONS, MOST_CONFIGURATIONS = 10, 30
SHARPES = (1.5, 2.0, 2.5, 3.0, 4.0)
SKILLED = {"one": 1, "all": COLUMNS}  # of the candidates of a planted market
CLEAN = Health(leak_clean=True, parity_clean=True, structure_clean=True)
PAPER_SESSIONS, PAPER_SHARPE, PAPER_DRAWDOWN = 30, 1.5, 0.10  # what the seeds ask of a month on paper
PAPER_PATHS = 20_000


def promotes(active: Floats, trials: int, policy: GatePolicy, seed: int) -> bool:
    """Whether the gate lets the best of a search through."""
    chosen = best(active)
    return passes(Evidence(tuple(str(at) for at in range(active.shape[1])), active,
                           np.ascontiguousarray(active[:, chosen]), chosen, None, trials, CLEAN, seed), policy)


def _weak_gates(active: Floats, trials: int, seed: int) -> dict[str, bool]:
    """What simpler gates would have done with the same search."""
    record = statistics.moments(active[:, best(active)])
    return {"dsr_alone": statistics.dsr(record, trials) >= 0.95, "psr_alone": statistics.psr(record) >= 0.95,
            "seeds": promotes(active, trials, preset("seeds"), seed)}


def _count(markets: int, policy: GatePolicy, seed: int, draw: Any) -> dict[str, Any]:
    counted = {"promoted": 0, "dsr_alone": 0, "psr_alone": 0, "seeds": 0}
    for number in range(markets):
        active = draw(number)
        told = {"promoted": promotes(active, COLUMNS, policy, seed), **_weak_gates(active, COLUMNS, seed)}
        for name, did in told.items():
            counted[name] += bool(did)
    return {"markets": markets, **counted}


def null_night(policy: GatePolicy, seed: int, family: str, correlation: float, markets: int) -> dict[str, Any]:
    """False promotions of one family at one correlation."""
    return _count(markets, policy, seed,
                  lambda number: nulls.null_market(family, seed, number, ROWS, COLUMNS, correlation))


def planted_night(policy: GatePolicy, seed: int, skilled: str, correlation: float, sharpe: float,
                  markets: int) -> dict[str, Any]:
    """Promotions where some candidates have skill; also how many were of one that has."""
    return _count(markets, policy, seed, lambda number: nulls.planted_market(
        SKILLED[skilled], sharpe, seed, number, ROWS, COLUMNS, correlation))


def null_year(policy: GatePolicy, seed: int, family: str, years: int) -> dict[str, Any]:
    """Years in which any of 250 nights promotes: the same configurations every night, one session more to judge."""
    promoted = dsr_alone = 0
    for number in range(years):
        columns = int(np.random.default_rng([seed, 77, number]).integers(FEWEST_CONFIGURATIONS,
                                                                         MOST_CONFIGURATIONS + 1))
        correlation = CORRELATIONS[number % len(CORRELATIONS)]
        # Numbered apart from the single nights, so that the years are markets of their own.
        active = nulls.null_market(family, seed, 1_000_000 + number, ROWS + NIGHTS - 1, columns, correlation)
        _, z = batch.nightly_best(active, ROWS, columns)
        dsr_alone += bool((z >= batch.z_bar(0.95)).any())
        doubtful = np.flatnonzero(z >= batch.z_bar(policy.min_dsr) - 1e-6)  # the others fail their first question
        promoted += any(promotes(active[: ROWS + int(night)], columns, policy, seed) for night in doubtful)
    return {"years": years, "promoted": promoted, "dsr_alone": dsr_alone}


def paper_month(seed: int, sharpe: float) -> dict[str, Any]:
    """How often a true Sharpe passes the seeds' month on paper, at 1 % of volatility a day."""
    chance = np.random.default_rng([seed, 88, round(100 * sharpe)])
    daily = nulls.DAILY * (sharpe / np.sqrt(nulls.YEAR) + chance.standard_normal((PAPER_PATHS, PAPER_SESSIONS)))
    seen = daily.mean(axis=1) / daily.std(axis=1, ddof=1) * np.sqrt(nulls.YEAR)
    equity = np.cumprod(1.0 + daily, axis=1)
    peak = np.maximum.accumulate(np.maximum(equity, 1.0), axis=1)
    drawdown = (1.0 - equity / peak).max(axis=1)
    passed = int(((seen > PAPER_SHARPE) & (drawdown < PAPER_DRAWDOWN)).sum())
    return {"months": PAPER_PATHS, "passed": passed}
