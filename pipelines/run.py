"""Starts jobs for the command line, in this process, against the home's own Dagster instance."""

import gc
import json
import os
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pipelines import durable
from pipelines.home import Home
from pipelines.progress import say

if TYPE_CHECKING:
    from pipelines.lake.ingest import IngestResult

# The console is for our own lines, one a step, and for errors: every event of a run stands on its page.
DAGSTER_YAML = """telemetry: {enabled: false}
nux: {enabled: false}
concurrency: {runs: {max_concurrent_runs: 1}, pools: {granularity: run, default_limit: 1}}
python_logs: {python_log_level: ERROR}
"""


OURS = re.compile(r"^(pipelines|models|live)\.[\w.]+: ")  # the class of a refusal is for programs, its words for people
VENDORS_POOL = "vendors"  # one run at a time asks them, whoever started it


def prepare_dagster_home(home: Home) -> None:
    """A Dagster home inside ours: telemetry off, no sign-up dialog, one run at a time, a quiet console."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    config = home.dagster / "dagster.yaml"
    if not config.exists() or config.read_text() != DAGSTER_YAML:
        durable.write_atomic(config, DAGSTER_YAML.encode())
    os.environ["DAGSTER_HOME"] = str(home.dagster)


def close_orphans(home: Home) -> None:
    """Before the page is served: a run of a killed process would hold up the queue for ever."""
    import dagster as dg

    with home.lock(), dg.DagsterInstance.get() as instance:
        _close_orphans(instance)
        instance.event_log_storage.set_concurrency_slots(VENDORS_POOL, 1)  # so that the page of pools shows it


def _of_the_page(instance: Any, job: str) -> None:
    """A run of the command line belongs to the same code location as one from the page, else neither the timeline nor
    its job would show it. `execute_in_process` has no word for that."""
    from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

    loaded = LoadableTargetOrigin(module_name="pipelines.definitions", working_directory=os.getcwd())
    location = ManagedGrpcPythonEnvCodeLocationOrigin(loadable_target_origin=loaded, location_name="nightdesk")
    origin = RemoteRepositoryOrigin(location, "__repository__").get_job_origin(job)
    instance.create_run_for_job = partial(instance.create_run_for_job, remote_job_origin=origin)


def _close_orphans(instance: Any) -> None:
    """Runs of a killed process stand as started for ever; we hold the lock, so nobody is working on them."""
    import dagster as dg

    open_states = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=open_states)):
        instance.report_run_failed(run, "its process ended before the run did")


def tell_landed(home: Home, result: "IngestResult") -> None:
    """What an ingest alone has brought, as events without a run: the graph shows what came new and what is stale."""
    from pipelines.lake import news

    untold = news.untold(home)
    if not any(untold.sessions.values()) and result.unchanged:
        return
    import dagster as dg

    from pipelines.defs.ingest import assets
    from pipelines.lineage import VERSION

    prepare_dagster_home(home)
    with dg.DagsterInstance.get() as instance:
        for vendor, (version, metadata) in assets.story(home, result, untold).items():
            if untold.sessions[vendor] or result.vendors[vendor].rows:
                for observation in assets.observations(vendor, untold, version):
                    instance.report_runless_asset_event(observation)
                landed = dg.AssetMaterialization(["facts", vendor], metadata=metadata, tags={VERSION: version})
                instance.report_runless_asset_event(landed)
    news.told(home, untold)


LEAST_FREE_BYTES = 32 << 20
STOPPED = ("Stopped. What was published stands, what was half done is not seen by anyone; the same command, run again, "
           "finishes this night.")


def run_job(name: str, home: Home, overrides: Mapping[str, Any], *, advance: bool = False) -> bool:
    """Run a job to its end; true when every step and every blocking check passed."""
    from pipelines.interruption import ends_at_once
    from pipelines.libraries_dagster import deaf_watchers, engines_kept
    from pipelines.libraries_sqlite import eased

    with home.lock(), ends_at_once(STOPPED), _collected_seldom():
        if _disk_is_full(home):
            return False
        prepare_dagster_home(home)
        _foresee(overrides)
        import dagster as dg

        with warnings.catch_warnings(), eased(home.root), engines_kept(), deaf_watchers():
            warnings.simplefilter("ignore")  # previews and betas of libraries are for their makers
            from pipelines.definitions import defs
            from pipelines.resources import ADVANCE

            job = defs().resolve_job_def(name)
            with dg.DagsterInstance.get() as instance:
                _close_orphans(instance)
                _of_the_page(instance, name)
                try:
                    result = job.execute_in_process(
                        instance=instance,
                        run_config={
                            "resources": {"home": {"config": {"overrides": json.dumps(dict(overrides), default=str)}}},
                            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},  # errors are told below
                        },
                        tags={ADVANCE: "true"} if advance else {},
                        raise_on_error=False,
                    )
                except Exception:  # the run's own record could not be written: of that only a full disk is expected
                    if _disk_is_full(home):
                        return False
                    raise
                if not result.success:
                    _alert(home, overrides, result.run_id, _tell_failures(result))
                return bool(result.success)


@contextmanager
def _collected_seldom() -> Iterator[None]:
    """The graph and its libraries are 300,000 objects that stay, and Python looked through them again and again: an
    eighth of the time until the first step."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _foresee(overrides: Mapping[str, Any]) -> None:
    """A large sandbox market is made by another process while the graph is still being read."""
    from pipelines import settings as settings_module

    settings = settings_module.load(overrides)
    if settings.source == "sandbox" and find_spec("dagster"):  # without the night's libraries there is no graph to read
        from pipelines.sandbox import apart

        apart.begin(settings)


def _alert(home: Home, overrides: Mapping[str, Any], run_id: str, told: list[str]) -> None:
    from pipelines import alerts
    from pipelines import settings as settings_module

    alerts.night_failed(home, settings_module.load(overrides), run_id, "; ".join(told) or "no step says why")


def _disk_is_full(home: Home) -> bool:
    """Whether there is no room to go on, said in one line."""
    free = shutil.disk_usage(home.root).free
    if free < LEAST_FREE_BYTES:
        say(f"  ✗ only {free >> 20} MB are free on the disk of {home.root}, a night wants {LEAST_FREE_BYTES >> 20}: "
            "make room and run the same command again")
    return free < LEAST_FREE_BYTES


def _tell_failures(result: Any) -> list[str]:
    """Say what stopped the night, in the words of the step or check that did."""
    told = []
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            root = error
            while root is not None and root.cause is not None:
                root = root.cause
            words = OURS.sub("", root.message).strip() if root else "failed"
            told.append(f"{event.step_key}: {words}")
            say(f"  ✗ {told[-1]}")
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.blocking:
            told.append(f"check {evaluation.check_name} on {evaluation.asset_key.to_user_string()} failed")
            say(f"  ✗ {told[-1]}")
            for name, value in evaluation.metadata.items():
                say(f"      {name}: {str(value.value)[:600]}")
    return told


def count_assets() -> int:
    """Resolve every definition, as the UI does when it starts."""
    from pipelines.definitions import defs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = defs().resolve_asset_graph()
    return len(list(graph.get_all_asset_keys()))


def tell_stopped_night(home: Home, settings: Any) -> None:
    """The page of a night that a check or a fault stopped: it says what did. Its own asset was never reached."""
    from pipelines import night, report

    if (home.work / "night.json").exists() and shutil.disk_usage(home.root).free >= LEAST_FREE_BYTES:
        say(f"  why: {report.render(home, settings, night.current(home))}")
