"""Reading the newest 20 features of 500 names: Feast's online store on SQLite and on Redis, and live's own path.

Live reads no server: the bundle's snapshot brought the rows, its tail grew them, and a decision takes its own of them.
Target: live's path under 2 ms in 99 of 100 reads. Every figure ends with a dict of lists, as Feast answers.
"""

import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tests.bench.measure import Row, peak_mb
from tests.bench.pit_data import COLUMNS, NAMES, made
from tests.bench.pit_store import VIEW, feast_store

READS_FEAST, READS_LIVE, WARM = 60, 2_000, 5
TARGET_MS = 2.0


@contextmanager
def _redis() -> Iterator[dict[str, Any] | None]:
    """Feast's settings of a Redis server of our own; None where the package redis-server is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", tempfile.gettempdir()]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if "Ready to accept connections" in line:
                break
        try:
            yield {"type": "redis", "connection_string": f"127.0.0.1:{port}"}
        finally:
            server.terminate()


def _times(read: Callable[[], object], reads: int) -> tuple[float, list[float], list[float]]:
    """The first read, then the sorted wall and processor seconds of the others."""
    begun = time.perf_counter()
    read()
    cold, wall, used = time.perf_counter() - begun, [], []
    for _ in range(WARM + reads):
        begun, before = time.perf_counter(), time.thread_time()
        read()
        wall.append(time.perf_counter() - begun)
        used.append(time.thread_time() - before)
    return cold, sorted(wall[WARM:]), sorted(used[WARM:])


def _feast(online: dict[str, Any] | None, newest: Any) -> tuple[float, list[float], list[float]]:
    store = feast_store(str(made()[0]), list(COLUMNS), "pipelines.store.offline.TwoClockOfflineStore", online)
    store.write_to_online_store(VIEW, newest)
    refs = [f"{VIEW}:{column}" for column in COLUMNS]
    asked = [{"symbol": name} for name in newest["symbol"]]
    return _times(lambda: store.get_online_features(refs, asked).to_dict(), READS_FEAST)


def _live(newest: Any) -> tuple[float, list[float], list[float]]:
    """A snapshot as a bundle brings it, read from its bytes; then the row of a decision out of the tail's panel."""
    from models.features.panel import BarPanel, FeaturePanel
    from models.snapshot import Snapshot

    names, history = tuple(newest["symbol"]), 120
    values = np.ascontiguousarray(np.broadcast_to(newest[list(COLUMNS)].to_numpy(), (history, NAMES, len(COLUMNS))))
    days = np.datetime64("2024-01-01") + np.arange(history)
    panel = FeaturePanel(days, names, COLUMNS, values, np.ones((history, NAMES), dtype=bool))
    bars = BarPanel(days, names, {"close": np.ones((history, NAMES))})
    files = Snapshot(bars, panel, names, (), np.ones(NAMES), np.ones(NAMES)).to_files()
    held = Snapshot.from_files(files["snapshot.safetensors"], files["snapshot.json"]).panel
    wanted = COLUMNS[::-1]

    def read() -> dict[str, list[Any]]:
        row = held.tail(1).select(wanted)
        return {"symbol": list(row.names), **dict(zip(row.features, row.values[0].T.tolist(), strict=True))}

    assert read()[COLUMNS[3]] == newest[COLUMNS[3]].tolist()
    return _times(read, READS_LIVE)


def _rows(name: str, cold: float, taken: list[float], peers: dict[str, list[float]], note: str) -> Iterator[Row]:
    for words, share in (("median", 0.5), ("p99", 0.99)):
        for peer, theirs in peers.items():
            yield Row(f"{name} {words}", ours_s=taken[int(share * len(taken))], cold_s=cold, peer=peer,
                      peer_s=theirs[min(len(theirs) - 1, int(share * len(theirs)))], peak_mb=peak_mb(),
                      samples=len(taken), note=note)  # fmt: skip


def rows() -> list[Row]:
    import pandas as pd

    warnings.simplefilter("ignore")
    newest = pd.read_parquet(made()[0]).groupby("symbol", sort=True).tail(1).reset_index(drop=True)
    live = _live(newest)
    peers = {"feast 0.67 on sqlite": _feast(None, newest)[1]}
    with _redis() as online:
        if online is not None:
            peers["feast 0.67 on redis"] = _feast(online, newest)[1]
    missed = sum(seconds * 1e3 > TARGET_MS for seconds in live[1]) / len(live[1])
    used_ms = live[2][int(0.99 * len(live[2]))] * 1e3
    note = (f"in process, dict of lists out, {READS_FEAST} reads of Feast; live's processor time p99 {used_ms:.2f} ms, "
            f"{missed:.1%} of its reads beyond {TARGET_MS:g} ms of wall")  # fmt: skip
    return list(_rows(f"online_read/{NAMES} x {len(COLUMNS)}", live[0], live[1], peers, note))
