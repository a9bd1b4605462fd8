"""Score one session's names with LightGBM's own text model, on one thread: the same bits in batch and live."""

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crosssection import zscore, zscores
from models.features.panel import FeaturePanel
from models.gbm.calibration import KEY, Calibration

Floats = NDArray[np.float64]
ACROSS, RAW = "across.", "raw."  # how a column of the model is prepared, said in its name inside the text model
MIN_PRESENT = 0.5  # a name with fewer of its own features than this is not scored


@dataclass(frozen=True)
class GbmModel:
    booster: Any
    features: tuple[str, ...]
    context: tuple[str, ...]
    calibration: Calibration | None = None  # of a binary objective, where its probabilities were set right

    @classmethod
    def from_bytes(cls, data: bytes) -> "GbmModel":
        import lightgbm

        text = data.decode()
        curve = told_calibration(text)  # ours, and read before the native parser sees anything
        booster = lightgbm.Booster(model_str=text)
        columns = booster.feature_name()
        return cls(booster, tuple(c.removeprefix(ACROSS) for c in columns if c.startswith(ACROSS)),
                   tuple(c.removeprefix(RAW) for c in columns if c.startswith(RAW)), curve)

    def score(self, panel: FeaturePanel, row: int) -> Floats:
        """(names,) at the panel's `row`; NaN for a name that is not tradable or lacks features."""
        scores = np.full(len(panel.names), np.nan)
        active, inputs = session_inputs(panel, row, self.features, self.context)
        if active.any():
            scores[active] = self.rows(inputs)
        return scores

    def score_many(self, panel: FeaturePanel, rows: NDArray[np.intp]) -> Floats:
        """`score` at each of the panel's `rows`, to the bit: (rows, names)."""
        active, inputs = sessions_inputs(panel, rows, self.features, self.context)
        scores = np.full(active.shape, np.nan)
        if active.any():
            scores[active] = self.rows(np.ascontiguousarray(inputs[active]))
        return scores

    def rows(self, inputs: Floats) -> Floats:
        """Scores of prepared rows, by the C function that `Booster.predict` calls, without what it does around it: for
        one row that is most of its time."""
        out = np.empty(len(inputs))
        written = ctypes.c_int64(0)
        status = self._library().LGBM_BoosterPredictForMat(
            self.booster._handle, inputs.ctypes.data_as(ctypes.c_void_p), 1, inputs.shape[0], inputs.shape[1], 1, 0, 0,
            -1, b"num_threads=1", ctypes.byref(written), out.ctypes.data_as(ctypes.POINTER(ctypes.c_double)))
        if status != 0 or written.value != len(out):
            raise RuntimeError(f"LightGBM scored {written.value} of {len(out)} rows")
        return out if self.calibration is None else self.calibration(out)

    @staticmethod
    def _library() -> Any:
        from lightgbm import basic

        return basic._LIB


def told_calibration(text: str) -> Calibration | None:
    """The curve that stands in the header of the text model, if one does."""
    header = text.partition("\n\nTree=0\n")[0]
    lines = [line for line in header.splitlines() if line.startswith(KEY + "=")]
    return Calibration.parse(lines[0].removeprefix(KEY + "=")) if lines else None


def session_inputs(
    panel: FeaturePanel, row: int, features: tuple[str, ...], context: tuple[str, ...]
) -> tuple[NDArray[np.bool_], Floats]:
    """Which names can be scored (names,), and their prepared rows (active, features + context)."""
    values = panel.values[row]
    own = values.take(places(panel.features, features), axis=1)
    active = panel.tradable[row] & (np.count_nonzero(np.isfinite(own), axis=1) / len(features) >= MIN_PRESENT)
    prepared = np.empty((np.count_nonzero(active), len(features) + len(context)))
    prepared[:, : len(features)] = zscore(own if len(prepared) == len(own) else own[active])
    prepared[:, len(features) :] = values.take(places(panel.features, context), axis=1)[active]
    return active, prepared


@lru_cache(maxsize=64)
def places(features: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[np.intp]:
    return np.array([features.index(name) for name in wanted], np.intp)


def sessions_inputs(
    panel: FeaturePanel, rows: NDArray[np.intp], features: tuple[str, ...], context: tuple[str, ...]
) -> tuple[NDArray[np.bool_], Floats]:
    """`session_inputs` of many sessions in one go, to the bit: which names can be scored (rows, names), and the
    prepared rows (rows, names, columns), of which only those of such names mean anything."""
    if len(features) < 2:  # NumPy adds up a single column in another order
        active = np.zeros((len(rows), len(panel.names)), dtype=bool)
        prepared = np.full((*active.shape, len(features) + len(context)), np.nan)
        for at, row in enumerate(rows):
            active[at], known = session_inputs(panel, int(row), features, context)
            prepared[at, active[at]] = known
        return active, prepared
    values = panel.values[rows]
    own = values.take(places(panel.features, features), axis=2)
    active = panel.tradable[rows] & (np.count_nonzero(np.isfinite(own), axis=2) / len(features) >= MIN_PRESENT)
    shared = values.take(places(panel.features, context), axis=2)
    return active, np.concatenate([zscores(own, active), shared], axis=2)
