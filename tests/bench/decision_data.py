"""A bundle of any number of names with small fitted models of all three families, as `live` would load it."""

import datetime as dt
from functools import cache
from pathlib import Path

import numpy as np

from models import bundle as bundle_module
from models import golden
from models.bundle import SessionTimes
from models.features.compute import compute_batch
from models.features.inputs import derive
from models.features.panel import BarPanel, FeaturePanel
from models.features.registry import named
from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.hmm.config import HmmConfig
from models.manifest import FeatureEntry, Manifest
from models.market.liquidity import known_before
from models.snapshot import Snapshot
from models.strategy import Models, StrategyConfig
from tests.test_live.world import PRIVATE, models_bytes

FEATURES = ("ret_1", "ret_5", "zscore_20", "rsi_14", "volume_z_20", "rank_ret_5", "mkt_ret_1", "mkt_vol_20",
            "mkt_volume_z")
PAST = 150
FIRST = dt.date(2025, 7, 1)
OPENS = dt.time(13, 30)


def strategy() -> StrategyConfig:
    return StrategyConfig(
        name="measured", hold_sessions=3, max_weight=0.3,
        gbm=GbmConfig(features=("ret_5", "zscore_20", "rsi_14"), context=("mkt_ret_1",)),
        gnn=GnnConfig(features=("ret_5", "volume_z_20"), graph_window=20, neighbours=2, sequence=5, hidden=4),
        hmm=HmmConfig(window=60))


@cache
def calendar() -> tuple[SessionTimes, ...]:
    days = np.busday_offset(FIRST, np.arange(60), roll="forward").astype(object)
    opens = [dt.datetime.combine(day, OPENS, tzinfo=dt.UTC) for day in days]
    return tuple(SessionTimes(at.date(), at, at + dt.timedelta(minutes=390)) for at in opens)


def day_bars(bars: BarPanel, session: dt.date) -> dict[str, tuple[float, float, float, float, float]]:
    """A further session of these names, as live sees it: prices move on from the newest that the bundle brought."""
    close = bars.columns["close"][-1] * np.exp(np.random.default_rng(session.toordinal()).normal(0.0, 0.01, len(
        bars.names)))
    told = (close * 0.999, close * 1.002, close * 0.998, close, bars.columns["volume"][-1])
    return dict(zip(bars.names, zip(*(column.tolist() for column in told), strict=True), strict=True))


def publish(folder: Path, count: int) -> Path:
    """Write the bundle and point to it."""
    names = tuple(f"BBG{number:09d}" for number in range(count))
    chance = np.random.default_rng(7)
    days = np.busday_offset(FIRST, np.arange(-PAST, 0), roll="forward").astype("datetime64[D]")
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0, 0.01, (PAST, count)), axis=0))
    opens = close * np.exp(chance.normal(0.0, 0.003, close.shape))
    raw = {"open": opens, "high": np.maximum(opens, close) * 1.002, "low": np.minimum(opens, close) * 0.998,
           "close": close, "volume": chance.integers(2_000_000, 9_000_000, close.shape).astype(float),
           "split_factor": np.ones_like(close), "total_return_factor": np.ones_like(close)}
    made = compute_batch(BarPanel(days, names, derive("equity", raw)), named(FEATURES))
    values = np.ascontiguousarray(np.stack([made[name] for name in FEATURES], axis=2))
    decided = np.append(days[1:], np.datetime64(FIRST))
    panel = FeaturePanel(decided, names, FEATURES, values, np.ones(values.shape[:2], dtype=np.bool_))
    chosen = strategy()
    learnt = panel if count > 3 else _wide(panel)
    files = models_bytes(learnt, chosen)
    models = Models.from_bytes(hmm=files["hmm.json"], gbm=files["gbm.txt"], gnn=files["gnn.safetensors"])
    adv, vol = known_before(raw["close"], raw["volume"], raw["total_return_factor"])
    snapshot = Snapshot(BarPanel(days, names, raw), panel.tail(chosen.history), names, (), adv[-1], vol[-1])
    contents = {**files, **snapshot.to_files(), "strategy.json": chosen.to_json().encode(),
                "calendar.json": bundle_module.calendar_to_bytes(calendar()),
                "golden.safetensors": golden.make(chosen, models, snapshot)}
    draft = Manifest(
        seq=1, created=calendar()[0].open_at - dt.timedelta(hours=6), expires=calendar()[-1].close_at,
        slot=chosen.slot, strategy=chosen.name, strategy_key=chosen.key(), rung="shadow",
        last_session=days[-1].astype(object),
        features=tuple(FeatureEntry(one.name, one.version, one.family, one.look_back) for one in named(FEATURES)),
        code_digest="0" * 64, data_snapshot={}, evidence_digest="0" * 64, files={})
    packed = bundle_module.pack(contents, draft, PRIVATE.sign)
    target = folder / f"000001-{Manifest.from_bytes(packed['manifest.json']).digest[:12]}"
    target.mkdir(parents=True)
    for name, data in packed.items():
        (target / name).write_bytes(data)
    (folder / "current").write_text(target.name + "\n")
    return target


def _wide(panel: FeaturePanel) -> FeaturePanel:
    """The same name many times with a little noise: a booster needs rows to learn from."""
    chance = np.random.default_rng(8)
    values = np.repeat(panel.values, 8, axis=1)
    return FeaturePanel(panel.sessions, tuple(f"{name}{copy}" for name in panel.names for copy in range(8)),
                        panel.features, values + chance.normal(0.0, 0.01, values.shape),
                        np.repeat(panel.tradable, 8, axis=1))
