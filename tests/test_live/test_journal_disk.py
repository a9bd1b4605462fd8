"""The journal on disks that lose what was not synced, and on disks that fail: no acknowledged row ever vanishes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import syscalls

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not syscalls.HERE, reason="system calls are traced on Linux on x86-64 only")
def test_power_cuts_and_failing_calls_lose_no_acknowledged_row() -> None:
    """In a process of its own, which forks and traces; a journal that is not synced must be caught losing one."""
    ran = subprocess.run([sys.executable, "-m", "tests.faults.live_disk", "--quick"], cwd=ROOT, capture_output=True,
                         text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = re.match(r"(\d+) disks after power cuts, 0 wrong; .* (\d+) calls failed, 0 badly", ran.stdout)
    assert told and int(told[1]) > 200 and int(told[2]) > 15
