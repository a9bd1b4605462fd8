"""Record Qlib's Alpha158 of the small market of `tests/test_models/alpha158_panel.py`.

    $NIGHTDESK_PEERS/qlib/bin/python -m tests.bench.peers.qlib_record

writes `tests/test_models/recorded/alpha158.npz`: the panel, Qlib's values of it, and, of the columns that its rounding
moves, its values once more with the stored fields read as float64. Qlib keeps fields as float32 and computes on with
float32: what differs between the two is its rounding and not its formulas.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

from tests.bench.peers import qlib_store
from tests.test_models.alpha158_panel import FIELDS, NAMES, SESSIONS, panel

ROUNDED = ("CORR", "CORD", "WVMA")
INTO = Path(__file__).resolve().parents[2] / "test_models" / "recorded" / "alpha158.npz"


def in_double_precision() -> None:
    """Let Qlib's file storage hand out float64; the same numbers, with room for what is computed from them."""
    from qlib.data.storage.file_storage import FileFeatureStorage

    read = FileFeatureStorage.__getitem__
    FileFeatureStorage.__getitem__ = lambda self, place: read(self, place).astype(np.float64)


def main() -> None:
    columns = panel()
    days = [str(np.datetime64("2024-01-01") + day) for day in range(SESSIONS)]
    told: dict[str, np.ndarray] = {f"panel_{field}": columns[field] for field in FIELDS}
    with tempfile.TemporaryDirectory() as folder:
        qlib_store.dump(Path(folder) / "data", days, list(NAMES), columns)
        qlib_store.start(Path(folder) / "data")
        for precision in ("single", "double"):
            if precision == "double":
                in_double_precision()
            frame = qlib_store.alpha158(days[0], days[-1])
            names = list(frame.columns)
            values = np.full((SESSIONS, len(NAMES), len(names)), np.nan, dtype=np.float32)
            session = (frame.index.get_level_values("datetime").values.astype("datetime64[D]")
                       - np.datetime64(days[0])).astype(int)
            name = [NAMES.index(one) for one in frame.index.get_level_values("instrument")]
            values[session, name] = frame.to_numpy(dtype=np.float32)
            kept = [name.startswith(ROUNDED) for name in names] if precision == "double" else slice(None)
            told[precision] = values[:, :, kept]
    np.savez_compressed(INTO, names=np.array(names), **told)
    print(json.dumps({"columns": len(names), "cells": int(np.isfinite(told["single"]).sum()),
                      "bytes": INTO.stat().st_size}))


if __name__ == "__main__":
    main()
