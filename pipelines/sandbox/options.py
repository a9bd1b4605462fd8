"""The SPX options of one session after its close: contracts, quotes, greeks and open interest from a skewed surface."""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from pipelines import calendars
from pipelines.sandbox.chance import stream
from pipelines.sandbox.market import Market

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


def chain_sessions(market: Market) -> range:
    """Sessions that have a chain: the last of history, and every night to come."""
    return range(max(1, market.base + 1 - market.settings.sandbox.chain_sessions), len(market.sessions))


def published_at(market: Market, number: int) -> dt.datetime:
    return market.closes_at[number] + PUBLISHED_AFTER_CLOSE


def expiries(session: dt.date) -> list[tuple[str, dt.date]]:
    """(root, expiry): the same day, the next session, the Friday after, and the next monthly of the SPX root."""
    coming = calendars.next_sessions(session, 45)
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


def make_chain(market: Market, number: int) -> Chain:
    """The same contracts and figures whenever it is asked for."""
    from scipy.special import ndtr

    session, seed = market.sessions[number], market.settings.seed
    rng = stream(seed, "chain", number - market.base + 100_000)
    spot = round(float(market.days.index_close[number]), 2)
    vol = level_vol(market, number)
    at_money = round(spot / STRIKE_STEP) * STRIKE_STEP
    ladder = at_money + STRIKE_STEP * (np.arange(STRIKES) - STRIKES // 2)
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
    iv = np.clip(vol * (1 - 0.18 * money / vol * 0.4 + 0.05 * (money / vol * 0.4) ** 2), 0.05, 1.5)
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
