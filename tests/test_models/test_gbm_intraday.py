"""Minutes as a panel: every column from its own session and no later minute; Target_5m learned where it can be."""

from dataclasses import replace

import numpy as np
import pytest

from models.gbm.fit import fit
from models.gbm.intraday import OWN, SHARED, TARGET_5M, MinuteBars, minute_panel
from models.gbm.score import GbmModel
from models.labels import TrainingSet

MINUTES, NAMES, RISE = 120, 8, 0.002


def tape(seed=1, sessions=3):
    """Names whose moves go on for a while: after a rise, another is likelier."""
    rng = np.random.default_rng(seed)
    rows = MINUTES * sessions
    moves = 0.0008 * rng.standard_normal((rows, NAMES))
    for row in range(1, rows):
        moves[row] += 0.6 * moves[row - 1]
    closes = 50.0 * np.exp(np.cumsum(moves, axis=0))
    opens = closes * np.exp(-moves / 2)
    highs, lows = np.maximum(opens, closes) * 1.0002, np.minimum(opens, closes) * 0.9998
    volumes = rng.integers(1, 900, (rows, NAMES)).astype(float)
    silent = rng.random((rows, NAMES)) < 0.03
    for prices in (opens, highs, lows, closes, volumes):
        prices[silent] = np.nan
    days = np.repeat(np.arange(sessions), MINUTES).astype("datetime64[D]")
    starts = days.astype("datetime64[m]") + np.tile(np.arange(MINUTES), sessions) + 810
    return MinuteBars(starts, days, tuple("ABCDEFGH"), opens, highs, lows, closes, volumes)


@pytest.fixture(scope="module")
def bars():
    return tape()


def with_rows(bars, rows, change):
    changed = {name: getattr(bars, name).copy() for name in ("opens", "highs", "lows", "closes", "volumes")}
    for values in changed.values():
        values[rows] = change(values[rows])
    return replace(bars, **changed)


def test_a_later_minute_changes_no_earlier_row(bars):
    before, _ = minute_panel(bars)
    after, _ = minute_panel(with_rows(bars, slice(200, None), lambda values: values * 3.0))
    assert np.array_equal(before.values[:200], after.values[:200], equal_nan=True)
    assert not np.array_equal(before.values[200], after.values[200], equal_nan=True)


def test_a_session_knows_nothing_of_the_one_before(bars):
    before, _ = minute_panel(bars)
    after, _ = minute_panel(with_rows(bars, slice(0, MINUTES), lambda values: values * 3.0))
    assert np.array_equal(before.values[MINUTES:], after.values[MINUTES:], equal_nan=True)
    assert np.isnan(before.values[MINUTES, :, OWN.index("move_1m")]).all()  # the first minute has none before it


def test_columns_are_what_they_say(bars):
    panel, targets = minute_panel(bars, rise=RISE)
    at, name = 60, 2
    seen = bars.closes[:90, name]
    closes = np.array([seen[: row + 1][np.isfinite(seen[: row + 1])][-1] for row in range(90)])  # the last there was
    told = dict(zip(panel.features, panel.values[at, name], strict=True))
    assert told["move_5m"] == pytest.approx(closes[at] / closes[at - 5] - 1.0)
    assert told["move_15m"] == pytest.approx(closes[at] / closes[at - 15] - 1.0)
    assert told["minute"] == at
    moves = closes[1:] / closes[:-1] - 1.0
    assert told["volatility_15m"] == pytest.approx(np.sqrt((moves[at - 15 : at] ** 2).mean()))
    volume, close = (np.nan_to_num(part[: at + 1, name]) for part in (bars.volumes, bars.closes))
    assert told["vwap_gap"] == pytest.approx(closes[at] / ((volume * close).sum() / volume.sum()) - 1.0)
    fill, after = bars.opens[at + 1, name], bars.highs[at + 1 : at + 6, name]
    assert targets[at, name] == (np.nanmax(after) / fill - 1.0 > RISE) or np.isnan(fill)
    assert np.isnan(targets[MINUTES - 5 : MINUTES]).all()  # what the session has no time for is no label


def test_trees_on_minutes_learn_what_goes_on_and_say_it_as_a_chance(bars):
    panel, targets = minute_panel(bars, rise=RISE)
    cut = 2 * MINUTES
    data = fit(TrainingSet.cut(panel, targets, np.arange(cut - 6)), TARGET_5M, 1)
    model = GbmModel.from_bytes(data)
    assert model.features == OWN and model.context == SHARED
    said = np.array([model.score(panel, row) for row in range(cut, len(targets))])
    both = np.isfinite(said) & np.isfinite(targets[cut:])
    said, came = said[both], targets[cut:][both]
    assert ((said > 0.0) & (said < 1.0)).all()
    assert said[came == 1.0].mean() > said[came == 0.0].mean() + 0.02
    assert ((said - came) ** 2).mean() < came.mean() * (1.0 - came.mean())


def test_a_rise_that_never_comes_is_refused_in_words(bars):
    panel, targets = minute_panel(bars, rise=0.5)
    with pytest.raises(ValueError, match="nothing tells yes from no"):
        fit(TrainingSet.cut(panel, targets, np.arange(200)), TARGET_5M, 1)
