"""Two versions of one feature in a bundle, the calendar, and what is fitted by night: in live as in research."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from live.tail import Tail
from models import bundle
from models.features.compute import compute_batch
from models.features.inputs import FITTED, derive, of_bars
from models.features.panel import BarPanel, FeaturePanel
from models.features.registry import named
from tests.test_live import world as here

VERSIONS = ("technical_v1:rsi", "technical_v2:rsi", "calendar_v1:next_weekday", "garch_v1:garch_vol")
PARAMETERS = dict(zip(FITTED, (0.08, 0.9, 4e-4), strict=True))


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


BAR = ("open", "high", "low", "close", "volume")


@pytest.fixture
def longer_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Long enough for their look-backs."""
    for name, value in (("PAST", 265), ("FEATURES", (*here.FEATURES, *VERSIONS))):
        monkeypatch.setattr(here, name, value)
    monkeypatch.setattr(here.World, "panel", _panel)
    for kept in (here.world, here.contents):
        kept.cache_clear()
    raw = here.world().raw
    raw.update({name: np.full(raw["close"].shape, value) for name, value in PARAMETERS.items()})
    yield
    for kept in (here.world, here.contents):
        kept.cache_clear()


def test_live_computes_the_versions_that_the_bundle_names(longer_world: None, tmp_path: Path) -> None:
    day = here.world().coming[0]
    now = dt.datetime.combine(day, dt.time(9), tzinfo=dt.UTC)
    loaded = bundle.load(bundle.current(here.publish(tmp_path)), [here.PUBLIC], 0, now)
    assert [(entry.name, entry.version) for entry in loaded.manifest.features[-4:-2]] == [("rsi", 1), ("rsi", 2)]
    tail = Tail(loaded)
    times = tail.times(day)
    assert times is not None
    made = tail.decision_panel(times, now)
    one, two, weekday, forecast = (made.column(name)[-1] for name in VERSIONS)
    assert np.isfinite(one).all() and np.isfinite(two).all() and (one != two).all()
    assert (weekday == day.weekday()).all() and (forecast > 0.1).all()
    for name, row in zip(VERSIONS, (one, two, weekday, forecast), strict=True):
        assert row.tobytes() == here.world().panel().column(name)[here.PAST - 1].tobytes()
    assert tail.as_judged(made)
    tail.append(day, {name: tuple(here.world().raw[key][here.PAST, at] for key in BAR)
                      for at, name in enumerate(here.NAMES)}, ())  # fmt: skip
    later = tail.decision_panel(tail.times(here.world().coming[1]), now)
    grown = later.column(VERSIONS[-1])[-1]  # the parameters stay, the variance moves on
    assert grown.tobytes() == here.world().panel().column(VERSIONS[-1])[here.PAST].tobytes()
