"""Trees on minutes (`Target_5m`), where `training.target_5m` asks for them: walked forward, counted as a diagnostic,
and left as a text model that `MLStrategy` loads. Nothing is promoted from here."""

import datetime as dt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.gbm.intraday import TARGET_5M, MinuteBars, minute_panel
from models.gbm.score import GbmModel
from models.labelling.bets import RISE
from models.labels import TrainingSet, label_lives
from models.options import told as told_of
from models.splits import WalkForwardValidator
from pipelines import durable
from pipelines.digest import json_digest
from pipelines.evidence.ledger import Ledger, Trial
from pipelines.home import Home
from pipelines.training.cache import fitted

Floats = NDArray[np.float64]
TARGET = "intraday: rises above the next minute's open by a stated share within 5 minutes, tradable equities"
FIRST_SHARE, FOLDS, BINS = 0.6, 3, 10
FEWEST_MINUTES = 240
COLUMNS = ("open", "high", "low", "close", "volume")


def read_minutes(home: Home, now: dt.datetime) -> MinuteBars | None:
    """Every minute bar known by `now`; None where there is none."""
    from pipelines.lake.marts import connect

    con = connect(home, as_of=now)
    try:
        told = con.sql(f"select instrument_id, bar_start, session, {', '.join(COLUMNS)} from minute_bars "
                       "order by bar_start, instrument_id").to_arrow_table()
    finally:
        con.close()
    if not told.num_rows:
        return None
    held = {name: told[name].to_numpy() for name in told.column_names}
    starts, row = np.unique(held["bar_start"].astype("datetime64[m]"), return_inverse=True)
    names, column = np.unique(held["instrument_id"].astype(str), return_inverse=True)
    sessions = np.empty(len(starts), dtype="datetime64[D]")
    sessions[row] = held["session"].astype("datetime64[D]")
    grids = {}
    for name in COLUMNS:
        grids[name] = np.full((len(starts), len(names)), np.nan)
        grids[name][row, column] = held[name]
    return MinuteBars(starts, sessions, tuple(names.tolist()), *(grids[name] for name in COLUMNS))


def train(home: Home, seed: int, now: dt.datetime, rise: float = RISE) -> dict[str, Any]:
    """The section `target_5m`: what was fitted and how it did out of sample, or why nothing was."""
    bars = read_minutes(home, now)
    return learn(home, bars, seed, now, rise)


def learn(home: Home, bars: MinuteBars | None, seed: int, now: dt.datetime, rise: float = RISE) -> dict[str, Any]:
    """The same of bars that are at hand."""
    if bars is None or len(bars.starts) < FEWEST_MINUTES:
        count = 0 if bars is None else len(bars.starts)
        return {"skipped": f"Target_5m was not trained: {count} minutes of bars, and it wants {FEWEST_MINUTES}."}
    panel, targets = minute_panel(bars, rise=rise)
    first = int(len(bars.starts) * FIRST_SHARE)
    walk = WalkForwardValidator(first, max(1, -(-(len(bars.starts) - first) // FOLDS)))
    splits = walk.generate_splits(label_lives(len(bars.starts), TARGET_5M.label_rows))
    key = json_digest([told_of(TARGET_5M), rise])
    try:
        fits = [fitted(home, "gbm", TrainingSet.cut(panel, targets, split.train), TARGET_5M, seed) for split in splits]
        last = fitted(home, "gbm", TrainingSet.cut(panel, targets, np.arange(len(targets))), TARGET_5M, seed)
    except ValueError as why:
        return {"skipped": f"Target_5m was not trained: {why}."}
    Ledger(home.ledger).register_many(
        [Trial("diagnostic", TARGET, key, seed, {"fit": one.digest, "minutes": len(bars.starts)}) for one in fits], now)
    models = [GbmModel.from_bytes(one.data) for one in fits]
    said, came = _out_of_sample(panel, targets, models, [split.test for split in splits])
    path = home.work / "target_5m" / "model.txt"
    durable.write_atomic(path, last.data, failpoint="target_5m")
    return {"rise": rise, "model": str(path.relative_to(home.root)), "digest": last.digest, "minutes": len(bars.starts),
            "sessions": len(np.unique(bars.sessions)), "cached": all(one.cached for one in (*fits, last)),
            "folds": [{"first_minute": str(bars.starts[split.test[0]]), "last_minute": str(bars.starts[split.test[-1]]),
                       "train_rows": one.train_rows, "seconds": one.seconds}
                      for split, one in zip(splits, fits, strict=True)],
            **figures(said, came)}


def _out_of_sample(
    panel: FeaturePanel, targets: Floats, models: list[GbmModel], tests: list[NDArray[np.intp]]
) -> tuple[Floats, Floats]:
    """What was said before each minute that was judged, and what came."""
    said, came = [], []
    for model, rows in zip(models, tests, strict=True):
        for row in rows:
            told = model.score(panel, int(row))
            both = np.isfinite(told) & np.isfinite(targets[row])
            said.append(told[both])
            came.append(targets[row][both])
    return np.concatenate(said), np.concatenate(came)


def figures(said: Floats, came: Floats) -> dict[str, Any]:
    """Brier's score beside that of always saying the share, the area under the ROC curve, and calibration by tenths of
    what was said."""
    count, yes = len(came), float(came.sum())
    if not count:
        return {"rows": 0}
    order = np.argsort(said, kind="stable")
    rank = np.empty(count)
    _, tied, sizes = np.unique(said[order], return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    rank[order] = (ends - (sizes - 1) / 2.0)[tied]
    pairs = yes * (count - yes)
    share = yes / count
    return {
        "rows": count, "share": share, "brier": float(((said - came) ** 2).mean()),
        "brier_of_share": share * (1.0 - share),
        "auc": (float(rank[came > 0.5].sum()) - yes * (yes + 1.0) / 2.0) / pairs if pairs else None,
        "calibration": [{"said": float(said[part].mean()), "came": float(came[part].mean()), "rows": len(part)}
                        for part in np.array_split(order, BINS) if len(part)],
    }
