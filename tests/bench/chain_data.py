"""The chain and the tape that the analytics are measured on, made from a seed."""

import datetime as dt

import numpy as np
import pyarrow as pa

CONTRACTS, TICKS = 20_000, 5_000_000
SESSION = dt.date(2025, 6, 30)
SNAPSHOT = dt.datetime(2025, 6, 30, 20, 32, tzinfo=dt.UTC)
SPOT = 6200.0
_DAYS_LEFT = (0, 1, 2, 3, 4, 7, 9, 11, 14, 18, 25, 32, 46, 60, 81, 109, 144, 200, 263, 354, 536)


def chain() -> pa.Table:
    """One snapshot as the mart `option_quotes` has it."""
    chance = np.random.default_rng(7)
    expiries = [SESSION + dt.timedelta(days=_DAYS_LEFT[at % len(_DAYS_LEFT)]) for at in range(CONTRACTS)]
    strike = np.round(SPOT * np.exp(chance.normal(0, 0.15, CONTRACTS)) / 5) * 5
    right = np.where(chance.random(CONTRACTS) < 0.5, "C", "P")
    iv = 0.16 + 0.6 * np.log(strike / SPOT) ** 2 - 0.15 * np.log(strike / SPOT)
    years = np.maximum([(day - SESSION).days for day in expiries], 0.3) / 365
    width = iv * np.sqrt(years)
    d1 = np.log(SPOT / strike) / width + width / 2
    gamma = np.exp(-d1 * d1 / 2) / (np.sqrt(2 * np.pi) * SPOT * width)
    stamp = pa.timestamp("us", tz="UTC")
    return pa.table({
        "underlying": pa.array(["SPX"] * CONTRACTS), "session": pa.array([SESSION] * CONTRACTS, pa.date32()),
        "snapshot": pa.array([SNAPSHOT] * CONTRACTS, stamp),
        "contract": [f"SPXW{day:%y%m%d}{right[at]}{at:08d}" for at, day in enumerate(expiries)],
        "root": ["SPXW"] * CONTRACTS, "expiry": pa.array(expiries, pa.date32()), "right": right.tolist(),
        "strike": strike, "adjusted": [False] * CONTRACTS, "spot": [SPOT] * CONTRACTS, "iv30": [0.16] * CONTRACTS,
        "bid": np.full(CONTRACTS, 1.0), "ask": np.full(CONTRACTS, 1.1), "last_price": np.full(CONTRACTS, 1.05),
        "volume": chance.integers(0, 500, CONTRACTS).astype(float),
        "open_interest": chance.integers(0, 5000, CONTRACTS).astype(float), "iv": iv, "gamma": gamma,
        "delta": np.where(right == "C", 0.5, -0.5) + np.clip(d1 / 8, -0.4, 0.4), "vega": np.full(CONTRACTS, 1.0),
        "theta": np.full(CONTRACTS, -0.1), "event_time": pa.array([SNAPSHOT] * CONTRACTS, stamp),
        "available_at": pa.array([SNAPSHOT] * CONTRACTS, stamp), "ingested_at": pa.array([SNAPSHOT] * CONTRACTS, stamp),
    })  # fmt: skip


def tape() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Prices on a quarter grid, sizes and the number of the session of each tick, five sessions."""
    chance = np.random.default_rng(3)
    prices = 6000 + np.cumsum(chance.integers(-1, 2, TICKS)) * 0.25
    return prices, chance.integers(1, 20, TICKS), np.arange(TICKS) * 5 // TICKS
