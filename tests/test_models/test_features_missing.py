"""Why a value is none, told in words; and only what stopped coming is worth a worry."""

import numpy as np
import pytest

from models.features.feature import Feature, FloatArray
from models.features.missing import why_missing
from models.features.panel import BarPanel

NAN = np.nan


def ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    return top[..., -1] / bottom[..., -1]


RATIO = Feature("ratio", "test", "root", ("top", "bottom"), 3, ratio, "top / bottom.")


@pytest.mark.parametrize(
    ("top", "bottom", "kind", "words"),
    [
        ([1, 1, 1, 1], [NAN] * 4, "source", "nothing held tells bottom"),
        ([1, 1], [1, 1], "history", "2 of the 3 bars that it looks back on are held"),
        ([1, 1, 1, 1], [NAN, NAN, 1, 1], "history", "bottom told for 2 of the 3 bars looked back on"),
        ([1, 1, 1, NAN], [1, 1, 1, 1], "gap", "top missing in the newest bar"),
        ([1, 1, NAN, 1], [1, 1, 1, 1], "gap", "top missing in 1 of the 3 bars looked back on"),
        ([1, 1, 1, 1], [1, 1, 1, 0], "formula", "every input is told, and the formula has no value of them"),
    ],
)  # fmt: skip
def test_each_reason(top: list[float], bottom: list[float], kind: str, words: str) -> None:
    columns = {"top": np.array(top, float)[:, None], "bottom": np.array(bottom, float)[:, None]}
    told = why_missing(BarPanel(np.arange(len(top)).astype("datetime64[D]"), ("ES",), columns), RATIO, 0)
    assert (told.kind, told.words, told.worrying) == (kind, words, kind == "gap")
