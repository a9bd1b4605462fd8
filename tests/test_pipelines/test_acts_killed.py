"""Promote, refresh, approve, roll back, climb, demote, kill and reset, each killed where it writes: a sample of the
places; `make proof-gate` goes through all of them."""

import subprocess
import sys

from tests.test_pipelines.test_evidence_records import packed  # noqa: F401  (a fixture)


def test_whatever_act_is_killed_the_slot_serves_validly_and_the_next_ends_it(packed):  # noqa: F811
    run = [sys.executable, "-W", "ignore", "-m", "tests.faults.acts", str(packed), "--every", "5"]
    told = subprocess.run(run, capture_output=True, text=True)
    lines = told.stdout.splitlines()
    assert told.returncode == 0, told.stdout + told.stderr
    assert len(lines) > 5 and lines[-1] == f"{len(lines) - 1} of {len(lines) - 1} as they should be"
