"""A market of seven names and a hand-made signed bundle on it: real kernels, real formats, small fitted models."""

import datetime as dt
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from live.adapters.tape import schema
from live.ports import Action
from models import bundle as bundle_module
from models import golden
from models.bundle import SessionTimes
from models.features.compute import compute_batch
from models.features.inputs import derive
from models.features.panel import BarPanel, FeaturePanel
from models.features.registry import named
from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.hmm.config import STATES, HmmConfig
from models.manifest import FeatureEntry, Manifest
from models.market.liquidity import known_before
from models.snapshot import SlowFeature, Snapshot
from models.strategy import Models, StrategyConfig
from pipelines import calendars

NAMES = tuple(f"BBG00000000{letter}" for letter in "ABCDEFG")
SYMBOLS = tuple(f"T{letter}" for letter in "ABCDEFG")
PAST, COMING = 70, 5
MINUTES = (0, 1, 2, 3, 6, 61, 200, 389)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
FEATURES = ("ret_1", "ret_5", "zscore_20", "rsi_14", "volume_z_20", "rank_ret_5", "mkt_ret_1", "mkt_vol_20",
            "mkt_volume_z", "put_call_ratio")
STRATEGY = StrategyConfig(
    name="hand-made", hold_sessions=3, max_weight=0.3,
    gbm=GbmConfig(features=("ret_5", "zscore_20", "rsi_14"), context=("mkt_ret_1", "put_call_ratio")),
    gnn=GnnConfig(features=("ret_5", "volume_z_20"), graph_window=20, neighbours=2, sequence=5, hidden=4),
    hmm=HmmConfig(window=20),
)


@dataclass(frozen=True)
class World:
    """Raw bars of all sessions, minutes of the coming ones, and what was known when."""

    sessions: tuple[dt.date, ...]
    minutes: np.ndarray  # (COMING, names, MINUTES, OHLCV)
    raw: dict[str, np.ndarray]
    actions: tuple[Action, ...]

    @property
    def coming(self) -> tuple[dt.date, ...]:
        return self.sessions[PAST:]

    def panel(self) -> FeaturePanel:
        """Every decision of the world in one batch: decision s reads bars up to s − 1."""
        own = tuple(name for name in FEATURES if name != "put_call_ratio")
        days = np.array(self.sessions, "datetime64[D]")
        made = compute_batch(BarPanel(days, NAMES, derive("equity", self.raw)), named(own))
        columns = [made[name] if name in made else np.full((len(days), len(NAMES)), 0.9) for name in FEATURES]
        values = np.ascontiguousarray(np.stack(columns, axis=2)[:-1])
        return FeaturePanel(days[1:], NAMES, FEATURES, values, np.ones(values.shape[:2], dtype=bool))


@cache
def world(seed: int = 5) -> World:
    """A split and a dividend go ex on the third coming session."""
    rng = np.random.default_rng(seed)
    sessions = tuple(calendars.next_sessions(dt.date(2025, 3, 14), PAST + COMING))
    count, size = len(sessions), len(NAMES)
    closes = 80.0 * np.exp(np.cumsum(rng.normal(0.0, 0.015, (count, size)), axis=0)) * np.linspace(0.5, 2.0, size)
    opens = closes * np.exp(rng.normal(0.0, 0.005, (count, size)))
    volume = rng.integers(1_000_000, 4_000_000, (count, size)).astype(float)
    split = np.ones((count, size))
    split[PAST + 2 :, 1] = 2.0
    reach = np.maximum(opens, closes) * 1.004, np.minimum(opens, closes) * 0.996
    bars = np.round(np.stack([opens, *reach, closes]) / split, 2)
    minutes = np.stack([_minutes(rng, bars[:, s], volume[s]) for s in range(PAST, count)])
    raw = dict(zip(("open", "high", "low", "close"), bars, strict=True)) | {"volume": volume}
    raw["high"][PAST:], raw["low"][PAST:] = minutes[..., 1].max(axis=2), minutes[..., 2].min(axis=2)
    cash = 0.5
    total = split.copy()
    total[PAST + 2 :, 3] *= raw["close"][PAST + 1, 3] / (raw["close"][PAST + 1, 3] - cash)
    ex_date = sessions[PAST + 2]
    return World(sessions, minutes, {**raw, "split_factor": split, "total_return_factor": total},
                 (Action(NAMES[1], ex_date, "split", 2.0), Action(NAMES[3], ex_date, "dividend", cash)))


def _minutes(rng: np.random.Generator, day: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """(names, MINUTES, OHLCV) that open and close as the day does and whose volumes add up to it."""
    share = np.linspace(0.0, 1.0, len(MINUTES))
    ends = day[0][:, None] + (day[3] - day[0])[:, None] * share
    ends[:, :-1] = np.round(ends[:, :-1] * np.exp(rng.normal(0.0, 0.001, ends[:, :-1].shape)), 2)
    starts = np.concatenate([day[0][:, None], ends[:, :-1]], axis=1)
    parts = np.full(ends.shape, np.floor(volume / len(MINUTES))[:, None])
    parts[:, 0] += volume - parts.sum(axis=1)
    return np.stack([starts, np.maximum(starts, ends) + 0.01, np.minimum(starts, ends) - 0.01, ends, parts], axis=2)


def models_bytes(panel: FeaturePanel, strategy: StrategyConfig = STRATEGY) -> dict[str, bytes]:
    """Small fits and plausible weights; nobody asks them to be good."""
    import lightgbm
    from safetensors.numpy import save

    from models.gbm.score import ACROSS, RAW, session_inputs

    rng = np.random.default_rng(1)
    config = strategy.gbm
    inputs = np.vstack([session_inputs(panel, row, config.features, config.context)[1] for row in range(25, 65)])
    labels = inputs[:, 0] * 0.5 + rng.normal(size=len(inputs))
    columns = [ACROSS + name for name in config.features] + [RAW + name for name in config.context]
    data = lightgbm.Dataset(inputs, labels, feature_name=columns, params={"verbosity": -1, "num_threads": 1})
    rules = {"objective": "regression", "num_leaves": 4, "min_data_in_leaf": 10, "num_threads": 1, "verbosity": -1,
             "deterministic": True, "seed": 1}
    booster = lightgbm.train(rules, data, num_boost_round=12)
    states, width = len(STATES), len(strategy.hmm.features)
    hmm = {
        "states": list(STATES), "features": list(strategy.hmm.features), "window": strategy.hmm.window,
        "centre": [0.0, 0.2, 0.0], "scale": [0.01, 0.05, 1.0],
        "transitions": (0.9 * np.eye(states) + 0.025).tolist(), "stationary": [0.25] * states,
        "means": rng.normal(0.0, 1.0, (states, width)).tolist(),
        "covariances": np.stack([np.eye(width)] * states).tolist(),
    }
    gnn = strategy.gnn
    channels, inputs_width = gnn.hidden // 2, 2 * len(gnn.features) + gnn.sequence
    shapes = {
        "encoder.weight": (gnn.hidden, inputs_width), "encoder.bias": (gnn.hidden,),
        "attention.lin.weight": (gnn.heads * channels, gnn.hidden), "attention.att_src": (1, gnn.heads, channels),
        "attention.att_dst": (1, gnn.heads, channels), "attention.bias": (gnn.heads * channels,),
        "readout.weight": (1, gnn.hidden + gnn.heads * channels), "readout.bias": (1,),
    }
    weights = {name: rng.normal(0.0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    metadata = {"config": json.dumps(asdict(gnn), sort_keys=True)}
    return {"gbm.txt": booster.model_to_string().encode(), "hmm.json": json.dumps(hmm).encode(),
            "gnn.safetensors": bytes(save(weights, metadata=metadata))}


@cache
def contents() -> dict[str, bytes]:
    """The files of a bundle that knows the world's past."""
    here = world()
    panel = here.panel()
    known = panel.upto(PAST)  # decisions of sessions 1 … PAST, the first coming one among them
    raw = {name: np.ascontiguousarray(values[:PAST]) for name, values in here.raw.items()}
    days = np.array(here.sessions, "datetime64[D]")
    adv, vol = known_before(here.raw["close"], here.raw["volume"], here.raw["total_return_factor"])
    last = calendars.close_at(here.sessions[PAST - 1])
    slow = SlowFeature("put_call_ratio", "SPX", 0.9, last, last, dt.timedelta(days=30))
    snapshot = Snapshot(BarPanel(days[:PAST], NAMES, raw), known.tail(STRATEGY.history), SYMBOLS, (slow,), adv[PAST],
                        vol[PAST])
    files = models_bytes(known)
    models = Models.from_bytes(hmm=files["hmm.json"], gbm=files["gbm.txt"], gnn=files["gnn.safetensors"])
    calendar = [SessionTimes(day, calendars.open_at(day), calendars.close_at(day))
                for day in calendars.next_sessions(here.sessions[PAST - 1], 20)]
    return {**files, **snapshot.to_files(), "strategy.json": STRATEGY.to_json().encode(),
            "calendar.json": bundle_module.calendar_to_bytes(calendar),
            "golden.safetensors": golden.make(STRATEGY, models, snapshot)}


def publish(folder: Path, *, seq: int = 1, expires: dt.datetime | None = None, rung: str = "shadow",
            share: float = 1.0) -> Path:
    """Write a signed bundle and point to it; the folder that `replay` takes."""
    here = world()
    closes = calendars.close_at(here.coming[-1])
    draft = Manifest(
        seq=seq, created=calendars.close_at(here.sessions[PAST - 1]), expires=expires or closes, slot=STRATEGY.slot,
        strategy=STRATEGY.name, strategy_key=STRATEGY.key(), rung=rung, last_session=here.sessions[PAST - 1],
        features=tuple(FeatureEntry(f.name, f.version, f.family, f.look_back) for f in named(FEATURES)),
        code_digest="0" * 64, data_snapshot={"daily_bars": "1" * 64}, evidence_digest="2" * 64, files={},
        capital_share=share,
    )
    packed = bundle_module.pack(contents(), draft, PRIVATE.sign)
    digest = Manifest.from_bytes(packed["manifest.json"]).digest
    target = folder / f"{seq:06d}-{digest[:12]}"
    target.mkdir(parents=True)
    for name, data in packed.items():
        (target / name).write_bytes(data)
    (folder / "current").write_text(target.name + "\n")
    return folder


def tape(path: Path, first: int = 0, count: int = 1, *, without: tuple[str, ...] = ()) -> Path:
    """A tape of coming sessions `first` … with their actions; some names may be missing."""
    here = world()
    rows = []
    for s in range(first, first + count):
        opened = calendars.open_at(here.coming[s])
        for place, minute in enumerate(MINUTES):
            for index, name in enumerate(NAMES):
                if name not in without:
                    start = opened + dt.timedelta(minutes=minute)
                    rows.append((name, SYMBOLS[index], here.coming[s], start, *here.minutes[s, index, place].tolist()))
    days = [here.coming[s] for s in range(first, first + count)]
    kind = schema({day: [action for action in here.actions if action.ex_date == day] for day in days})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table([pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), kind,
                                                                                   strict=True)], schema=kind), path)
    return path
