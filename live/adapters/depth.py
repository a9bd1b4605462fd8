"""Recorded order books beside a tape: what an order would have found there, level by level."""

import math
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("instrument_id", "at", "side", "price", "size")  # side 1: what one may buy (asks); -1: what one may sell
STALE_US = 60_000_000  # a book older than a bar says nothing of the next one
SUFFIX = ".depth.parquet"


class DepthError(ValueError):
    """The file holds no books: what is wrong with it."""


class Ladder:
    """One name's book at one moment, best prices first. What is taken of it is gone."""

    def __init__(self, at_us: int, asks: list[list[float]], bids: list[list[float]]) -> None:
        self.at_us, self._asks, self._bids = at_us, asks, bids

    @property
    def sound(self) -> bool:
        """Both sides are there, and no one could buy cheaper than sell."""
        levels = [*self._asks, *self._bids]
        return bool(self._asks and self._bids) and self._bids[0][0] < self._asks[0][0] and all(
            0.0 < price < math.inf and 0.0 <= size < math.inf for price, size in levels)

    def take(self, quantity: int, allows: Callable[[float], bool]) -> tuple[int, float] | None:
        """Whole shares of a signed order at their mean price, from the best level on as far as its limit lets it."""
        got, paid = 0, 0.0
        for level in self._asks if quantity > 0 else self._bids:
            price, size = level
            part = min(abs(quantity) - got, math.floor(size))
            if got == abs(quantity) or not allows(price):
                break
            level[1] -= part
            got, paid = got + part, paid + part * price
        return (got if quantity > 0 else -got, paid / got) if got else None


class Depth:
    """The books of a Parquet file: long rows of instrument_id, at (UTC), side, price, size; an `at` is one book."""

    def __init__(self, path: Path) -> None:
        table = pq.ParquetFile(path).read()
        missing = set(COLUMNS) - set(table.column_names)
        if missing:
            raise DepthError(f"{path} holds no order books: it lacks {', '.join(sorted(missing))}")
        table = table.select(COLUMNS).sort_by([("instrument_id", "ascending"), ("at", "ascending")])
        self._names = table["instrument_id"].to_numpy()
        self._at_us = table["at"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
        self._side, self._price, self._size = (np.asarray(table[name].to_numpy(), np.float64) for name in COLUMNS[2:])
        edges = np.flatnonzero((self._names[1:] != self._names[:-1]) | (self._at_us[1:] != self._at_us[:-1])) + 1
        first = np.concatenate([[0], edges]).tolist() if len(self._names) else []
        self._rows = dict(zip(first, [*first[1:], len(self._names)], strict=True))
        self._books: dict[str, tuple[list[int], list[int]]] = {}  # moments, and where each one's rows begin
        for row in first:
            moments, begins = self._books.setdefault(str(self._names[row]), ([], []))
            moments.append(int(self._at_us[row]))
            begins.append(row)
        self._newest: dict[str, Ladder] = {}

    @classmethod
    def beside(cls, tape: Path) -> "Depth | None":
        """The books that lie beside a tape file: `day.depth.parquet` beside `day.parquet`."""
        file = tape.with_name(tape.name.removesuffix(".parquet") + SUFFIX)
        return cls(file) if tape.is_file() and file.is_file() else None

    def at(self, name: str, at_us: int) -> Ladder | None:
        """The newest book by then, less what we took of it; None where there is none that can be believed."""
        moments, begins = self._books.get(name, ([], []))
        place = bisect_right(moments, at_us) - 1
        if place < 0 or at_us - moments[place] > STALE_US:
            return None
        known = self._newest.get(name)
        if known is None or known.at_us != moments[place]:
            known = self._newest[name] = self._ladder(moments[place], begins[place])
        return known if known.sound else None

    def _ladder(self, at_us: int, first: int) -> Ladder:
        rows = slice(first, self._rows[first])
        sides = self._side[rows]
        levels = np.stack([self._price[rows], self._size[rows]], axis=1)
        return Ladder(at_us, sorted(levels[sides == 1].tolist()), sorted(levels[sides == -1].tolist(), reverse=True))
