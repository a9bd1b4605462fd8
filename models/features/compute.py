"""Run kernels over a whole panel or over its last session: the same code on the same windows, hence the same bits."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from models.features.feature import Block, Feature, FloatArray, Kernel
from models.features.panel import BarPanel

# Sessions per kernel call: bounds the memory of windows. Kernels treat sessions alone, so the cut changes no bit.
CHUNK_SESSIONS = 128
# Cells per call of a block: few calls, which threads take turns in making, on columns not far from a core's cache.
BLOCK_CELLS = 20_000


@cache
def _keep_what_is_freed() -> None:
    """glibc gives freed arrays back to the system, and every operation would ask for its own anew; it keeps them from
    the day on which it has seen a larger one freed. This one takes no memory: nobody writes to it."""
    np.empty(4_000_000)


def _windows(panel: BarPanel, feature: Feature, first: int, last: int) -> dict[str, FloatArray]:
    """Windows ending at sessions first..last-1; contiguous, as NumPy sums strided memory in another order."""
    begin = first - feature.look_back + 1
    return {
        name: np.ascontiguousarray(sliding_window_view(panel.columns[name][begin:last], feature.look_back, axis=0))
        for name in feature.inputs
    }


def _only_numbers(kernel: Kernel, inputs: dict[str, FloatArray]) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = np.asarray(kernel(**inputs), dtype=np.float64)
    # One NaN for all that is not a number: missing stays missing, and equal rows have equal bits.
    return np.where(np.isfinite(values), values, np.nan)


def _fill(panel: BarPanel, features: list[Feature], block: Block, some: slice, into: FloatArray) -> None:
    """A block over some names of the panel; `into` is (features, sessions - look_back + 1, names)."""
    unwanted = np.empty_like(into[0])
    columns = dict.fromkeys(block.columns, unwanted)
    columns |= {feature.name: into[index] for index, feature in enumerate(features)}
    by_name = into.strides[1] < into.strides[2]
    inputs = {
        name: np.ascontiguousarray(panel.columns[name][:, some].T).T if by_name
        else np.ascontiguousarray(panel.columns[name][:, some])
        for name in features[0].inputs
    }
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        block.fill(**inputs, into=columns)
        totals = np.einsum("fsn->f", into)  # cheap, and never finite where a part is not
        for index in np.flatnonzero(~np.isfinite(totals)):
            into[index][~np.isfinite(into[index])] = np.nan


def _fill_all(
    panel: BarPanel, features: list[Feature], block: Block, threads: int, precision: type[np.floating]
) -> dict[str, FloatArray]:
    """A block over every name, a few at a time: side by side they touch nothing in common."""
    _keep_what_is_freed()
    sessions, names = len(panel.sessions), len(panel.names)
    warm_up = min(features[0].look_back - 1, sessions)
    # Time runs on in memory where there is more of it than of names: NumPy's loops are as long as they can be.
    if sessions > names:
        held = np.empty((len(features), names, sessions), dtype=precision).transpose(0, 2, 1)
    else:
        held = np.empty((len(features), sessions, names), dtype=precision)
    held[:, :warm_up] = np.nan
    step = max(1, names if block.together else BLOCK_CELLS // max(sessions, 1))
    parts = [slice(first, first + step) for first in range(0, names, step)] if sessions > warm_up else []

    def one(some: slice) -> None:
        _fill(panel, features, block, some, held[:, warm_up:, some])

    if threads == 1:
        for some in parts:
            one(some)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, parts))
    return {feature.name: held[index] for index, feature in enumerate(features)}


def _grouped(features: Iterable[Feature]) -> Iterator[tuple[Kernel | Block, list[Feature]]]:
    """Features of one block together, each other one alone."""
    blocks: dict[Block, list[Feature]] = {}
    for feature in features:
        if isinstance(feature.kernel, Block):
            blocks.setdefault(feature.kernel, []).append(feature)
        else:
            yield feature.kernel, [feature]
    yield from blocks.items()


def compute_batch(
    panel: BarPanel, features: Iterable[Feature], *, since: int = 0, threads: int = 1,
    precision: type[np.floating] = np.float64,
) -> dict[str, FloatArray]:
    """Sessions of the panel from the place `since` on; NaN where the look-back reaches before the panel's first.

    Threads serve blocks. `precision` is what values are rounded to at last: float32 halves the memory of a frame for
    research.
    """
    count = len(panel.sessions)
    result = {}
    for kernel, some in _grouped(features):
        if isinstance(kernel, Block):
            # Whoever looks back less far than others is not asked for sessions that nobody wants of it.
            unread = max(0, since - some[0].look_back + 1)
            made = _fill_all(panel.tail(count - unread), some, kernel, threads, precision)
            result.update({name: values[since - unread :] for name, values in made.items()})
            continue
        (feature,) = some
        values = np.full((count - since, len(panel.names)), np.nan, dtype=precision)
        for first in range(max(feature.look_back - 1, since), count, CHUNK_SESSIONS):
            last = min(first + CHUNK_SESSIONS, count)
            values[first - since : last - since] = _only_numbers(kernel, _windows(panel, feature, first, last))
        result[feature.name] = values
    return result


class _Cut(dict[str, FloatArray]):
    """Each column's last `look_back` sessions, as batch slides to them; cut once for all who look at them."""

    def __init__(self, panel: BarPanel, look_back: int) -> None:
        self._columns, self._begin = panel.columns, len(panel.sessions) - look_back

    def __missing__(self, name: str) -> FloatArray:
        window = self[name] = np.ascontiguousarray(self._columns[name][self._begin :].T)[None]
        return window


def compute_tail(panel: BarPanel, features: Iterable[Feature]) -> dict[str, FloatArray]:
    """The last session only, from as many sessions as each feature looks back."""
    _keep_what_is_freed()
    count = len(panel.sessions)
    result: dict[str, FloatArray] = {}
    told: dict[str, FloatArray] = {}
    cuts: dict[int, _Cut] = {}
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # once for all: a call costs microseconds
        for kernel, some in _grouped(features):
            feature = some[0]
            if count < feature.look_back:
                result.update({one.name: np.full(len(panel.names), np.nan) for one in some})
            elif isinstance(kernel, Block):
                held = np.empty((len(some), 1, len(panel.names)))
                _fill(panel.tail(feature.look_back), some, kernel, slice(None), held)
                result.update({one.name: held[index, 0] for index, one in enumerate(some)})
            else:
                cut = cuts.get(feature.look_back)
                if cut is None:
                    cut = cuts[feature.look_back] = _Cut(panel, feature.look_back)
                told[feature.name] = kernel(**{name: cut[name] for name in feature.inputs})
    if told:
        values = np.concatenate(list(told.values()), dtype=np.float64)
        values[~np.isfinite(values)] = np.nan
        result.update(zip(told, values, strict=True))
    return result
