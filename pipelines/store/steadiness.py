"""Whether a family's table is up to date, and whether its newest month looks like the months before."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.features.feature import DAILY_STALENESS, Feature
from pipelines.store.cells import bars_of

BLOCK_SESSIONS = 20
LEAST_BLOCKS = 6  # before the newest: fewer say nothing of how much a month's mean moves
MOST_SHIFT = 8.0  # deviations of a month's mean; slow features wander, so an alarm is for what is out of all bounds
MOST_NULL_JUMP = 0.5


def _by_day(days: NDArray[np.intp], count: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the finite values of each session."""
    held = np.isfinite(values)
    sums = np.bincount(days, np.where(held, values, 0.0), minlength=count)
    number = np.bincount(days, held, minlength=count)
    return np.where(number > 0, sums / np.maximum(number, 1), np.nan)


def shifts(rows: pa.Table, features: tuple[Feature, ...]) -> dict[str, dict[str, float]]:
    """Per feature: how far the newest month's mean lies from the months before it, in deviations of a month's mean, and
    by how much the share of nulls rose. Nothing where the past is too short to say."""
    days, place = np.unique(bars_of(rows["session"]).astype("datetime64[D]"), return_inverse=True)
    blocks = len(days) // BLOCK_SESSIONS
    if blocks < LEAST_BLOCKS + 1:
        return {}
    first = len(days) - blocks * BLOCK_SESSIONS
    told = {}
    for feature in features:
        values = rows[feature.name].to_numpy().astype(np.float64)
        daily = _by_day(place, len(days), values)[first:].reshape(blocks, BLOCK_SESSIONS)
        empty = _by_day(place, len(days), np.isnan(values).astype(np.float64))[first:].reshape(blocks, BLOCK_SESSIONS)
        known = np.isfinite(daily).any(axis=1)
        means = np.where(known, np.nansum(daily, axis=1) / np.maximum(np.isfinite(daily).sum(axis=1), 1), np.nan)
        before = means[:-1][known[:-1]]
        shift = 0.0
        if len(before) >= LEAST_BLOCKS and known[-1] and (spread := float(before.std())) > 0.0:
            shift = float(abs(means[-1] - before.mean()) / spread)
        told[feature.name] = {"shift": shift, "null_rise": float(empty[-1].mean() - empty[-2].mean())}
    return told


def unsteady(told: dict[str, dict[str, Any]]) -> list[str]:
    """Features whose newest month is unlike all before, in words."""
    wrong = [f"{name}: mean {item['shift']:.1f} deviations of a month off" for name, item in told.items()
             if item.get("shift", 0.0) > MOST_SHIFT]  # fmt: skip
    return wrong + [f"{name}: {item['null_rise']:.0%} more missing than the month before" for name, item in told.items()
                    if item.get("null_rise", 0.0) > MOST_NULL_JUMP]


def newest_event(rows: pa.Table) -> str | None:
    """When the newest row happened."""
    latest = pc.max(rows["event_time"]).as_py() if rows.num_rows else None
    return latest.astimezone(dt.UTC).isoformat() if latest else None


def stale_by(newest: str | None, features: tuple[Feature, ...], now: dt.datetime) -> dt.timedelta | None:
    """By how much a family's newest row is older than any of its features may be; None: fresh, or never told.

    A night ends with the last closed session, for minutes too: their own, shorter limit is for whoever asks by day.
    """
    if newest is None:
        return None
    allowed = max(DAILY_STALENESS, *(feature.staleness for feature in features))
    late = now - dt.datetime.fromisoformat(newest) - allowed
    return late if late > dt.timedelta(0) else None
