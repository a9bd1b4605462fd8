"""Null markets as the warehouse would hold them: daily bars of twenty names in which nothing can be known in advance,
of the seven kinds that the gate is held to; and the sandbox's planted market beside them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.panel import BarPanel
from models.validation import nulls

Floats = NDArray[np.float64]
Moves = tuple[Floats, Floats | float]  # from close to close, and how large they are expected to be
NAMES, SESSIONS, SECTORS = 20, 756, 4
DAILY = 0.012
NIGHT_SHARE = 0.3  # of a day's variance that falls between close and open
TREND = 0.03  # of a day's move for each deviation; who knew it all would earn a Sharpe of about two before costs
FIRST_SESSION = np.datetime64("2022-01-03")


@dataclass(frozen=True)
class Bars:
    """(sessions, names) of everything that daily_bars holds. `filled` are the bars that decisions are filled at: the
    same, but where a market's moves are set against features that they did not bring about."""

    sessions: NDArray[np.datetime64]
    names: tuple[str, ...]
    columns: dict[str, Floats]
    filled: dict[str, Floats]
    oracle_sharpe: float | None = None

    def panel(self) -> BarPanel:
        from models.features.inputs import derive

        return BarPanel(self.sessions, self.names, derive("equity", self.columns))


def _correlated(chance: np.random.Generator, draw: Callable[[tuple[int, ...]], Floats]) -> Floats:
    """(sessions, names) shocks of unit size: a third the market's, a sixth a sector's, the rest a name's own."""
    sector = np.arange(NAMES) % SECTORS
    market, sectors, own = draw((SESSIONS, 1)), draw((SESSIONS, SECTORS)), draw((SESSIONS, NAMES))
    mixed: Floats = np.sqrt(1 / 3) * market + np.sqrt(1 / 6) * sectors[:, sector] + np.sqrt(1 / 2) * own
    return mixed


def _gaussian(chance: np.random.Generator) -> Moves:
    return DAILY * chance.standard_normal((SESSIONS, NAMES)), DAILY


def _student_garch(chance: np.random.Generator) -> Moves:
    shocks = chance.standard_t(5, (SESSIONS, NAMES)) / np.sqrt(5.0 / 3.0)
    variance = np.ones((SESSIONS, NAMES))
    for row in range(1, SESSIONS):
        variance[row] = 0.02 + (0.90 + 0.08 * shocks[row - 1] ** 2) * variance[row - 1]
    volatility = DAILY * np.sqrt(variance)
    return volatility * shocks, volatility


def _regime_volatility(chance: np.random.Generator) -> Moves:
    turns = chance.random(SESSIONS) < 1.0 / 50.0
    stormy = (np.cumsum(turns) + chance.integers(2)) % 2 == 1
    volatility = DAILY * np.where(stormy, 2.5, 0.8)[:, None]
    return volatility * _correlated(chance, chance.standard_normal), volatility


def _factor_cross_section(chance: np.random.Generator) -> Moves:
    return DAILY * _correlated(chance, chance.standard_normal), DAILY


def trending(chance: np.random.Generator, trend: float = TREND) -> Moves:
    """Names whose recent winners go on winning: what flipping and shifting take the skill out of."""
    moved = DAILY * _correlated(chance, chance.standard_normal)
    for row in range(20, SESSIONS):
        recent = moved[row - 20 : row].sum(axis=0) / (DAILY * np.sqrt(20.0))
        moved[row] += trend * DAILY * np.clip(recent - recent.mean(), -2.0, 2.0)
    return moved, DAILY


def _drift_without_timing(chance: np.random.Generator) -> Moves:
    drift = DAILY / np.sqrt(3.0) / np.sqrt(nulls.YEAR) * 1.5
    return drift + DAILY * _correlated(chance, chance.standard_normal), DAILY


# Returns of another time are a null only when that is farther away than any feature looks back and any trend lasts.
LEAST_SHIFT = 252
KINDS: dict[str, Callable[[np.random.Generator], Moves]] = {
    "gaussian": _gaussian, "student_garch": _student_garch, "regime_volatility": _regime_volatility,
    "factor_cross_section": _factor_cross_section, "block_sign_flipped": trending,
    "circularly_shifted": trending, "drift_without_timing": _drift_without_timing,
}


def _night(chance: np.random.Generator, moved: Floats, volatility: Floats | float) -> Floats:
    """The part of each move that comes before the open: its share of the variance, and uncorrelated with what follows,
    or an open would tell the day, and profits from open to open would be those of the day before once more."""
    spread = np.sqrt(NIGHT_SHARE * (1.0 - NIGHT_SHARE)) * volatility
    part: Floats = np.clip(NIGHT_SHARE * moved + spread * chance.standard_normal(moved.shape), -0.3, 0.3)
    return part


def _grown(moved: Floats, night: Floats, start: Floats, reach: Floats, volume: Floats) -> dict[str, Floats]:
    """Bars that these daily moves make."""
    close = start * np.cumprod(1.0 + moved, axis=0)
    opened = close / (1.0 + moved) * (1.0 + night)
    ones = np.ones_like(close)
    return {"open": opened, "close": close, "high": np.maximum(opened, close) * (1.0 + reach[0]),
            "low": np.minimum(opened, close) * (1.0 - reach[1]), "volume": volume, "split_factor": ones,
            "total_return_factor": ones}  # fmt: skip


def null_bars(kind: str, seed: int, number: int, draw: Callable[[np.random.Generator], Moves] | None = None) -> Bars:
    """Market `number` of a kind; its own seed, so that more of them never changes the first ones. Of other moves than
    its kind's, where somebody draws them."""
    chance = np.random.default_rng([seed, 500 + list(KINDS).index(kind), number])
    drawn, volatility = (draw or KINDS[kind])(chance)
    moved = np.clip(drawn, -0.3, 0.3)
    start = 40.0 * chance.uniform(0.5, 3.0, NAMES)
    reach = np.abs(chance.standard_normal((2, SESSIONS, NAMES))) * 0.3 * DAILY
    volume = np.round(np.exp(chance.normal(np.log(4e6), 0.3, (SESSIONS, NAMES))) * (1.0 + 20.0 * np.abs(moved)))
    night = _night(chance, moved, volatility)
    columns = filled = _grown(moved, night, start, reach, volume)
    if kind == "circularly_shifted":
        shift = int(chance.integers(LEAST_SHIFT, SESSIONS - LEAST_SHIFT))
        filled = _grown(np.roll(moved, shift, axis=0), np.roll(night, shift, axis=0), start, reach, volume)
    elif kind == "block_sign_flipped":  # what is decided is filled in a market whose every other stretch is mirrored
        drawn_signs = chance.choice([-1.0, 1.0], SESSIONS // nulls.FLIPPED_SESSIONS + 1)
        signs = np.repeat(drawn_signs, nulls.FLIPPED_SESSIONS)[:SESSIONS, None]
        filled = _grown(moved * signs, night * signs, start, reach, volume)
    days = np.busday_offset(FIRST_SESSION, np.arange(SESSIONS)).astype("datetime64[D]")
    return Bars(days, tuple(f"N{name:02d}" for name in range(NAMES)), columns, filled)


def planted_bars(signal: str | float, number: int) -> Bars:
    """The sandbox's market of this number, and what its planted effect is worth to who knows it."""
    from pipelines import presets, sandbox
    from pipelines.sandbox.oracle import true_prices
    from pipelines.settings import Settings

    # Of no home and no settings file: the folder in which somebody calibrates says nothing of what is asked.
    sizes = {**presets.SMALL, "names": NAMES, "sessions": SESSIONS, "signal": signal, "nights": 1}
    market = sandbox.generate(Settings.model_validate({"seed": number, "sandbox": sizes}))
    known, drawn = true_prices(market), market.bars
    columns = {name: np.asarray(getattr(drawn, name), np.float64) for name in ("open", "high", "low", "close")}
    columns |= {"volume": np.where(np.isfinite(drawn.close), drawn.volume, np.nan),
                "split_factor": known.split_factor, "total_return_factor": known.total_return_factor}
    return Bars(known.sessions, known.names, columns, columns, market.oracle_sharpe())
