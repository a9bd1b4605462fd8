"""Fitted parameters as columns of cells: made at the first session of each month, of what was known before its open.

A fit is a fact of its day: a bar that is restated later moves the fits of later months and none before.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.feature import FloatArray
from models.features.inputs import FITTED
from models.features.statistical.garch import RETURNS, fit
from pipelines import calendars

KEPT = 100_000
_held: dict[bytes, FloatArray] = {}  # the leak gate asks for the same months again and again


def _once(moves: FloatArray) -> FloatArray:
    """The fits of these names' returns, none made twice in a process."""
    keys = [hashlib.sha256(row.tobytes()).digest() for row in moves]
    new = [at for at, key in enumerate(keys) if key not in _held]
    if new:
        if len(_held) + len(new) > KEPT:
            _held.clear()
            new = list(range(len(keys)))
        _held.update(zip([keys[at] for at in new], fit(moves[new]), strict=True))
    return np.stack([_held[key] for key in keys])


def _month_starts(days: NDArray[np.datetime64]) -> Iterator[np.datetime64]:
    """The first session of every month, the first month of the history aside."""
    sessions = np.array(calendars.sessions(*(day.astype(dt.date) for day in (days.min(), days.max()))), "datetime64[D]")
    months = sessions.astype("datetime64[M]")
    yield from sessions[1:][months[1:] != months[:-1]]


def _returns(
    start: np.datetime64, days: NDArray[np.datetime64], known: NDArray[np.int64], name: NDArray[np.intp], names: int,
    price: FloatArray,
) -> FloatArray:
    """(names, RETURNS) as they were known before a session's open."""
    first = start.astype(dt.date)
    opens = np.int64(calendars.open_at(first).timestamp() * 1_000_000)
    axis = np.array(calendars.previous_sessions(first, RETURNS + 2)[:-1], "datetime64[D]")
    seen = (days >= axis[0]) & (days < start) & (known < opens)
    grid = np.full((names, len(axis)), np.nan)
    grid[name[seen], np.searchsorted(axis, days[seen])] = price[seen]  # in order of knowledge: the newest stays
    with np.errstate(invalid="ignore"):
        return grid[:, 1:] / grid[:, :-1] - 1.0


def with_garch(cells: pa.Table) -> pa.Table:
    """The rows of cells with the parameters that count on their session; null before there was a fit."""
    fitted = {name: np.full(cells.num_rows, np.nan) for name in FITTED}
    if cells.num_rows:
        days = cells["session"].to_numpy().astype("datetime64[D]")
        coded = cells["entity"].combine_chunks().dictionary_encode()
        name, names = coded.indices.to_numpy(), len(coded.dictionary)
        known = cells["available_at"].cast(pa.int64()).to_numpy()
        price = cells["close"].to_numpy() * cells["total_return_factor"].to_numpy()
        price = np.where(cells["withdrawn"].to_numpy(zero_copy_only=False), np.nan, price)
        starts = list(_month_starts(days))
        windows = [_returns(start, days, known, name, names, price) for start in starts]
        fits = _once(np.concatenate(windows)) if windows else np.zeros((0, len(FITTED)))
        for at, start in enumerate(starts):
            since = days >= start
            for place, column in enumerate(FITTED):
                fitted[column][since] = fits[at * names + name[since], place]
    for column in FITTED:
        cells = cells.append_column(column, pa.array(fitted[column], from_pandas=True))
    return cells
