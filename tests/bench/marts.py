"""All marts anew for 600 names over ten years, and what their layout costs a reader of one name and of one session."""

import datetime as dt
import shutil
import time
from pathlib import Path

from pipelines import settings
from pipelines.home import Home
from tests.bench.measure import Row, apart, inputs, peak_mb, timed

SIZES = {"scale": "true"}
RUNS = 7


def lake() -> tuple[Home, dt.datetime]:
    """The embedded market of scale, landed once; a later run finds it."""
    from pipelines import sandbox
    from pipelines.lake import batches
    from pipelines.lake.ingest import ingest

    root = inputs() / "lake-600x2520"
    chosen = settings.load(
        {"home": str(root), "sandbox": SIZES, "asking": {"workers": 8}}, environment={"NIGHTDESK_HOME": "no-home"}
    )
    now = sandbox.night_now(chosen, 0)
    home = Home(root).prepare()
    if not (home.facts / "batch-000001").exists():
        ingest(chosen, home, now)
    batches.begin(home)  # it may have been landed before some dataset came to be
    return home, now


def rebuild(home: Home, now: dt.datetime) -> tuple[float, int]:
    from pipelines.lake import marts

    for built in (home.marts, home.work / "dbt"):
        shutil.rmtree(built, ignore_errors=True)
    home.marts.mkdir(parents=True)
    begun = time.perf_counter()
    told = marts.build(home, now=now)
    return time.perf_counter() - begun, sum(told.rows.values())


def main() -> None:
    import json

    home, now = lake()
    used = time.process_time()
    seconds, count = rebuild(home, now)
    cpu = time.process_time() - used
    print(json.dumps({"seconds": seconds, "rows": count, "peak_mb": peak_mb(), "cpu_s": cpu}))


def _folders(bars: Path) -> Path:
    """The same rows as `instrument/year` folders, which a reader of one name would wish for."""
    import duckdb

    target = inputs() / f"daily_bars-by-name-{bars.parent.name}"
    if not target.exists():
        with duckdb.connect(config={"threads": 2}) as connection:
            connection.execute(
                f"copy (select *, year(session) as year from read_parquet('{bars}')) to '{target}' "
                "(format parquet, partition_by (instrument_id, year))"
            )
    return target


def rows() -> list[Row]:
    import duckdb

    from pipelines.lake import marts

    home, _ = lake()
    told = apart("marts")  # a process of its own: once, for it is long
    bars = marts.current(home) / "daily_bars.parquet"
    folders = _folders(bars)
    note = f"{told['rows']:,} rows of all marts, dbt's tests on them included; CPU {told['cpu_s']:.0f} s"
    found = [Row("marts/rebuild_600x10y", told["seconds"], None, None, None, None, told["peak_mb"], 1, note)]
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, where in (("one_name", "instrument_id = (select min(instrument_id) from read_parquet('{bars}'))"),
                            ("one_session", "session = date '2024-06-03'")):  # fmt: skip
            condition = where.format(bars=bars)
            ask = "select count(*), sum(close) from read_parquet({}) where " + condition
            one, many = ask.format(f"'{bars}'"), ask.format(f"'{folders}/*/*/*.parquet', hive_partitioning=true")
            assert connection.execute(one).fetchall()[0][0] == connection.execute(many).fetchall()[0][0]
            mine = timed(lambda query=one: connection.execute(query).fetchall(), runs=RUNS)
            other = timed(lambda query=many: connection.execute(query).fetchall(), runs=RUNS)
            found.append(Row(f"marts/scan_{name}", mine.median_s, mine.cold_s, "folders by name and year",
                             other.median_s, None, None, RUNS, "daily_bars as one file, sorted by name and session"))
    return found


if __name__ == "__main__":
    main()
