"""Two versions of one feature in a bundle, and the calendar: each is what its own view says, in live as in research."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from live.tail import Tail
from models import bundle
from models.features.compute import compute_batch
from models.features.inputs import derive, of_bars
from models.features.panel import BarPanel, FeaturePanel
from models.features.registry import named
from tests.test_live import world as here

VERSIONS = ("technical_v1:rsi", "technical_v2:rsi", "calendar_v1:next_weekday")


def _values(bars: BarPanel, world: here.World, name: str) -> np.ndarray:
    (feature,) = named((name,))
    read = BarPanel(bars.sessions, bars.names, of_bars(feature.cells, world.raw, bars.sessions))
    return compute_batch(read, (feature,))[feature.name]


def _panel(self: here.World) -> FeaturePanel:
    """As the world's own, with both versions beside its features."""
    days = np.array(self.sessions, "datetime64[D]")
    bars = BarPanel(days, here.NAMES, derive("equity", self.raw))
    own = {name: _values(bars, self, name) for name in here.FEATURES if name != "put_call_ratio"}
    columns = [own.get(name, np.full(bars.columns["close"].shape, 0.9)) for name in here.FEATURES]
    values = np.ascontiguousarray(np.stack(columns, axis=2)[:-1])
    return FeaturePanel(days[1:], here.NAMES, here.FEATURES, values, np.ones(values.shape[:2], dtype=bool))


@pytest.fixture
def longer_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Long enough for their look-backs."""
    for name, value in (("PAST", 215), ("FEATURES", (*here.FEATURES, *VERSIONS))):
        monkeypatch.setattr(here, name, value)
    monkeypatch.setattr(here.World, "panel", _panel)
    for kept in (here.world, here.contents):
        kept.cache_clear()
    yield
    for kept in (here.world, here.contents):
        kept.cache_clear()


def test_live_computes_the_versions_that_the_bundle_names(longer_world: None, tmp_path: Path) -> None:
    day = here.world().coming[0]
    now = dt.datetime.combine(day, dt.time(9), tzinfo=dt.UTC)
    loaded = bundle.load(bundle.current(here.publish(tmp_path)), [here.PUBLIC], 0, now)
    assert [(entry.name, entry.version) for entry in loaded.manifest.features[-3:-1]] == [("rsi", 1), ("rsi", 2)]
    tail = Tail(loaded)
    times = tail.times(day)
    assert times is not None
    made = tail.decision_panel(times, now)
    one, two, weekday = (made.column(name)[-1] for name in VERSIONS)
    assert np.isfinite(one).all() and np.isfinite(two).all() and (one != two).all()
    assert (weekday == day.weekday()).all()
    for name, row in zip(VERSIONS, (one, two, weekday), strict=True):
        assert row.tobytes() == here.world().panel().column(name)[here.PAST - 1].tobytes()
    assert tail.as_judged(made)
