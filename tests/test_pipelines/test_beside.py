"""Calls shared out among two processes: the same answers in the same order, and no process is left behind."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from models.gbm.config import GbmConfig
from models.labels import TrainingSet
from pipelines import beside
from pipelines.training import cache
from tests.test_models import planted

TO_BE_KILLED = """
import os, select, sys, time
from pipelines import beside
beside.start()
fd = os.pidfd_open(beside._helper._process.pid)
os.set_inheritable(fd, True)
list(beside.alone([lambda: (beside._helper.ask, (time.process_time, ()))]))
print(beside._helper._process.pid, flush=True)
if sys.argv[1] == "asked":
    beside._helper._line.send(("time", "sleep", (600,)))
sys.stdin.read()
"""


@pytest.fixture
def other() -> Iterator[int]:
    """The other process, also where the machine has one core only."""
    beside._helper = beside._Helper()
    yield beside._helper._process.pid
    beside.end()


def test_answers_come_in_the_order_of_the_calls_whoever_makes_them(other: int) -> None:
    answered = threading.Event()

    def call() -> tuple[object, tuple[object, ...]]:
        if threading.current_thread() is threading.main_thread():
            assert answered.wait(60)  # until the other process has answered one and asks for the next
        elif call.handed_over:
            answered.set()
        else:
            call.handed_over = True
        return os.getpid, ()

    call.handed_over = False
    here = list(beside.shared([call] * 6))
    assert set(here) == {os.getpid(), other}
    assert list(beside.shared([lambda n=n: (pow, (n, 2)) for n in range(50)])) == [n * n for n in range(50)]


def test_an_error_is_raised_in_its_turn_and_the_next_calls_are_answered(other: int) -> None:
    asked = beside.shared([lambda n=n: (divmod, (6, n)) for n in (3, 2, 0, 1)])
    assert [next(asked), next(asked)] == [(2, 0), (3, 0)]
    with pytest.raises(ZeroDivisionError):
        next(asked)
    assert list(beside.shared([lambda: (divmod, (6, 4))] * 2)) == [(1, 2)] * 2


@pytest.mark.parametrize("when", ["idle", "asked"])
def test_it_ends_with_who_started_it_even_by_kill_and_in_the_middle_of_a_call(when: str) -> None:
    with subprocess.Popen([sys.executable, "-c", TO_BE_KILLED, when], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as parent:
        assert parent.stdout is not None
        helper = os.pidfd_open(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
    import select

    assert select.select([helper], [], [], 60)[0], "still there a minute after"
    os.close(helper)


def test_models_learnt_in_two_processes_are_the_same_bytes(tmp_path, monkeypatch, other: int) -> None:
    from tests.test_pipelines.training_home import small_home

    panel, returns = planted.market(3, sessions=90, names=12, strength=1.0)
    config = GbmConfig(features=panel.features[:3], context=(), rounds=5, min_leaf=4)

    def asks() -> list[cache.Ask]:
        return [cache.Ask("gbm", config, lambda n=n: TrainingSet.cut(panel, returns, np.arange(30, n)))
                for n in (60, 65, 70, 60, 75)]

    apart, alone = small_home(tmp_path / "apart")[0], small_home(tmp_path / "alone")[0]
    one = list(cache.fits(alone, asks(), 3))
    monkeypatch.setattr(cache, "WORTH_A_PROCESS", 0)
    two = list(cache.fits(apart, asks(), 3))
    assert [fit.data for fit in one] == [fit.data for fit in two] and one[0].data != one[1].data
    assert [fit.digest for fit in one] == [fit.digest for fit in two]
    assert [fit.curve for fit in one] == [fit.curve for fit in two]
    assert [fit.cached for fit in two] == [False, False, False, True, False]  # asked for twice, learnt once
    kept = sorted(path.relative_to(apart.work) for path in apart.work.rglob("gbm.txt"))
    assert kept == sorted(path.relative_to(alone.work) for path in alone.work.rglob("gbm.txt"))
    told = json.loads(next(apart.work.rglob("fit.json")).read_text())
    assert told["train_rows"] and all(fit.cached for fit in cache.fits(apart, asks(), 3))


def test_what_was_asked_of_a_process_that_somebody_ended_is_answered_here(other: int) -> None:
    os.kill(other, signal.SIGKILL)
    assert list(beside.shared([lambda n=n: (pow, (n, 2)) for n in range(9)])) == [n * n for n in range(9)]
