"""While a job runs: one engine a file, and events there for everybody else as they come; watchers deaf to Ctrl-C."""

import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution import compute_logs
from dagster._core.storage.event_log.sqlite import sqlite_event_log

from pipelines.libraries_dagster import deaf_watchers, engines_kept


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


@pytest.mark.parametrize("ignored", [False, True], ids=["", "in-a-script-s-background"])
def test_what_shows_a_step_does_not_hear_ctrl_c_and_ends_with_us(
    tmp_path: Path, ignored: bool, request: pytest.FixtureRequest
) -> None:
    as_told = signal.SIG_IGN if ignored else signal.SIG_DFL
    before = signal.signal(signal.SIGTERM, as_told)
    request.addfinalizer(lambda: signal.signal(signal.SIGTERM, before))
    with deaf_watchers(), compute_logs.execute_posix_tail(str(tmp_path / "told"), subprocess.DEVNULL) as shown:
        assert {os.getsid(watcher) for watcher in shown} == set(shown), "each in a session of its own"
    assert compute_logs.subprocess is subprocess and signal.getsignal(signal.SIGTERM) is as_told
    for watcher in shown:
        with pytest.raises(ProcessLookupError):
            os.kill(watcher, 0)
