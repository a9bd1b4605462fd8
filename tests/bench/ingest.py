"""Flat files into the lake: kept by hash, checked, versioned on two clocks; beside it a bare reader of the bytes."""

import datetime as dt
import gzip
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines import calendars, settings
from pipelines.home import Home
from tests.bench.measure import Row, apart, inputs, peak_mb

NAMES, DAYS, RUNS = 600, 4, 5
MINUTES = 390
HEADER = "ticker,volume,open,close,high,low,window_start,transactions"
NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)


def flat_files() -> Path:
    """Minute files of whole sessions, written once."""
    import numpy as np

    folder = inputs() / f"flatfiles-{NAMES}x{DAYS}"
    if folder.exists():
        return folder
    chance = np.random.default_rng(7)
    half_made = folder.with_name(f"{folder.name}.half")
    for day in calendars.sessions(dt.date(2025, 6, 2), dt.date(2025, 6, 30))[:DAYS]:
        opened, lines = int(calendars.open_at(day).timestamp()), [HEADER]
        for name in range(NAMES):
            prices = np.round(50 * np.exp(np.cumsum(chance.normal(0, 0.0005, MINUTES + 1))), 2)
            volumes = chance.integers(100, 90_000, MINUTES)
            for minute, (first, last, volume) in enumerate(zip(prices, prices[1:], volumes, strict=False)):
                start = (opened + 60 * minute) * 1_000_000_000
                lines.append(f"T{name:04d},{volume},{first},{last},{max(first, last)},{min(first, last)},{start},"
                             f"{volume // 100}")  # fmt: skip
        path = half_made / f"polygon/flatfiles/us_stocks_sip/minute_aggs_v1/{day:%Y}/{day:%m}/{day}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode(), 6, mtime=0))
    half_made.rename(folder)
    return folder


@contextmanager
def empty_home() -> Iterator[Home]:
    root = Path(tempfile.mkdtemp(prefix="nightdesk-bench-"))
    try:
        yield Home(root).prepare()
    finally:
        shutil.rmtree(root)


def ours(folder: Path) -> int:
    from pipelines.lake.ingest import ingest
    from pipelines.lake.sources import FilesSource

    with empty_home() as home:
        given = {"home": str(home.root), "source": f"files:{folder}"}
        chosen = settings.load(given, environment={"NIGHTDESK_HOME": "no-home"})
        return ingest(chosen, home, NOW, FilesSource(folder)).rows["equity_minutes"]


def floor(folder: Path) -> int:
    """What a script would do: read, keep nothing, check nothing."""
    import duckdb

    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(f"create table bars as select * from read_csv('{folder}/**/*.csv.gz')")
        return int(connection.execute("select count(*) from bars").fetchall()[0][0])


def main() -> None:
    """Ours alone, for the peak of its memory."""
    import json

    folder = flat_files()
    count = ours(folder)
    print(json.dumps({"rows": count, "peak_mb": peak_mb()}))


def rows() -> list[Row]:
    folder = flat_files()
    cold = timed_once(ours, folder)
    counted = [floor(folder), ours(folder)]
    assert counted[0] == counted[1] == NAMES * DAYS * MINUTES, counted
    # By turns, so that a busy minute of the machine falls on both.
    turns = [(timed_once(ours, folder), timed_once(floor, folder)) for _ in range(RUNS)]
    mine, plain = (statistics.median(seconds) for seconds in zip(*turns, strict=True))
    alone = apart("ingest")
    return [Row(
        "ingest/flat_minutes", mine, cold, None, None, plain, alone["peak_mb"], RUNS,
        f"{counted[0]:,} rows, {counted[0] / mine:,.0f} rows/s, {mine / plain:.1f} times duckdb read_csv; bodies "
        "kept and synced, every row checked and on two clocks",
    )]  # fmt: skip


def timed_once(work: Callable[[Path], object], folder: Path) -> float:
    start = time.perf_counter()
    work(folder)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
