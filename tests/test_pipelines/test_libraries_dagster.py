"""One engine a file while a job runs: the events are there for everybody else as they come, and for good."""

import sqlite3
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log.sqlite import sqlite_event_log

from pipelines.libraries_dagster import engines_kept


def test_events_are_committed_one_by_one_and_seen_by_others(tmp_path: Path) -> None:
    seen: list[int] = []

    @dg.asset
    def first() -> None: ...

    @dg.asset(deps=[first])
    def second(context: dg.AssetExecutionContext) -> None:
        with sqlite3.connect(next(tmp_path.rglob(f"{context.run.run_id}.db"))) as other:
            seen.append(other.execute("SELECT count(*) FROM event_logs").fetchone()[0])
        other.close()

    plain = sqlite_event_log.create_engine
    with engines_kept():
        with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
            run = dg.materialize([first, second], instance=instance).run_id
    assert sqlite_event_log.create_engine is plain
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        events = instance.all_logs(run)
        assert instance.get_latest_materialization_event(dg.AssetKey("second")) is not None
        assert instance.get_run_by_id(run).is_success
    assert 0 < seen[0] < len(events)
