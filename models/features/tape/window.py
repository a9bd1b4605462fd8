"""The last minutes of one contract, and what every feature of the tape asks of them: worked out once for all that ask.

A minute in which nothing traded has no bar. What adds up takes it for nothing traded and a price is held over it, but
only where the tape was seen within GRACE minutes of the span's beginning: else it is not a quiet minute but an unknown
one, and so is all that rests on it.
"""

from collections.abc import Mapping

import numpy as np

from models.features.feature import FloatArray
from models.features.window import positive, total

GRACE = 15


class Minutes:
    """Windows (sessions, names, minutes), oldest first; answers are (sessions, names) or end in a span of minutes."""

    def __init__(self, windows: Mapping[str, FloatArray]) -> None:
        self._windows = windows
        close = windows["close"]
        self._length = close.shape[-1]
        self._known = np.isfinite(close)
        self._whole = bool(self._known.all())
        if not self._whole:
            place = np.where(self._known, np.arange(self._length), -1)
            self._place = np.maximum.accumulate(place, axis=-1)
        self._sums: dict[tuple[str, int, int], FloatArray] = {}
        self._paths: dict[int, FloatArray] = {}
        self._flows: dict[str, FloatArray] = {}

    def now(self, name: str) -> FloatArray:
        """This minute's value; NaN where it has no bar."""
        return self._windows[name][..., -1]

    def _seen(self, at: int) -> np.ndarray:
        """Whether a bar was seen at this place of the window or within the grace before it."""
        seen: np.ndarray = self._place[..., at] >= max(0, at - GRACE)
        return seen

    def path(self, span: int) -> FloatArray:
        """The price after each of the last `span` minutes and at their beginning, (…, span + 1)."""
        held = self._paths.get(span)
        if held is None:
            close, at = self._windows["close"], self._length - 1 - span
            if self._whole:
                held = np.ascontiguousarray(close[..., at:])
            else:
                filled = np.take_along_axis(close, np.maximum(self._place[..., at:], 0), axis=-1)
                held = np.where(self._seen(at)[..., None], filled, np.nan)
            self._paths[span] = held
        return held

    def flow(self, name: str, span: int, skip: int = 0) -> FloatArray:
        """What each of `span` minutes added, the last `skip` left out."""
        added = self._flows.get(name)
        if added is None:
            window = self._windows[name]
            added = self._flows[name] = window if self._whole else np.where(self._known, window, 0.0)
        end = self._length - skip
        part = np.ascontiguousarray(added[..., end - span : end])
        return part if self._whole else np.where(self._seen(end - span)[..., None], part, np.nan)

    def sum(self, name: str, span: int, skip: int = 0) -> FloatArray:
        key = (name, span, skip)
        held = self._sums.get(key)
        if held is None:
            held = self._sums[key] = total(self.flow(name, span, skip))
        return held

    def share(self, part: str, whole: str, span: int, skip: int = 0) -> FloatArray:
        """Sum of the part / sum of the whole."""
        return self.sum(part, span, skip) / positive(self.sum(whole, span, skip))

    def balance(self, plus: str, minus: str, span: int) -> FloatArray:
        """(plus - minus) / (plus + minus); missing where there is neither."""
        gained, lost = self.sum(plus, span), self.sum(minus, span)
        return (gained - lost) / positive(gained + lost)

    def net_share(self, plus: str, minus: str, span: int) -> FloatArray:
        """(plus - minus) / volume."""
        return (self.sum(plus, span) - self.sum(minus, span)) / positive(self.sum("volume", span))

    def steps(self, span: int) -> FloatArray:
        """Returns of the last `span` minutes."""
        path = self.path(span)
        return np.ascontiguousarray(path[..., 1:] / path[..., :-1] - 1.0)
