"""`MLStrategy`: a booster that somebody trained anywhere, from JSON or LightGBM's text, asked for one name's signal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import structure
from models.gbm import trees
from models.gbm.score import GbmModel
from models.signals.alpha import AlphaSignal, Filter

Floats = NDArray[np.float64]


class MLStrategy:
    """Says yes where the model's probability is above `threshold` (`Target_5m`: a rise of half a percent within five
    minutes). Columns are asked for by the names the model was trained with; one that is missing is NaN to it."""

    def __init__(self, model: Path | str | bytes, *, threshold: float = 0.5) -> None:
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"a threshold of {threshold} is no probability")
        data = model if isinstance(model, bytes) else Path(model).read_bytes()
        self.threshold = threshold
        self._text: GbmModel | None = None
        self._trees: trees.Trees | None = None
        if data.lstrip()[:1] == b"{":
            self._trees = trees.read(data)
            self.features: tuple[str, ...] = self._trees.features
        else:
            structure.check_lightgbm(data)
            self._text = GbmModel.from_bytes(data)
            self.features = tuple(self._text.booster.feature_name())

    def predict(self, rows: Floats | Sequence[Mapping[str, float]]) -> Floats:
        """(rows,) what the model says of rows in the order of `features`, or of rows by name."""
        told = rows if isinstance(rows, np.ndarray) else np.array(
            [[float(row.get(name, np.nan)) for name in self.features] for row in rows]).reshape(-1, len(self.features))
        if self._trees is not None:
            return self._trees(told)
        assert self._text is not None
        return self._text.rows(np.ascontiguousarray(told, dtype=np.float64))

    def generate_signal(self, features: Mapping[str, float]) -> AlphaSignal:
        """Long in proportion to how far the probability is above the threshold, nothing below it."""
        said = float(self.predict([features])[0])
        above = max(0.0, (said - self.threshold) / (1.0 - self.threshold))
        known = sum(bool(np.isfinite(features.get(name, np.nan))) for name in self.features)
        silent = Filter.NO_DATA if not known else Filter.THRESHOLD_FILTER
        speaks = above > 0.0 and known > 0
        return AlphaSignal(value=min(above, 1.0) if speaks else 0.0, confidence=above if speaks else 0.0,
                           regime_filter=str(Filter.COMBINED if speaks else silent),
                           components={"probability": said, "known_features": float(known)})
