"""A large market served from a process of its own: it is made and written out while what came is read."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from subprocess import Popen
from typing import Any

from pipelines import beside
from pipelines.sandbox import market, server
from pipelines.sandbox.server import Endpoints
from pipelines.settings import Settings

WORTH_A_PROCESS = 50_000  # names times sessions: some ten seconds of making and writing
_begun: list[tuple[Settings, Popen[bytes], Connection]] = []


def begin(settings: Settings) -> None:
    """Have a large market made while whoever will ask for it is not ready yet."""
    if _is_apart(settings) and not _begun:
        process, line = beside.process(__name__)
        line.send(settings)
        _begun.append((settings, process, line))


@contextmanager
def served(settings: Settings, now: dt.datetime) -> Iterator[Endpoints]:
    """The market that the settings describe, with their faults, while the block runs; where it is large and two cores
    are there, by another process."""
    if not _is_apart(settings):
        with server.serve(market.generate(settings), now, **_faults(settings)) as endpoints:
            yield endpoints
        return
    begin(settings)
    made_of, process, line = _begun.pop()
    try:
        if _told(made_of) != _told(settings):
            line.close()
            process.wait()
            process, line = beside.process(__name__)
            line.send(settings)
        line.send(now)
        yield line.recv()
    finally:
        line.close()
        process.wait()


def _is_apart(settings: Settings) -> bool:
    sizes = settings.sandbox
    return sizes.names * sizes.sessions >= WORTH_A_PROCESS and beside.cores() > 1


def _told(settings: Settings) -> tuple[Any, ...]:
    """All that its bytes hang on."""
    return settings.seed, settings.sandbox, settings.faults


def _faults(settings: Settings) -> dict[str, Any]:
    return {"faults": settings.faults.schedule, "slow_s": settings.faults.slow_s}


def _serve(line: Connection) -> None:
    """The other process: it serves until the line is closed, by an end of any kind."""
    asked = beside.heard(line)
    settings: Settings = asked.get()
    made = market.generate(settings)
    with server.serve(made, asked.get(), **_faults(settings)) as endpoints:
        line.send(endpoints)
        threading.Event().wait()


if __name__ == "__main__":
    _serve(beside.line())
