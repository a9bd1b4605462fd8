"""What a chain says about its underlying: volumes, the share of same-day expiries, gamma exposure, its flip, pins.

Contracts that expired before the session count nowhere; adjusted deliverables count in volume and open interest, not in
gamma. A missing iv or gamma is missing, never zero.
"""

import datetime as dt
import hashlib
import math
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.market import surface
from models.market.replay import replay

FloatArray = npt.NDArray[np.float64]

SHARES_PER_CONTRACT = 100.0
FLIP_REACH = 0.25  # how far from today's spot a flip is looked for
_GRID = 101
_BISECTIONS = 40
_GUESSES, _NARROW = 16, 1e-12
_YEAR_S = 365.0 * 86400.0
_NEW_YORK = ZoneInfo("America/New_York")
_KEPT = 8_192  # chains: of three underlyings over ten years
_TOLD: dict[bytes, dict[str, Any]] = {}
_INSTANT = pa.timestamp("us", tz="UTC")

_READ = ["underlying", "session", "snapshot", "spot", "iv30", "contract", "expiry", "right", "strike", "volume",
         "open_interest", "adjusted", "gamma", "iv", "delta", "ingested_at"]  # fmt: skip

SCHEMA = pa.schema([
    ("underlying", pa.string()), ("session", pa.date32()), ("spot", pa.float64()), ("call_volume", pa.float64()),
    ("put_volume", pa.float64()), ("volume_0dte", pa.float64()), ("share_0dte", pa.float64()),
    ("put_call_ratio", pa.float64()), ("put_call_oi_ratio", pa.float64()), ("gamma_exposure", pa.float64()),
    ("gamma_flip", pa.float64()), ("dealer_position", pa.string()), ("pin_strikes", pa.list_(pa.float64())),
    ("iv30", pa.float64()), *surface.FIELDS,
    ("event_time", _INSTANT), ("ingested_at", _INSTANT), ("ready_at", _INSTANT),
])  # fmt: skip


def _floats(table: pa.Table, name: str) -> FloatArray:
    """A column with NaN for what is missing."""
    values: FloatArray = pc.fill_null(table.column(name).cast(pa.float64()), float("nan")).to_numpy()
    return values


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


class Repriced:
    """A book whose gamma exposure (Black-Scholes, zero rate, unchanged volatility) is asked for at many spots: what
    does not depend on the spot is worked out once, and the arrays in between are written over, since making them anew
    takes as long as the arithmetic."""

    def __init__(self, strike: FloatArray, years: FloatArray, iv: FloatArray, signed_oi: FloatArray) -> None:
        self._strike, self._signed = strike, signed_oi
        self._width: FloatArray = iv * np.sqrt(years)
        self._half: FloatArray = 0.5 * self._width
        self._one, self._two = np.empty_like(self._width), np.empty_like(self._width)

    def exposure(self, spot: float) -> float:
        d1, work = self._one, self._two
        np.divide(spot, self._strike, out=d1)
        np.log(d1, out=d1)
        np.divide(d1, self._width, out=d1)
        np.add(d1, self._half, out=d1)
        np.multiply(-0.5, d1, out=work)
        np.multiply(work, d1, out=work)
        np.exp(work, out=work)
        np.multiply(np.sqrt(2.0 * np.pi) * spot, self._width, out=d1)
        np.divide(work, d1, out=work)
        np.multiply(work, self._signed, out=work)
        return float(np.sum(work) * SHARES_PER_CONTRACT * spot * spot * 0.01)


def _bisected(book: Repriced, left: tuple[float, float], right: tuple[float, float]) -> float:
    """Where bisection ends between two spots of unlike exposure. A bracket about the crossing takes a few questions,
    and of a half that lies outside it bisection need not ask."""
    above = right[1] > 0
    low, high = _bracket(book, left, right)
    begin, end = left[0], right[0]
    for _ in range(_BISECTIONS):
        middle = 0.5 * (begin + end)
        beyond = middle >= high or (middle > low and (book.exposure(middle) > 0) == above)
        begin, end = (begin, middle) if beyond else (middle, end)
    return 0.5 * (begin + end)


def _bracket(book: Repriced, left: tuple[float, float], right: tuple[float, float]) -> tuple[float, float]:
    """Two spots close about a crossing, by false position: an end that stays is weighed down (Anderson and Björck), and
    once the guesses stand still, both sides of the last one are asked."""
    (low, at_low), (high, at_high) = left, right
    above, kept, guess = at_high > 0, 0, math.inf
    for _ in range(_GUESSES):
        before, guess = guess, (low * at_high - high * at_low) / (at_high - at_low)
        if abs(guess - before) <= _NARROW * high:
            for spot in (guess - _NARROW * high, guess + _NARROW * high):
                if low < spot < high:
                    low, high = (low, spot) if (book.exposure(spot) > 0) == above else (spot, high)
            break
        if not low < guess < high:
            break
        found = book.exposure(guess)
        if found == 0.0:
            break
        if (found > 0) == above:
            if kept > 0:
                at_low *= 1.0 - found / at_high if found / at_high < 1.0 else 0.5
            high, at_high, kept = guess, found, 1
        else:
            if kept < 0:
                at_high *= 1.0 - found / at_low if found / at_low < 1.0 else 0.5
            low, at_low, kept = guess, found, -1
    return low, high


def gamma_flip(
    spot: float, strike: FloatArray, years: FloatArray, iv: FloatArray, signed_oi: FloatArray
) -> float | None:
    """The spot nearest to today's at which the re-priced exposure crosses zero, None where none is in reach."""
    priced = (years > 0) & (iv > 0) & (signed_oi != 0)
    if not priced.any():
        return None
    book = Repriced(strike[priced], years[priced], iv[priced], signed_oi[priced])
    grid = spot * np.linspace(1.0 - FLIP_REACH, 1.0 + FLIP_REACH, _GRID)
    at_grid = cache(lambda place: book.exposure(float(grid[place])))
    away = np.maximum(0.0, np.maximum(grid[:-1] - spot, spot - grid[1:]))  # of a step: no flip in it is nearer
    nearest: float | None = None
    for left in np.argsort(away, kind="stable").tolist():
        if nearest is not None and away[left] > abs(nearest - spot):
            break
        if np.sign(at_grid(left)) == np.sign(at_grid(left + 1)):
            continue
        flip = _bisected(book, (float(grid[left]), at_grid(left)), (float(grid[left + 1]), at_grid(left + 1)))
        if nearest is None or (abs(flip - spot), flip) < (abs(nearest - spot), nearest):
            nearest = flip
    return nearest


def _years_left(snapshot: dt.datetime, expiries: pa.ChunkedArray) -> FloatArray:
    """Time to 16:00 New York of each expiry."""
    days, place = np.unique(expiries.cast(pa.int32()).to_numpy(), return_inverse=True)
    ends = [dt.datetime.combine(day, dt.time(16), tzinfo=_NEW_YORK) for day in days.astype("datetime64[D]").tolist()]
    left: FloatArray = np.array([(end - snapshot).total_seconds() / _YEAR_S for end in ends])
    return left[place]


def _pins(strike: FloatArray, weight: FloatArray) -> list[float]:
    """The three strikes of most gamma times open interest, calls and puts together; ties go to the lower strike."""
    levels, where = np.unique(strike, return_inverse=True)
    total = np.bincount(where, weight, len(levels))
    best = np.lexsort((levels, -total))[:3]
    return [float(levels[i]) for i in best if total[i] > 0]


def option_metrics(chain: pa.Table) -> dict[str, Any]:
    """Metrics of one chain: all contracts of one underlying at one snapshot."""
    session = chain.column("session")[0].as_py()
    chain = chain.select(_READ)
    alive = pc.fill_null(pc.greater_equal(chain.column("expiry"), pa.scalar(session, pa.date32())), False)
    chain = chain if pc.all(alive).as_py() else chain.filter(alive)
    if not pc.all(pc.less_equal(chain.column("contract")[:-1], chain.column("contract")[1:])).as_py():
        chain = chain.sort_by("contract")  # sums of floats in one order
    if not chain.num_rows:
        return {}
    spot: float | None = chain.column("spot")[0].as_py()  # without it, what is counted still counts
    snapshot = chain.column("snapshot")[0].as_py()
    call = pc.equal(chain.column("right"), "C").to_numpy(zero_copy_only=False)
    volume, interest = np.nan_to_num(_floats(chain, "volume")), np.nan_to_num(_floats(chain, "open_interest"))
    same_day = pc.equal(chain.column("expiry"), pa.scalar(session, pa.date32())).to_numpy(zero_copy_only=False)
    standard = ~pc.fill_null(chain.column("adjusted"), False).to_numpy(zero_copy_only=False)
    strike, gamma, iv = (_floats(chain, name) for name in ("strike", "gamma", "iv"))
    signed = np.where(call, 1.0, -1.0) * interest
    counted = standard & np.isfinite(gamma)
    per_point = float(np.sum(gamma[counted] * signed[counted]) * SHARES_PER_CONTRACT)
    exposure = None if spot is None else per_point * spot * spot * 0.01
    weight = np.where(counted, gamma * interest, 0.0)
    put_volume, call_volume = float(volume[~call].sum()), float(volume[call].sum())
    repriced = standard & np.isfinite(iv)
    years = _years_left(snapshot, chain.column("expiry"))
    return {
        "underlying": chain.column("underlying")[0].as_py(),
        "session": session,
        "spot": spot,
        "call_volume": call_volume,
        "put_volume": put_volume,
        "volume_0dte": float(volume[same_day].sum()),
        "share_0dte": _ratio(float(volume[same_day].sum()), float(volume.sum())),
        "put_call_ratio": _ratio(put_volume, call_volume),
        "put_call_oi_ratio": _ratio(float(interest[~call].sum()), float(interest[call].sum())),
        "gamma_exposure": exposure,
        "gamma_flip": None if spot is None else gamma_flip(
            spot, strike[repriced], years[repriced], iv[repriced], signed[repriced]),
        "dealer_position": "long" if per_point > 0 else "short" if per_point < 0 else "neutral",
        "pin_strikes": _pins(strike, weight),
        "iv30": chain.column("iv30")[0].as_py(),
        **surface.surface(chain),
        "event_time": snapshot,
        "ingested_at": pc.max(chain.column("ingested_at")).as_py(),
    }


def _told_once(chain: pa.Table) -> dict[str, Any]:
    """Metrics of the same chain, byte for byte, are worked out once a process: who builds the marts again under another
    future finds most chains as they were."""
    seen = hashlib.sha256(str(chain.schema).encode())
    for column in chain.columns:
        for chunk in column.chunks:
            seen.update(f"{len(chunk)} {chunk.offset} {chunk.null_count}|".encode())
            for buffer in chunk.buffers():
                seen.update(b"-" if buffer is None else buffer)
    key = seen.digest()
    if key not in _TOLD:
        if len(_TOLD) >= _KEPT:
            _TOLD.clear()
        _TOLD[key] = option_metrics(chain)
    return _TOLD[key]


def _newest_chains(quotes: pa.Table) -> pa.Table:
    """Metrics of the newest snapshot of every underlying and session."""
    rows: list[dict[str, Any]] = []
    keys = ["underlying", "session"]
    newest = quotes.group_by(keys, use_threads=False).aggregate([("snapshot", "max"), ("ready_at", "min")])
    quotes = quotes.combine_chunks()
    numbered = quotes.append_column("_row", pa.array(np.arange(quotes.num_rows)))
    chains = numbered.group_by(["underlying", "snapshot"], use_threads=False).aggregate([("_row", "list")])
    names = zip(chains.column("underlying").to_pylist(), chains.column("snapshot").to_pylist(), strict=True)
    place = {name: number for number, name in enumerate(names)}
    rows_of = chains.column("_row_list")
    for one in newest.to_pylist():
        number = place[one["underlying"], one["snapshot_max"]]
        metrics = _told_once(quotes.take(rows_of[number].values))
        if metrics:
            rows.append({**metrics, "ready_at": one["ready_at_min"]})
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def option_metric_versions(quotes: pa.Table) -> pa.Table:
    """Metrics per underlying and session as chains, later snapshots and corrections became known."""
    keys = ["underlying", "session"]
    first = quotes.group_by(keys, use_threads=False).aggregate([("available_at", "min")])
    quotes = quotes.join(first.rename_columns([*keys, "ready_at"]), keys, use_threads=False)
    return replay(quotes, key=("snapshot", "contract"), unit=keys, grain=keys, compute=_newest_chains)
