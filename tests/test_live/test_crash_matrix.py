"""A runner killed at each point between a bar and its acknowledgement, for each answer of the venue: the venue's own
ledger shows every intended order once, and the journal ends as if nothing had happened."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_killed_at_every_point_in_turn_and_at_random(tmp_path: Path) -> None:
    """In a process of its own, which forks: libraries that hold threads must not have been used before."""
    ran = subprocess.run([sys.executable, "-m", "tests.faults.live_kills", "--quick", "--work", str(tmp_path)],
                         cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    killed = {name: int(kills) for name, kills in re.findall(r"^(\S+): as undisturbed after (\d+)", ran.stdout, re.M)}
    for answer in ("acked", "lost", "never"):
        assert killed[f"{answer}-in-turn"] >= (10 if answer == "acked" else 5), ran.stdout
    assert sum(kills for name, kills in killed.items() if name.startswith("random-")) >= 3
