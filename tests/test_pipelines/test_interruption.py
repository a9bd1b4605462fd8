"""What ends a night from outside: Ctrl-C, even where a library would lose it, and a disk without room."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import run
from pipelines.home import Home

ROOT = Path(__file__).resolve().parents[2]
# What Python raises is swallowed here, as it is in a callback of a weak reference; the listener hears all the same. A
# lock as dbt shares it is nobody's to clean up then, which its tracker need not say.
DEAF = """
import multiprocessing, os, signal, threading
from pipelines.interruption import ends_at_once

signal.signal(signal.SIGINT, lambda number, frame: None)
with ends_at_once("first"):
    pass
os.kill(os.getpid(), signal.SIGINT)
print("not heard once it is over", flush=True)
with ends_at_once("Stopped."):
    lock = multiprocessing.get_context("spawn").Lock()
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(60)
print("went on")
"""


def test_ctrl_c_is_heard_while_the_night_works_and_not_after() -> None:
    ended = subprocess.run([sys.executable, "-c", DEAF], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        128 + signal.SIGINT, "not heard once it is over\n", "Stopped.\n"
    )


def test_a_full_disk_is_said_in_one_line_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path / "home").prepare()
    monkeypatch.setattr(run, "LEAST_FREE_BYTES", 1 << 60)  # more than any disk has
    assert run.run_job("nightly", home, {"home": str(home.root)}) is False
    assert "make room and run the same command again" in capsys.readouterr().err
    assert {path.name for path in home.root.iterdir()} == {"layout.json", "lock"}
