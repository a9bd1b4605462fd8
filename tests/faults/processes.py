"""Runs commands that may be killed: as a person's own process, or as a fork of one that has paid for the imports."""

import importlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines.failpoints import VARIABLE

KILLED = -signal.SIGKILL
# What a night imports on its way; half of a small night's time otherwise.
HEAVY = ("torch", "torch._dynamo", "torch.optim", "mlflow.store.tracking.sqlalchemy_store", "lightgbm", "optuna",
         "mlflow", "feast", "evidently", "dbt.cli.main", "hmmlearn.hmm", "arch",
         "matplotlib.pyplot", "scipy.stats", "exchange_calendars", "great_expectations", "dagster", "databento_dbn",
         "dagster_dbt", "pipelines.cli", "pipelines.definitions", "live.replay")


def in_fork(work: Callable[[], object], failpoint: str = "", traced: Path | None = None) -> int:
    """How the fork ended: 0 or the number that `work` tells, or minus the signal that it died of. It passes its
    failpoints on to `traced`."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.environ[VARIABLE] = failpoint
            if traced is not None:
                trace(traced)
            told = work()
            code = told if isinstance(told, int) else 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def trace(path: Path) -> None:
    """Every failpoint that this process passes from now on is written down, by its name."""
    from pipelines import failpoints

    die_there, passed = failpoints.reached, os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def reached(name: str) -> None:
        os.write(passed, f"{name}\n".encode())
        die_there(name)

    failpoints.reached = reached


class Forge:
    """`run` forks a prepared process, so that each death costs only what it is about; `person` starts a fresh one."""

    def __init__(self, root: Path, log: Path) -> None:
        self.root, self.log = root, log
        quiet, seen = os.open(log.with_name("imports.txt"), os.O_WRONLY | os.O_TRUNC | os.O_CREAT), os.dup(2)
        os.dup2(quiet, 2)  # what libraries grumble about while they load
        try:
            for name in HEAVY:
                importlib.import_module(name)
        finally:
            os.dup2(seen, 2)

    def run(self, home: Path, words: Sequence[str], failpoint: str = "") -> tuple[int, list[str]]:
        """(how it ended, the failpoints that it passed)."""
        traced = self.log.with_name("passed.txt")
        traced.unlink(missing_ok=True)
        self._head(home, words, failpoint)
        ended = in_fork(lambda: self._command(home, words, None), failpoint, traced)
        return ended, traced.read_text().split() if traced.exists() else []

    def said(self, home: Path, *words: str) -> tuple[int, str, str]:
        """(how it ended, standard output, standard error) of a command that only reads."""
        out = self.log.with_name("out.txt")
        self._head(home, words, "")
        ended = in_fork(lambda: self._command(home, words, out))
        return ended, out.read_text(), out.with_suffix(".err").read_text()

    def person(self, home: Path, words: Sequence[str], kill_after_s: float | None = None) -> int:
        """The command as a person types it, killed with all its children after a while."""
        self._head(home, words, "")
        with open(self.log, "a") as log:
            process = subprocess.Popen([sys.executable, "-m", "pipelines.cli", *words, "--home", str(home)],
                                       cwd=self.root, stdout=log, stderr=log, start_new_session=True)
        try:
            return process.wait(timeout=kill_after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()

    def _head(self, home: Path, words: Sequence[str], failpoint: str) -> None:
        with open(self.log, "a") as log:
            log.write(f"\n=== {home.name}: {words[0]} {words[-1]} {failpoint}\n")

    def _command(self, home: Path, words: Sequence[str], out: Path | None) -> int:
        """In the child: the command line itself, with its own output."""
        log = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(log if out is None else os.open(out, os.O_WRONLY | os.O_TRUNC | os.O_CREAT), 1)
        os.dup2(log if out is None else os.open(out.with_suffix(".err"), os.O_WRONLY | os.O_TRUNC | os.O_CREAT), 2)
        os.chdir(self.root)
        sys.argv = ["nightdesk", *words, "--home", str(home)]
        from pipelines import cli

        return cli.run_app()
