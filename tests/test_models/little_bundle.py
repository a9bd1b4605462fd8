"""A small real bundle on a planted market, packed and signed as the night does it; the network stays untrained, as
importing torch would take longer than all that is tested here."""

import datetime as dt
import json
from dataclasses import asdict
from functools import lru_cache

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models import bundle, golden
from models.features.panel import BarPanel
from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.hmm.config import HmmConfig
from models.labels import TrainingSet
from models.manifest import FeatureEntry, Manifest
from models.snapshot import SlowFeature, Snapshot
from models.strategy import Models, StrategyConfig
from tests.test_models import planted

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
STRATEGY = StrategyConfig(
    "little", hold_sessions=3,
    gbm=GbmConfig(features=planted.OWN, context=planted.MARKET[:2], rounds=8, min_leaf=40),
    gnn=GnnConfig(features=planted.OWN, hidden=4, heads=1, epochs=1, graph_window=30, sequence=5),
    hmm=HmmConfig(window=30, iterations=5),
)


def untrained_network(seed):
    from safetensors.numpy import save

    config, chance = STRATEGY.gnn, np.random.default_rng(seed)
    hidden, around = config.hidden, config.heads * (config.hidden // 2)
    shapes = {"encoder.weight": (hidden, 2 * len(config.features) + config.sequence), "encoder.bias": (hidden,),
              "attention.lin.weight": (around, hidden), "attention.att_src": (1, config.heads, config.hidden // 2),
              "attention.att_dst": (1, config.heads, config.hidden // 2), "attention.bias": (around,),
              "readout.weight": (1, hidden + around), "readout.bias": (1,)}
    weights = {name: chance.normal(0.0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    return bytes(save(weights, metadata={"config": json.dumps(asdict(config), sort_keys=True)}))


def contents(seed: int = 0) -> dict[str, bytes]:
    """Every file but manifest and signature."""
    return _contents(seed)


@lru_cache
def _contents(seed: int) -> dict[str, bytes]:
    from models.gbm.fit import fit as fit_gbm
    from models.hmm.fit import fit as fit_hmm

    panel, returns = planted.market(seed, sessions=170, names=12)
    training = TrainingSet.cut(panel, returns, np.arange(60, 165))
    weights = {"hmm.json": fit_hmm(TrainingSet.cut(panel, returns, np.arange(25, 165)), STRATEGY.hmm, 1),
               "gbm.txt": fit_gbm(training, STRATEGY.gbm, 1), "gnn.safetensors": untrained_network(seed)}
    columns = {name: np.random.default_rng(seed).uniform(10, 20, (30, 12)) for name in ("open", "close", "volume")}
    slow = SlowFeature("iv30", "SPX", 0.2, NOW, NOW, dt.timedelta(days=5))
    snapshot = Snapshot(BarPanel(panel.sessions[-31:-1], panel.names, columns), panel.select(STRATEGY.features).tail(
        STRATEGY.history + 1), tuple(f"T{i}" for i in range(12)), (slow,), np.full(12, 1e8), np.full(12, 0.02))
    fitted = Models.from_bytes(hmm=weights["hmm.json"], gbm=weights["gbm.txt"], gnn=weights["gnn.safetensors"])
    calendar = [bundle.SessionTimes(dt.date(2025, 7, day), dt.datetime(2025, 7, day, 13, 30, tzinfo=dt.UTC),
                                    dt.datetime(2025, 7, day, 20, tzinfo=dt.UTC)) for day in (1, 2, 3)]
    return {**weights, **snapshot.to_files(), "strategy.json": STRATEGY.to_json().encode(),
            "calendar.json": bundle.calendar_to_bytes(calendar), "golden.safetensors": golden.make(
                STRATEGY, fitted, Snapshot.from_files(*snapshot.to_files().values()))}


def draft(seq=3):
    return Manifest(
        seq=seq, created=NOW, expires=NOW + dt.timedelta(days=7), slot=STRATEGY.slot, strategy="little",
        strategy_key=STRATEGY.key(), rung="shadow", last_session=dt.date(2025, 6, 30),
        features=tuple(FeatureEntry(name, 1, "equity", 21) for name in STRATEGY.features), code_digest="c" * 64,
        data_snapshot={"marts/daily_bars": "d" * 64}, evidence_digest="e" * 64, files={})


def write(folder, seq=3, seed=0, key=KEY, **replaced):
    """A published folder; `replaced` swaps a file's bytes before packing, so that they are signed."""
    packed = bundle.pack({**contents(seed), **{n.replace("__", "."): d for n, d in replaced.items()}}, draft(seq),
                         key.sign)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in packed.items():
        (folder / name).write_bytes(data)
    return folder
