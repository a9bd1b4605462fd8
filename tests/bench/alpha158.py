"""Alpha158 of 500 names over 2,520 sessions, the read from Parquet included: ours, a floor, Qlib and KunQuant."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.measure import Row, apart, inputs, peak_mb, peer, timed

NAMES, SESSIONS, SEED = 500, 2520, 20
FIELDS = ("open", "high", "low", "close", "volume", "vwap")
SIZE = f"{NAMES}x{SESSIONS}"
COMPARED = 20  # names whose values are held against Qlib's
# Equal is 1e-5 relative. Qlib computes these on in float32, which costs a correlation near zero all of its digits and a
# small return most: they are held to 1e-4 absolute.
ROUNDED = ("CORR", "CORD", "WVMA")


def columns() -> dict[str, np.ndarray]:
    """A market of one factor, (names, sessions) a field; each value one that float32 holds, as Qlib keeps no other."""
    rng = np.random.default_rng(SEED)
    shape = (NAMES, SESSIONS)
    swing = rng.uniform(0.008, 0.03, (NAMES, 1))
    moves = rng.uniform(0.4, 1.6, (NAMES, 1)) * rng.normal(0, 0.008, SESSIONS) + swing * rng.normal(size=shape)
    close = rng.uniform(15, 200, (NAMES, 1)) * np.exp(np.cumsum(moves - moves.var(axis=1, keepdims=True) / 2, axis=1))
    before = np.hstack([close[:, :1], close[:, :-1]])
    open_ = before * np.exp(0.4 * swing * rng.normal(size=shape))
    high = np.maximum(open_, close) * np.exp(0.5 * swing * np.abs(rng.normal(size=shape)))
    low = np.minimum(open_, close) * np.exp(-0.5 * swing * np.abs(rng.normal(size=shape)))
    volume = np.round(np.exp(13 + rng.normal(size=(NAMES, 1)) + 0.4 * rng.normal(size=shape)))
    made = {"open": open_, "high": high, "low": low, "close": close, "volume": volume, "vwap": (open_ + close) / 2}
    return {field: values.astype(np.float32).astype(np.float64) for field, values in made.items()}


def panel_file() -> Path:
    """The panel as every one of them reads it: by name, then session."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = inputs() / f"alpha158-{SIZE}.parquet"
    if not path.exists():
        table = pa.table({"name": np.repeat(np.arange(NAMES), SESSIONS),
                          **{field: values.ravel() for field, values in columns().items()}})
        staged = path.with_suffix(".staged")
        pq.write_table(table.replace_schema_metadata({"names": str(NAMES)}), staged)
        staged.rename(path)
    return path


def ours(path: str, threads: int, runs: int) -> dict[str, Any]:
    """From the file to all columns of every session, as the store computes them."""
    import pyarrow.parquet as pq

    from models.features.alpha158.declared import FEATURES
    from models.features.compute import compute_batch
    from models.features.panel import BarPanel

    def go() -> None:
        table = pq.read_table(path, columns=list(FIELDS))
        held = {name: table[name].to_numpy().reshape(NAMES, SESSIONS).T for name in table.column_names}
        renamed = {"volume_split" if name == "volume" else f"{name}_tr": values for name, values in held.items()}
        days = np.datetime64("2015-01-01") + np.arange(SESSIONS)
        compute_batch(BarPanel(days, tuple(map(str, range(NAMES))), renamed), FEATURES, threads=threads,
                      precision=np.float32)

    took = timed(go, runs=runs)
    return {"median_s": took.median_s, "cold_s": took.cold_s, "runs": took.runs, "peak_mb": peak_mb(),
            "cpu": took.cpu_words}


def qlib_folder() -> Path:
    """The same panel as Qlib stores one."""
    from tests.bench.peers import qlib_store

    folder = inputs() / f"qlib-{SIZE}"
    if not folder.exists():
        staged = folder.with_suffix(".staged")
        shutil.rmtree(staged, ignore_errors=True)
        days = [str(day) for day in np.datetime64("2015-01-01") + np.arange(SESSIONS)]
        qlib_store.dump(staged, days, [f"N{n:04d}" for n in range(NAMES)],
                        {field: values.T for field, values in columns().items()})
        staged.rename(folder)
    return folder


def agreement(theirs: np.ndarray, names: list[str]) -> str:
    """How many columns have Qlib's values, from its first session on: to it nothing comes before the panel."""
    from models.features.alpha158.declared import FEATURES, LOOK_BACK
    from models.features.compute import compute_batch
    from models.features.panel import BarPanel

    before = np.full((LOOK_BACK - 1, COMPARED), np.nan)
    held = {field: np.vstack([before, values[:COMPARED].T]) for field, values in columns().items()}
    renamed = {"volume_split" if name == "volume" else f"{name}_tr": values for name, values in held.items()}
    days = np.datetime64("2015-01-01") + np.arange(len(held["close"]))
    mine = compute_batch(BarPanel(days, tuple(map(str, range(COMPARED))), renamed), FEATURES)
    unequal = [
        name for index, name in enumerate(names)
        if not np.allclose(mine[name][LOOK_BACK - 1 :].T, theirs[:, :, index], rtol=1e-5, equal_nan=True,
                           atol=1e-4 if name.startswith(ROUNDED) else 0.0)
    ]
    return f"{len(names) - len(unequal)} of {len(names)} columns equal Qlib's ({', '.join(unequal) or 'no exception'})"


def rows() -> list[Row]:
    path, told, values = str(panel_file()), [], inputs() / f"qlib-{SIZE}.npy"
    for width in (1, 2):
        some = str(width)
        mine = apart("alpha158", "ours", path, some, "5")
        floor = peer("floor", "peers.floor_alpha158", path, some, "5", NUMBA_NUM_THREADS="2")
        others = {
            "qlib": peer("qlib", "peers.qlib_alpha158", str(qlib_folder()), some, str(values), str(COMPARED)),
            "kunquant": peer("kunquant", "peers.kunquant_alpha158", path, some, "3"),
        }
        for name, other in others.items():
            note = f"float32 out, {width} thread(s) or process(es) each; ours {mine['cpu']}"
            if other:
                note += f"; {name} {other['runs']} run(s), {other.get('cpu', '')}, first call {other['cold_s']:.1f} s"
                note += f", {other['peak_mb']:,.0f} MB"
            if other and "columns" in other:
                note += f"; {agreement(np.load(values), other['columns'])}"
            if floor:
                note += f"; floor {floor['version']}, {floor['cpu']}, first call {floor['cold_s']:.1f} s"
            told.append(Row(
                f"alpha158/{SIZE} {width} wide", ours_s=mine["median_s"], cold_s=mine["cold_s"],
                peer=other["version"] if other else name, peer_s=other["median_s"] if other else None,
                floor_s=floor["median_s"] if floor else None, peak_mb=mine["peak_mb"], samples=mine["runs"], note=note,
            ))
    return told


if __name__ == "__main__":
    assert sys.argv[1] == "ours"
    print(json.dumps(ours(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
