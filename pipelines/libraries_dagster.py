"""Where Dagster's own ways cost a night time, or its last words."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any


@contextmanager
def deaf_watchers() -> Iterator[None]:
    """While open, what Dagster starts to show a step's output does not hear Ctrl-C, of which it would show a traceback
    each, above what we have to say. It watches this process, and ends within a second of it.

    And it hears TERM, by which Dagster ends it: a script's background job ignores Ctrl-C, Dagster then takes TERM to be
    ignored as well, and what it starts would inherit that and be waited for half a minute."""
    from dagster._core.execution import compute_logs

    module: Any = compute_logs
    plain, deaf = module.subprocess, None
    module.subprocess = SimpleNamespace(Popen=partial(subprocess.Popen, start_new_session=True))
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        deaf = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        module.subprocess = plain
        if deaf is not None:
            signal.signal(signal.SIGTERM, deaf)


@contextmanager
def engines_kept() -> Iterator[None]:
    """While open, one engine a SQLite file. Dagster makes one for each thing that it reads or writes, which opens the
    file and words every statement anew: a sixth of a night with nothing to do. Each event is still committed alone."""
    from dagster._core.storage.event_log.sqlite import sqlite_event_log
    from dagster._core.storage.runs.sqlite import sqlite_run_storage
    from sqlalchemy.pool import QueuePool

    modules: tuple[Any, ...] = (sqlite_event_log, sqlite_run_storage)
    plain, kept = [module.create_engine for module in modules], dict[str, Any]()

    def create_engine(address: str, **asked: Any) -> Any:
        if address not in kept:
            kept[address] = plain[0](address, **{**asked, "poolclass": QueuePool})
        return kept[address]

    for module in modules:
        module.create_engine = create_engine
    try:
        yield
    finally:
        for module, before in zip(modules, plain, strict=True):
            module.create_engine = before
        for engine in kept.values():
            engine.dispose()
