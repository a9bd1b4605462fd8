"""Ctrl-C ends a night even where a library would lose it."""

import subprocess
import sys
from pathlib import Path

from pipelines import interruption

ROOT = Path(__file__).resolve().parents[2]
# What Python raises is swallowed here, as it is in a callback of a weak reference; the listener hears all the same.
DEAF = """
import os, signal, threading
from pipelines.interruption import ends_at_once

signal.signal(signal.SIGINT, lambda number, frame: None)
with ends_at_once("first"):
    pass
os.kill(os.getpid(), signal.SIGINT)
print("not heard once it is over", flush=True)
with ends_at_once("Stopped."):
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(60)
print("went on")
"""


def test_ctrl_c_is_heard_while_the_night_works_and_not_after() -> None:
    ended = subprocess.run([sys.executable, "-c", DEAF], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        interruption.EXIT_CODE, "not heard once it is over\n", "Stopped.\n"
    )
