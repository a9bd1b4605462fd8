"""A large market served from a process of its own: it is made and written out while what came is read."""

import datetime as dt
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from pipelines import beside
from pipelines.sandbox import market, server
from pipelines.sandbox.server import Endpoints
from pipelines.settings import Settings

WORTH_A_PROCESS = 50_000  # names times sessions: some ten seconds of making and writing


@contextmanager
def served(settings: Settings, now: dt.datetime) -> Iterator[Endpoints]:
    """The market that the settings describe, with their faults, while the block runs; where it is large and two cores
    are there, by another process."""
    sizes = settings.sandbox
    if sizes.names * sizes.sessions < WORTH_A_PROCESS or beside.cores() < 2:
        with server.serve(market.generate(settings), now, **_faults(settings)) as endpoints:
            yield endpoints
        return
    process, line = beside.process(__name__)
    try:
        line.send((settings, now))
        yield line.recv()
    finally:
        line.close()
        process.wait()


def _faults(settings: Settings) -> dict[str, object]:
    return {"faults": settings.faults.schedule, "slow_s": settings.faults.slow_s}


def _serve(line: Connection) -> None:
    """The other process: it serves until the line is closed, by an end of any kind."""
    settings, now = line.recv()
    threading.Thread(target=_until_closed, args=(line,), daemon=True).start()
    with server.serve(market.generate(settings), now, **_faults(settings)) as endpoints:
        line.send(endpoints)
        threading.Event().wait()


def _until_closed(line: Connection) -> None:
    try:
        line.recv()
    finally:
        os._exit(0)


if __name__ == "__main__":
    _serve(beside.line())
