"""Markets of known truth, as the active returns of a search: seven kinds in which no candidate has skill, and planted
ones in which some have. Every market is its own seed, so that more of them never changes the first ones."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.backtest.benchmark import BETA_SESSIONS, LEAST_SESSIONS

FloatArray = npt.NDArray[np.float64]
Family = Callable[[np.random.Generator, int, int, float], FloatArray]
DAILY = 0.01  # volatility of a candidate's active return
NAMES = 20
YEAR = 252
FLIPPED_SESSIONS = 10
REAL_SHARPE = 1.0  # annual, of what is flipped


def _mixed(rows: int, columns: int, correlation: float, draw: Callable[[tuple[int, int]], FloatArray]) -> FloatArray:
    """Columns that share one common part, so that each pair has this correlation."""
    common, own = draw((rows, 1)), draw((rows, columns))
    mixed: FloatArray = np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own
    return mixed


def gaussian(chance: np.random.Generator, rows: int, columns: int, correlation: float) -> FloatArray:
    """Independent days, nothing else."""
    return DAILY * _mixed(rows, columns, correlation, chance.standard_normal)


def student_garch(chance: np.random.Generator, rows: int, columns: int, correlation: float) -> FloatArray:
    """Fat tails (Student, five degrees) on volatility that clusters (GARCH 0.08, 0.90)."""
    shocks = _mixed(rows, columns, correlation, lambda shape: chance.standard_t(5, shape) / np.sqrt(5.0 / 3.0))
    variance = np.empty((rows, columns))
    variance[0] = 1.0
    for row in range(1, rows):
        variance[row] = 0.02 + (0.90 + 0.08 * shocks[row - 1] ** 2) * variance[row - 1]
    clustered: FloatArray = DAILY * np.sqrt(variance) * shocks
    return clustered


def regime_volatility(chance: np.random.Generator, rows: int, columns: int, correlation: float) -> FloatArray:
    """Calm and storms of three times the volatility, about fifty sessions each, common to all."""
    turns = chance.random(rows) < 1.0 / 50.0
    stormy = (np.cumsum(turns) + chance.integers(2)) % 2 == 1
    return gaussian(chance, rows, columns, correlation) * np.where(stormy, 3.0, 1.0)[:, None]


def _market(chance: np.random.Generator, rows: int, drift: float) -> tuple[FloatArray, FloatArray]:
    """(index, names): names of beta about one, correlated by half."""
    index = drift + DAILY * chance.standard_normal(rows)
    beta = chance.uniform(0.7, 1.3, NAMES)
    return index, index[:, None] * beta + DAILY * chance.standard_normal((rows, NAMES))


def _slow_weights(chance: np.random.Generator, rows: int, columns: int, correlation: float) -> FloatArray:
    """(rows, names, columns) positions held for about ten sessions, alike between columns as asked."""
    held = rows // 10 + 2
    common, own = chance.standard_normal((held, NAMES, 1)), chance.standard_normal((held, NAMES, columns))
    drawn = np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own
    weights: FloatArray = np.repeat(drawn, 10, axis=0)[chance.integers(10) :][:rows]
    weights /= np.abs(weights).sum(axis=1, keepdims=True)
    return weights


def active_of(earned: FloatArray, index: FloatArray, exposure: FloatArray) -> FloatArray:
    """What `models.backtest.benchmark.active_returns` makes of every column, by running sums: some hundred times as
    fast, and the same but for the last digits."""
    before = np.zeros((1, earned.shape[1]))
    held = index[:, None]
    sums = {name: np.vstack([before[:, : part.shape[1]], np.cumsum(part, axis=0)]) for name, part in (
        ("own", earned), ("market", held), ("both", earned * held), ("square", held**2))}
    beta = np.array(exposure, np.float64)
    last = np.arange(LEAST_SESSIONS + 1, len(index)) - 1  # holdings of the sessions before this one had closed
    first = np.maximum(0, last - BETA_SESSIONS)
    count = (last - first)[:, None].astype(np.float64)
    own, market, both, square = (sums[name][last] - sums[name][first] for name in ("own", "market", "both", "square"))
    beta[LEAST_SESSIONS + 1 :] = (both - own * market / count) / (square - market**2 / count)
    active: FloatArray = earned - beta * held
    return active


def _books(names: FloatArray, weights: FloatArray) -> FloatArray:
    """(rows, columns) what each book earned."""
    return np.ascontiguousarray((names[:, None, :] @ weights)[:, 0, :])


def factor_cross_section(chance: np.random.Generator, rows: int, columns: int, correlation: float) -> FloatArray:
    """Random books of twenty names that move together; what they share beside the market is their holdings."""
    index, names = _market(chance, rows, 0.0)
    weights = _slow_weights(chance, rows, columns, correlation)
    return active_of(_books(names, weights), index, weights.sum(axis=1))


def block_sign_flipped(chance: np.random.Generator, rows: int, columns: int, correlation: float) -> FloatArray:
    """Returns with skill and fat, clustered tails, their signs flipped ten sessions at a time: the skill is gone, and
    what a block holds together stays together."""
    real = student_garch(chance, rows, columns, correlation) + REAL_SHARPE * DAILY / np.sqrt(YEAR)
    signs = chance.choice([-1.0, 1.0], rows // FLIPPED_SESSIONS + 1)
    flipped: FloatArray = real * np.repeat(signs, FLIPPED_SESSIONS)[:rows, None]
    return flipped


def circularly_shifted(chance: np.random.Generator, rows: int, columns: int, correlation: float) -> FloatArray:
    """Books that do predict their names, set against the names' returns of another time."""
    weights = _slow_weights(chance, rows, columns, correlation)
    index, names = _market(chance, rows, 0.0)
    names = names + 0.1 * DAILY * NAMES * weights.mean(axis=2)
    shift = int(chance.integers(63, rows - 63))
    index, names = np.roll(index, shift), np.roll(names, shift, axis=0)
    return active_of(_books(names, weights), index, weights.sum(axis=1))


def drift_without_timing(chance: np.random.Generator, rows: int, columns: int, correlation: float) -> FloatArray:
    """A market that rises (Sharpe one), held more and less at random: money is made, and none of it is skill."""
    index, names = _market(chance, rows, DAILY / np.sqrt(YEAR))
    weights = np.abs(_slow_weights(chance, rows, columns, correlation))
    weights *= chance.uniform(0.3, 1.0, (rows // 10 + 1, 1, columns)).repeat(10, axis=0)[:rows]
    return active_of(_books(names, weights), index, weights.sum(axis=1))


FAMILIES: dict[str, Family] = {
    "gaussian": gaussian, "student_garch": student_garch, "regime_volatility": regime_volatility,
    "factor_cross_section": factor_cross_section, "block_sign_flipped": block_sign_flipped,
    "circularly_shifted": circularly_shifted, "drift_without_timing": drift_without_timing,
}


def null_market(family: str, seed: int, number: int, rows: int, columns: int, correlation: float) -> FloatArray:
    """(rows, columns) active returns of market `number`, none of whose columns has skill."""
    place = list(FAMILIES).index(family)
    chance = np.random.default_rng([seed, place, round(100 * correlation), number])
    return np.ascontiguousarray(FAMILIES[family](chance, rows, columns, correlation))


def planted_market(skilled: int, sharpe: float, seed: int, number: int, rows: int, columns: int,
                   correlation: float) -> FloatArray:
    """Gaussian returns of which the first `skilled` columns have this true annual Sharpe."""
    chance = np.random.default_rng([seed, 1000 + skilled, round(100 * correlation), number])
    active = gaussian(chance, rows, columns, correlation)
    active[:, :skilled] += sharpe * DAILY / np.sqrt(YEAR)
    return active
