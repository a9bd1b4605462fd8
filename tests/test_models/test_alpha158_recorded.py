"""All 158 columns against Qlib's own values of the same panel, recorded by `tests/bench/peers/qlib_record.py`.

Equal means 1e-5 relative, and null where Qlib has none. Every exception stands here with its cause.
"""

from pathlib import Path

import numpy as np
import pytest

from models.features.alpha158.columns import NAMES
from models.features.alpha158.declared import FEATURES, LOOK_BACK
from models.features.compute import compute_batch
from models.features.panel import BarPanel
from tests.test_models.alpha158_panel import FIELDS, HALTS, SESSIONS, panel
from tests.test_models.alpha158_panel import NAMES as MARKET

RECORDED = np.load(Path(__file__).parent / "recorded" / "alpha158.npz")
RELATIVE = 1e-5
# Qlib computes on in float32: a daily return of 1e-3 out of a ratio near 1 keeps four digits, a correlation near zero
# fewer. Its values of the same formulas from float64 fields are recorded too, and there the bar is RELATIVE again.
FLOAT32 = {"CORR": 1e-5, "CORD": 1e-5, "WVMA": 1e-5}  # absolute
# A missing bar inside a window: Qlib's argmax stops at the first NaN, and its comparison with NaN counts as a session
# that did not move. Here the bars that are there speak.
HOLES = ("IMAX", "IMIN", "IMXD", "CNTP", "CNTN", "CNTD")


def columns() -> dict[str, np.ndarray]:
    return {field: RECORDED[f"panel_{field}"].astype(np.float64) for field in FIELDS}


@pytest.fixture(scope="module")
def ours() -> np.ndarray:
    """(sessions, names, 158). Qlib starts a window when a name begins; before the panel there is no bar of anyone."""
    before = np.full((LOOK_BACK - 1, len(MARKET)), np.nan)
    bars = {field: np.vstack([before, part]) for field, part in columns().items()}
    inputs = {f"{field}_tr": bars[field] for field in FIELDS[:-1]} | {"volume_split": bars["volume"]}
    days = np.datetime64("2024-01-01") + np.arange(SESSIONS + LOOK_BACK - 1)
    made = compute_batch(BarPanel(days, MARKET, inputs), FEATURES)
    return np.stack([made[name][LOOK_BACK - 1 :] for name in NAMES], axis=-1)


def beside_a_hole() -> np.ndarray:
    """(sessions, names): a window of 60 sessions that ends here has a missing bar in its inside."""
    found = np.zeros((SESSIONS, len(MARKET)), dtype=bool)
    for session in HALTS:
        found[session : session + 60, MARKET.index("HALTED")] = True
    return found


def test_the_recorded_panel_is_the_one_the_recipe_makes() -> None:
    for field, column in panel().items():
        assert np.array_equal(RECORDED[f"panel_{field}"], column, equal_nan=True), field
    assert tuple(RECORDED["names"]) == NAMES and len(NAMES) == 158


@pytest.mark.parametrize("index", range(158), ids=NAMES)
def test_the_column_has_qlibs_values(ours: np.ndarray, index: int) -> None:
    family = NAMES[index].rstrip("0123456789") if index > 12 else NAMES[index]
    mine, theirs = ours[:, :, index], RECORDED["single"][:, :, index].astype(np.float64)
    compared = ~np.isnan(columns()["close"])
    if family in HOLES:
        compared &= ~beside_a_hole()
    assert np.array_equal(np.isnan(mine)[compared], np.isnan(theirs)[compared])
    assert np.allclose(mine[compared], theirs[compared], rtol=RELATIVE, atol=FLOAT32.get(family, 0.0), equal_nan=True)


@pytest.mark.parametrize("place", range(RECORDED["double"].shape[-1]))
def test_without_qlibs_rounding_its_formulas_are_ours(ours: np.ndarray, place: int) -> None:
    index = [at for at, name in enumerate(NAMES) if name.startswith(tuple(FLOAT32))][place]
    mine, theirs = ours[:, :, index], RECORDED["double"][:, :, place].astype(np.float64)
    there = ~np.isnan(columns()["close"])
    assert np.allclose(mine[there], theirs[there], rtol=RELATIVE, atol=0.0, equal_nan=True), NAMES[index]


def test_a_session_without_a_bar_says_nothing_where_qlib_may(ours: np.ndarray) -> None:
    gone = np.isnan(columns()["close"])
    assert np.isnan(ours[gone]).all()
    assert np.isfinite(RECORDED["single"][gone]).any()  # else the exception could go


def test_the_exceptions_of_holes_are_real(ours: np.ndarray) -> None:
    here = beside_a_hole() & ~np.isnan(columns()["close"])
    for family in HOLES:
        index = NAMES.index(f"{family}60")
        assert not np.allclose(ours[here][:, index], RECORDED["single"][here][:, index], rtol=RELATIVE), family
