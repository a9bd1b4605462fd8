"""Prices of the whole market by session: a factor market whose noise is a martingale, plus the planted drift."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.sandbox.actions import Dividend, Split
from pipelines.sandbox.cast import Company, Traits
from pipelines.sandbox.chance import stream
from pipelines.sandbox.signal import STRONG, Stretch

OVERNIGHT_SHARE = 0.3  # of a day's variance, and of its drift
_MARKET_VOL_CALM, _MARKET_VOL_STRESS = 0.0070, 0.0160
_STRESS_BEGINS, _STRESS_ENDS = 1 / 80, 1 / 25  # daily odds
_IDIO_STRESS = 1.35
_PREMIUM = 0.0002  # a day, on every name's beta: no cross-section in it to speak of
_INDEX_START = 3900.0


@dataclass(frozen=True)
class Noise:
    """Unpredictable simple returns, (sessions, 2, names): [:, 0] overnight into the session, [:, 1] inside it."""

    moves: np.ndarray
    index_moves: np.ndarray  # (sessions, 2)
    day_vol: np.ndarray  # (sessions, names): standard deviation of the move inside the session
    own_scale: np.ndarray  # (sessions,): how restless the companies' own moves are, 1 in calm times


@dataclass(frozen=True)
class Days:
    """What happened, (sessions, names); NaN and 0 where a company does not trade. Prices raw, not yet in cents."""

    alive: np.ndarray
    open: np.ndarray
    close: np.ndarray
    cash: np.ndarray  # dividend a share that goes ex before the open
    split: np.ndarray  # shares after / shares before, effective before the open
    drift: np.ndarray  # true conditional mean of total return open(s) -> open(s+1), given closes up to s-1
    index_open: np.ndarray
    index_close: np.ndarray


def _fat(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Student-t(5) of unit variance, cut at six deviations so that no price can reach zero."""
    return np.clip(rng.standard_t(5, shape) / np.sqrt(5 / 3), -6.0, 6.0)


def make_noise(seed: int, cast: Sequence[Company], traits: Traits, count: int) -> Noise:
    """Market, sector and company shocks; volatility clusters by two regimes and a slow wave."""
    names, sectors = len(cast), max(company.sector for company in cast) + 1
    turns = stream(seed, "regime").random(count)
    wave_shocks = stream(seed, "volatility").normal(0.0, 0.07, count)
    stress, log_wave = np.zeros(count, bool), np.zeros(count)
    for s in range(1, count):
        stress[s] = turns[s] >= _STRESS_ENDS if stress[s - 1] else turns[s] < _STRESS_BEGINS
        log_wave[s] = 0.95 * log_wave[s - 1] + wave_shocks[s]
    wave = np.exp(log_wave)
    market_vol = np.where(stress, _MARKET_VOL_STRESS, _MARKET_VOL_CALM) * wave
    own_scale = np.where(stress, _IDIO_STRESS, 1.0) * np.sqrt(wave)
    part = np.sqrt([OVERNIGHT_SHARE, 1 - OVERNIGHT_SHARE])  # overnight, inside

    market = _fat(stream(seed, "market"), (count, 2)) * part * market_vol[:, None]
    market = market + _PREMIUM * part**2
    by_sector = _fat(stream(seed, "sector"), (count, 2, sectors)) * part[:, None] * own_scale[:, None, None]
    own = _fat(stream(seed, "company"), (count, 2, names)) * part[:, None] * own_scale[:, None, None]
    sector_of = np.array([company.sector for company in cast])
    moves = market[:, :, None] * traits.beta + by_sector[:, :, sector_of] * traits.sector_vol + own * traits.idio_vol
    own_variance = (traits.sector_vol**2 + traits.idio_vol**2) * own_scale[:, None] ** 2
    day_vol = part[1] * np.sqrt(traits.beta**2 * market_vol[:, None] ** 2 + own_variance)
    return Noise(moves, market, day_vol, own_scale)


def make_days(
    cast: Sequence[Company],
    traits: Traits,
    noise: Noise,
    strength: float,
    splits: Sequence[Split],
    dividends: Sequence[Dividend],
) -> Days:
    """Walk through the sessions once: the drift of tomorrow depends on the moves up to today."""
    count, names = noise.day_vol.shape
    alive = np.array([[company.trades_on(s) for company in cast] for s in range(count)])
    cash, split = np.zeros((count, names)), np.ones((count, names))
    for action in splits:
        split[action.ex, action.company] = action.split_to / action.split_from
    opens, closes, drift = (np.full((count, names), np.nan) for _ in range(3))
    residual_vol = np.sqrt(traits.idio_vol**2 + traits.sector_vol**2)
    due: dict[int, list[Dividend]] = {}
    for payment in dividends:
        due.setdefault(payment.ex, []).append(payment)
    stretch, before = Stretch(cast), np.zeros(names)
    for s in range(count):
        here = alive[s]
        for payment in due.get(s, ()):
            cash[s, payment.company] = round(payment.share_of_price * closes[payment.declared, payment.company], 2)
        # Restless times give back more, so that the effect is worth as much in every regime.
        restless = noise.own_scale[max(0, s - 1)]
        mean = strength * STRONG * restless * residual_vol * stretch.drift(here)
        overnight = noise.moves[s, 0] + OVERNIGHT_SHARE * before
        inside = noise.moves[s, 1] + (1 - OVERNIGHT_SHARE) * mean
        last = closes[s - 1] if s else np.full(names, np.nan)
        reference = np.where(np.isfinite(last), last, traits.start_price)
        opens[s] = np.where(here, (reference - cash[s]) * (1 + overnight) / split[s], np.nan)
        closes[s] = opens[s] * (1 + inside)
        stretch.close((1 + overnight) * (1 + inside), here)
        drift[s] = np.where(here, mean, np.nan)
        before = mean
    index_path = np.cumprod(1 + noise.index_moves.reshape(-1)) * _INDEX_START
    return Days(alive, opens, closes, cash, split, drift, index_path[0::2], index_path[1::2])
