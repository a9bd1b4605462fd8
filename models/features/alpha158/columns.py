"""The 158 columns, computed together: each name alone, from the last 61 sessions, the same code for batch and tail."""

from dataclasses import dataclass

import numpy as np

from models.features.alpha158 import order
from models.features.alpha158.codes import coded
from models.features.alpha158.moments import moments, reciprocal, sums
from models.features.alpha158.windows import LONGEST, WINDOWS, Part
from models.features.feature import FloatArray
from models.features.portable import log

SPECK = 1e-12  # Qlib's guard of denominators
STILL = 2e-5  # Qlib calls a series still whose standard deviation is at most this, and says nothing of its fit
LOG_2 = 0.6931471805599453
KBAR = ("KMID", "KLEN", "KMID2", "KUP", "KUP2", "KLOW", "KLOW2", "KSFT", "KSFT2")
PRICE = ("OPEN0", "HIGH0", "LOW0", "VWAP0")
ROLLING = (
    "ROC", "MA", "STD", "BETA", "RSQR", "RESI", "MAX", "MIN", "QTLU", "QTLD", "RANK", "RSV", "IMAX", "IMIN", "IMXD",
    "CORR", "CORD", "CNTP", "CNTN", "CNTD", "SUMP", "SUMN", "SUMD", "VMA", "VSTD", "WVMA", "VSUMP", "VSUMN", "VSUMD",
)
NAMES = (*KBAR, *PRICE, *(f"{name}{size}" for name in ROLLING for size in WINDOWS))
Columns = dict[str, FloatArray]


def alpha158(
    open_tr: FloatArray, high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray, vwap_tr: FloatArray,
    volume_split: FloatArray, *, into: Columns,
) -> None:
    """Fill `into`, (sessions - 60, names) a column, from bars of (sessions, names); a missing bar is NaN throughout."""
    here = np.isfinite(close_tr)
    bars = _Bars.of(close_tr, volume_split, here)
    now = slice(LONGEST, None)
    _bar_shapes(open_tr[now], high_tr[now], low_tr[now], close_tr[now], vwap_tr[now], into)
    _closes(bars, into)
    _extremes(np.where(here, high_tr, -np.inf)[1:], np.where(here, low_tr, np.inf)[1:], bars, into)
    _moves(bars, into)
    _volumes(bars, into)
    if not bars.whole:
        missing = ~here[now]
        for column in into.values():
            np.copyto(column, np.nan, where=missing)


@dataclass(frozen=True)
class _Bars:
    """What the columns share: rows from the second session on, 0 where nothing is known."""

    close: FloatArray  # from the first session on
    volume: FloatArray
    last: FloatArray  # today's close
    ends: FloatArray  # close, +inf where missing
    counts: Part  # 1 where there is a bar
    pairs: Part  # 1 where there is one and one before
    whole: bool  # nothing is missing

    def before(self, sessions: int) -> FloatArray:
        """The close of so many sessions ago; NaN where there was none."""
        closes = self.close[LONGEST - sessions : len(self.close) - sessions]
        return closes if self.whole else np.where(closes > 0.0, closes, np.nan)

    @classmethod
    def of(cls, close_tr: FloatArray, volume_split: FloatArray, here: np.ndarray) -> "_Bars":
        whole = bool(here.all())
        close = close_tr if whole else np.where(here, close_tr, 0.0)
        volume = volume_split if whole else np.where(here, volume_split, 0.0)
        return cls(
            close, volume, close[LONGEST:], (close if whole else np.where(here, close, np.inf))[1:],
            1.0 if whole else here[1:].astype(np.float64),
            1.0 if whole else (here[1:] & here[:-1]).astype(np.float64), whole,
        )


def _bar_shapes(open_: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, vwap: FloatArray,
                into: Columns) -> None:
    span, body = high - low, close - open_
    guarded = span + SPECK
    over, under = high - np.maximum(open_, close), np.minimum(open_, close) - low
    shift = 2.0 * close - high - low
    np.divide(span, open_, out=into["KLEN"])
    for name, part in (("KMID", body), ("KUP", over), ("KLOW", under), ("KSFT", shift)):
        np.divide(part, open_, out=into[name])
        np.divide(part, guarded, out=into[f"{name}2"])
    for name, price in zip(PRICE, (open_, high, low, vwap), strict=True):
        np.divide(price, close, out=into[name])


def _spread(total: Part, count: Part) -> FloatArray:
    """Standard deviation of a sample; NaN of fewer than two."""
    free = count - 1.0 if isinstance(count, float) else np.where(count > 1.0, count - 1.0, np.nan)
    return np.sqrt(total / free)


def _closes(bars: _Bars, into: Columns) -> None:
    """Level, spread and straight line of the close, and its correlation with volume."""
    close, last = bars.close[1:], bars.last
    spoken = log(bars.volume[1:] + 1.0)
    if not bars.whole:
        spoken = spoken * bars.counts
    found = moments((close, spoken), bars.counts, ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2)), place=2)
    counts = {size: one.count for size, one in found.items()}
    told = coded(bars.ends)
    highs_lows = order.quantiles(bars.ends, told, counts)
    ranks = order.ranks(told.codes)
    for size, one in found.items():
        (mean, _, place), spread = one.means, _spread(one.products[0, 0], one.count)
        slope = one.products[0, 2] / one.products[2, 2]
        np.divide(bars.before(size), last, out=into[f"ROC{size}"])
        np.divide(mean, last, out=into[f"MA{size}"])
        np.divide(spread, last, out=into[f"STD{size}"])
        np.divide(slope, last, out=into[f"BETA{size}"])
        np.divide(one.products[0, 2] * slope, one.products[0, 0], out=into[f"RSQR{size}"])
        _hush(into[f"RSQR{size}"], _still(one.products[0, 0], one.count))
        np.divide(last - (mean - slope * place), last, out=into[f"RESI{size}"])
        for name, quantile in zip(("QTLU", "QTLD"), highs_lows[size], strict=True):
            np.divide(quantile, last, out=into[f"{name}{size}"])
        np.divide(ranks[size], one.count, out=into[f"RANK{size}"])
        _correlation(one.products[0, 1], one.products[0, 0], one.products[1, 1], one.count, into[f"CORR{size}"])


def _hush(column: FloatArray, where: np.ndarray) -> None:
    if where.any():
        np.copyto(column, np.nan, where=where)


def _still(products: Part, count: Part) -> np.ndarray:
    """Whether a series moves so little that nothing fitted to it means anything."""
    return np.asarray(products <= STILL * STILL * (count - 1.0))


def _correlation(both: Part, one: Part, other: Part, count: Part, into: FloatArray) -> None:
    """From sums of products of deviations."""
    np.divide(both, np.sqrt(one * other), out=into)
    _hush(into, _still(one, count) | _still(other, count))


def _extremes(high: FloatArray, low: FloatArray, bars: _Bars, into: Columns) -> None:
    """Highest high and lowest low, and how long ago, counted from the window's oldest bar."""
    last = bars.last
    highest, lowest = order.extremes(high, highest=True), order.extremes(low, highest=False)
    oldest: dict[int, order.Places] = {size: 1 - size for size in WINDOWS}
    if not bars.whole:
        first = order.extremes(np.asarray(bars.counts), highest=True)  # the oldest of those that are there
        oldest = {size: one.place for size, one in first.items()}
    for size in WINDOWS:
        top, bottom, begun = highest[size], lowest[size], oldest[size]
        np.divide(top.value, last, out=into[f"MAX{size}"])
        np.divide(bottom.value, last, out=into[f"MIN{size}"])
        np.divide(last - bottom.value, top.value - bottom.value + SPECK, out=into[f"RSV{size}"])
        for name, places in (("IMAX", top.place - begun + 1), ("IMIN", bottom.place - begun + 1),
                             ("IMXD", top.place - bottom.place)):
            np.divide(np.asarray(places, dtype=np.float64), float(size), out=into[f"{name}{size}"])


def _parts(change: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What was gained and what was lost, both positive; a zero without a sign, which NumPy's maximum may keep."""
    return np.maximum(change, 0.0) + 0.0, np.maximum(-change, 0.0) + 0.0


def _shares(name: str, size: int, gained: FloatArray, lost: FloatArray, pairs: Part, into: Columns) -> None:
    moved = gained + lost + SPECK
    if not isinstance(pairs, float):
        moved = np.where(pairs > 0.0, moved, np.nan)
    np.divide(gained, moved, out=into[f"{name}P{size}"])
    np.divide(lost, moved, out=into[f"{name}N{size}"])
    np.divide(gained - lost, moved, out=into[f"{name}D{size}"])


def _moves(bars: _Bars, into: Columns) -> None:
    """Days up and down, and how far, for price and volume."""
    change, turned = bars.close[1:] - bars.close[:-1], bars.volume[1:] - bars.volume[:-1]
    if not bars.whole:
        change, turned = change * bars.pairs, turned * bars.pairs
    far = sums((*_parts(change), *_parts(turned)))
    days = sums(tuple(flags.view(np.int8) for flags in (change > 0.0, change < 0.0)))
    known = _counted(bars.counts, bars.pairs)
    for size, (gained, lost, more, less) in far.items():
        count, pairs = known[size]
        _shares("SUM", size, gained, lost, pairs, into)
        _shares("VSUM", size, more, less, pairs, into)
        rose, fell = days[size]
        for name, some in (("CNTP", rose), ("CNTN", fell), ("CNTD", rose - fell)):
            np.divide(some.astype(np.float64), count, out=into[f"{name}{size}"])


def _volumes(bars: _Bars, into: Columns) -> None:
    """Level and spread of volume and of what moved on it, and its change beside that of the price."""
    today = bars.volume[LONGEST:] + SPECK
    pairs = bars.pairs
    move = bars.close[1:] / bars.close[:-1] - 1.0
    turned = log(bars.volume[1:] / bars.volume[:-1] + 1.0)
    said: Part = pairs  # a day without volume says nothing of the change after it
    if not bars.whole:
        move = np.where(pairs > 0.0, move, 0.0)
    known = np.isfinite(turned)
    if not (bars.whole and known.all()):
        said = np.where(known, pairs, 0.0)
        turned = np.where(said > 0.0, turned, 0.0)
    told = move if said is pairs else move * said
    turned = (turned - LOG_2) * said  # of a volume that stays as it is
    weighted = np.abs(move) * bars.volume[1:]
    series = (weighted, weighted * weighted, told, turned, told * told, turned * turned, told * turned)
    volumes, found = moments((bars.volume[1:],), bars.counts, ((0, 0),)), sums(series)
    counts = _counted(pairs, said)
    for size in WINDOWS:
        one, (held, squared, x, y, xx, yy, xy), (paired, spoken) = volumes[size], found[size], counts[size]
        np.divide(one.means[0], today, out=into[f"VMA{size}"])
        np.divide(_spread(one.products[0, 0], one.count), today, out=into[f"VSTD{size}"])
        mean, share = held * reciprocal(paired), reciprocal(spoken)
        swing = _spread(np.maximum(squared - held * mean, 0.0), paired)
        np.divide(swing, mean + SPECK, out=into[f"WVMA{size}"])
        _correlation(xy - x * y * share, xx - x * x * share, yy - y * y * share, spoken, into[f"CORD{size}"])


def _counted(*parts: Part) -> dict[int, tuple[Part, ...]]:
    """How many sessions of each window count."""
    if all(isinstance(part, float) for part in parts):
        return {size: tuple(float(size) for _ in parts) for size in WINDOWS}
    arrays = [part for part in parts if not isinstance(part, float)]
    full = np.ones_like(arrays[0])
    return sums(tuple(full * part for part in parts))
