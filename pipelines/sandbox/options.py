"""The SPX options of one session after its close: contracts, quotes, greeks and open interest from a skewed surface."""

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

import numpy as np

from pipelines import calendars
from pipelines.sandbox.chance import stream
from pipelines.sandbox.market import Market, Outline

Grid = list[tuple[str, dt.date, int, str]]  # root, expiry, strike, right
STRIKES, STRIKE_STEP = 21, 25
PUBLISHED_AFTER_CLOSE = dt.timedelta(minutes=32)


@dataclass(frozen=True)
class Chain:
    """Columns of one session's contracts; iv and greeks are 0 where not computed, as the vendor has it."""

    session: dt.date
    published_at: dt.datetime
    spot: float
    iv30: float  # decimal
    contract: list[str]
    expired: np.ndarray
    columns: dict[str, np.ndarray]


def chain_sessions(market: Outline) -> range:
    """Sessions that have a chain: the last of history, and every night to come."""
    return range(max(1, market.base + 1 - market.settings.sandbox.chain_sessions), len(market.sessions))


def published_at(market: Market, number: int) -> dt.datetime:
    return market.closes_at[number] + PUBLISHED_AFTER_CLOSE


@cache
def _sessions_from(year: int) -> list[dt.date]:
    """Of a year and the quarter after it: looked up once, not for every chain."""
    return calendars.sessions(dt.date(year, 1, 1), dt.date(year + 1, 4, 1))


def expiries(session: dt.date) -> list[tuple[str, dt.date]]:
    """(root, expiry): the same day, the next session, the Friday after, and the next monthly of the SPX root."""
    around = _sessions_from(session.year)
    coming = around[bisect_right(around, session) :][:45]
    fridays = [day for day in coming[1:] if day.weekday() == 4] or coming[1:]
    return [("SPXW", session), ("SPXW", coming[0]), ("SPXW", fridays[0]), ("SPX", _monthly(session, coming))]


def _monthly(session: dt.date, coming: list[dt.date]) -> dt.date:
    """The next third Friday more than nine days away; its eve where that is Good Friday, as in April 2022."""
    thirds = (session + dt.timedelta(days=ahead) for ahead in range(10, 50))
    third = next(day for day in thirds if day.weekday() == 4 and 15 <= day.day <= 21)
    return max(day for day in coming if day <= third)


def level_vol(market: Market, number: int) -> float:
    """The index's volatility of the last ten sessions, annual, held inside a plausible band."""
    path = market.days.index_close[max(0, number - 10) : number + 1]
    return float(np.clip(0.06 + 0.8 * np.std(np.diff(np.log(path))) * np.sqrt(252), 0.09, 0.45))


def smile(vol: float, money: np.ndarray) -> np.ndarray:
    """Implied volatility by log-moneyness over the root of the years left: dearer below the spot than above it."""
    return np.clip(vol * (1 - 0.18 * money / vol * 0.4 + 0.05 * (money / vol * 0.4) ** 2), 0.05, 1.5)


def vix(market: Market, number: int) -> float:
    """The fair 30-day variance of the session's surface, as the index's makers have it: out-of-the-money options over a
    fine and wide ladder, weighed by one over the strike squared."""
    from scipy.special import ndtr

    years, vol = 30 / 365, level_vol(market, max(number, 2))
    money = np.linspace(-8 * vol, 8 * vol, 801)
    strike = np.exp(money * np.sqrt(years))  # of a spot of 1
    deviation = smile(vol, money) * np.sqrt(years)
    d1 = -np.log(strike) / deviation + 0.5 * deviation
    call = ndtr(d1) - strike * ndtr(d1 - deviation)
    price = np.where(strike > 1, call, call - 1 + strike)
    return float(100 * np.sqrt(2 / years * np.trapezoid(price / strike**2, strike)))


def interest_then(market: Market, number: int, grid: Grid) -> np.ndarray:
    """Positions at the close of session `number - 1`, which is what the morning of `number` is told: a strike that was
    not listed the day before has none, and the others' grow until they expire, leaning as the crowd does."""
    session = market.sessions[number]
    spot = float(market.days.index_close[number - 1])
    listed = set(_ladder(spot)[1].tolist())
    mood = market.mood[number - 1]
    sizes = []
    for _, day, k, right in grid:
        key = (day.toordinal() * 1_000_003 + round(k) * 97 + (right == "C")) * 2_654_435_761 % 2**32
        own = 0.4 + 1.2 * (key >> 8) / 2**24
        age = 1.0 / (1.0 + max(0, (day - session).days) / 20)
        round_number = 2.5 if k % 100 == 0 else 1.5 if k % 50 == 0 else 1.0
        crowd = 1.3 if (right == "C") == (k > spot) else 0.6
        side = np.exp(mood if right == "C" else -mood)
        sizes.append(np.floor(2_600 * own * age * round_number * crowd * side) if k in listed else 0.0)
    return np.array(sizes)


def dealers_gamma(market: Market, number: int) -> float:
    """What dealers who sold the puts and bought the calls have to hedge in session `number`, from the chain of the
    evening before: -1, all short gamma, to 1, all long."""
    if number < 2:
        return 0.0
    chain = make_chain(market, number - 1)
    call = np.array([contract[-9] == "C" for contract in chain.contract])
    gamma = chain.columns["gamma"] * chain.columns["open_interest"]
    return float(np.where(call, gamma, -gamma).sum() / max(gamma.sum(), 1e-9))


def _ladder(spot: float) -> tuple[int, np.ndarray]:
    at_money = round(spot / STRIKE_STEP) * STRIKE_STEP
    return at_money, at_money + STRIKE_STEP * (np.arange(STRIKES) - STRIKES // 2)


def make_chain(market: Market, number: int) -> Chain:
    """The same contracts and figures whenever it is asked for."""
    from scipy.special import ndtr

    session, seed = market.sessions[number], market.settings.seed
    rng = stream(seed, "chain", number - market.base + 100_000)
    spot = round(float(market.days.index_close[number]), 2)
    vol = level_vol(market, number)
    at_money, ladder = _ladder(spot)
    series = expiries(session)
    grid = [(root, day, k, right) for root, day in series for k in ladder.tolist() for right in "CP"]
    # A few of yesterday's contracts are still in the file, with yesterday's volume.
    gone = market.sessions[number - 1]
    grid += [("SPXW", gone, k, right) for k in (at_money, at_money + STRIKE_STEP) for right in "CP"]

    strike = np.array([k for _, _, k, _ in grid], np.float64)
    call = np.array([right == "C" for *_, right in grid])
    left = np.array([(day - session).days for _, day, _, _ in grid])
    years = np.maximum(left, 0) / 365 + 1e-9
    money = np.log(strike / spot) / np.sqrt(np.maximum(years, 1 / 365))
    iv = smile(vol, money)
    root_time = iv * np.sqrt(years)
    d1 = (np.log(spot / strike) + 0.5 * iv**2 * years) / root_time
    d2 = d1 - root_time
    sign = np.where(call, 1.0, -1.0)
    density = np.exp(-0.5 * d1**2) / np.sqrt(2 * np.pi)
    theo = np.maximum(sign * (spot * ndtr(sign * d1) - strike * ndtr(sign * d2)), 0.0)
    half = np.maximum(0.05, 0.01 * theo)

    weight = np.select([left < 0, left == 0, left == 1, left < 9], [0.3, 1.0, 0.35, 0.3], 0.25)
    near = np.exp(-0.5 * ((strike - spot) / (4.0 * STRIKE_STEP)) ** 2)
    mood = np.exp(0.25 * rng.normal(size=2))  # of calls and puts on the day
    volume = np.floor(24_000 * weight * near * np.where(call, mood[0], mood[1] * 1.15) * rng.gamma(2.0, 0.5, len(grid)))
    round_number = np.where(strike % 100 == 0, 2.5, np.where(strike % 50 == 0, 1.5, 1.0))
    crowd = np.where(call == (strike > spot), 1.3, 0.6)
    held = np.select([left < 0, left == 0, left == 1, left < 9], [0.5, 0.8, 0.6, 1.0], 3.0)
    interest = np.floor(2_600 * round_number * crowd * held * rng.gamma(4.0, 0.25, len(grid)))
    if market.settings.sandbox.incidents == "many":
        interest = interest_then(market, number, grid)

    expired = left <= 0
    blank = expired | (rng.random(len(grid)) < 0.03)
    never = ~expired & (np.abs(strike - spot) > 8 * STRIKE_STEP) & (rng.random(len(grid)) < 0.35)
    volume, interest = np.where(never, 0.0, volume), np.where(never, 0.0, interest)

    def known(values: np.ndarray) -> np.ndarray:
        return np.where(blank, 0.0, np.round(values, 4))

    last = np.where(never, 0.0, np.round(np.maximum(theo * (1 + 0.02 * rng.normal(size=len(grid))), 0.05), 2))
    columns = {
        "bid": np.where(expired & (theo < 0.05), 0.0, np.round(np.maximum(theo - half, 0.0), 2)),
        "bid_size": np.floor(1 + rng.gamma(2.0, 20.0, len(grid))),
        "ask": np.round(theo + half, 2),
        "ask_size": np.floor(1 + rng.gamma(2.0, 20.0, len(grid))),
        "iv": known(iv),
        "open_interest": interest,
        "volume": volume,
        "delta": known(np.where(call, ndtr(d1), ndtr(d1) - 1.0)),
        "gamma": np.where(blank, 0.0, np.round(density / (spot * root_time), 6)),
        "vega": known(spot * density * np.sqrt(years) / 100),
        "theta": known(-spot * density * iv / (2 * np.sqrt(years)) / 365),
        "rho": known(sign * strike * years * ndtr(sign * d2) / 100),
        "theo": np.round(theo, 4),
        "last_trade_price": last,
    }
    names = [f"{root}{day:%y%m%d}{right}{round(k * 1000):08d}" for root, day, k, right in grid]
    return Chain(session, published_at(market, number), spot, round(vol, 4), names, expired, columns)
