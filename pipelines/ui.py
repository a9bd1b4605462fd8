"""The pages of one home: Dagster with its daemon, MLflow beside it, behind one command, until Ctrl-C ends them all."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from pipelines import run
from pipelines import settings as settings_module
from pipelines.home import Home, HomeBusy
from pipelines.progress import say

WORKSPACE = Path(__file__).resolve().parents[1] / "workspace.yaml"
PATIENCE_S = 25.0  # Dagster gives its own services 15 s to end


class _Ended(Exception):
    """Somebody wants this to end: Ctrl-C, TERM, or a closed terminal."""


def serve(overrides: Mapping[str, Any], port: int, mlflow_port: int) -> int:
    """Serve until ended; 0 when it was asked to end, else what Dagster returned."""
    if why := _taken(port):
        raise ValueError(f"{why}: name another with --port")
    settings = settings_module.load(overrides)
    home = Home(settings.home).prepare()
    run.prepare_dagster_home(home)
    try:
        run.close_orphans(home)
    except HomeBusy as busy:
        say(f"  {busy}; a run from the page waits until it is done")
    say(f"Dagster for {home.root}: starting, which takes about 20 seconds")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    process, beside = _start(_dagster(port), _environment(overrides, home)), None
    try:
        beside = _start_mlflow(home, mlflow_port)
        if _up(process, port):
            say(f"Dagster UI: http://127.0.0.1:{port}/asset-groups (Ctrl-C ends it)")
        return process.wait()
    except _Ended:
        _stop(process)
        return 0
    finally:
        if beside is not None:
            _kill_group(beside)


def _start_mlflow(home: Home, port: int) -> subprocess.Popen[bytes] | None:
    """MLflow over the runs and versions of this home, where there are any; it only shows."""
    from pipelines.training.tracking import QUIET, store_of

    if not store_of(home).exists():
        say("MLflow UI: there are no runs to show before the first night")
        return None
    if why := _taken(port):
        say(f"MLflow UI: not served, {why}; name another with --mlflow-port")
        return None
    process = _start(
        [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", f"sqlite:///{store_of(home).resolve()}",
         "--default-artifact-root", (home.mlflow / "artifacts").resolve().as_uri(),
         "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
        {**os.environ, **QUIET, "PYTHONWARNINGS": "ignore"}, quiet=True)  # fmt: skip
    say(f"MLflow UI: http://127.0.0.1:{port}/#/experiments (runs; under Models, versions and who is champion)")
    return process


def _taken(port: int) -> str | None:
    """Why this port cannot be had, if it cannot."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as why:
            return f"port {port} on 127.0.0.1 cannot be had ({why.strerror})"
    return None


def _environment(overrides: Mapping[str, Any], home: Home) -> dict[str, str]:
    """Settings travel as NIGHTDESK_* variables, so that runs from the page and the schedule's have them too."""
    told = {**os.environ, "NIGHTDESK_HOME": str(home.root.resolve()), "DAGSTER_HOME": str(home.dagster.resolve()),
            "PYTHONWARNINGS": "ignore"}  # libraries' previews and betas are for their makers
    for name, value in overrides.items():
        if isinstance(value, Mapping):
            told.update({f"NIGHTDESK_{name}__{key}".upper(): str(one) for key, one in value.items()})
        elif name != "home" and value is not None:
            told[f"NIGHTDESK_{name}".upper()] = str(value)
    return told


def _dagster(port: int) -> list[str]:
    return [sys.executable, "-m", "dagster", "dev", "-w", str(WORKSPACE), "-h", "127.0.0.1",
            "-p", str(port), "--log-level", "warning", "--code-server-log-level", "error"]  # fmt: skip


def _start(command: list[str], environment: Mapping[str, str], *, quiet: bool = False) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C reaches us alone, and Dagster is asked once, in a way that it obeys.

    The child of a shell script inherits an ignored SIGINT, with which Dagster ignores TERM as well: set right here.
    """
    heard = subprocess.DEVNULL if quiet else None
    return subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=heard, stderr=heard,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def _up(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until pages are served, or Dagster gave up."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5):
                return True
        except OSError:
            time.sleep(0.5)
    return False


def _end(*_: Any) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise _Ended


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, and leave nothing of the group behind. A run that is at work may be killed anywhere."""
    say("Dagster: ending")
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        say("  … it did not end by itself")
    _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
