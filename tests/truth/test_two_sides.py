"""Two seeds a side in every test run; twenty a side with `make truth`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.truth.seeds import ROOT, right


@pytest.mark.parametrize("signal", ["strong", "zero"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_gate_promotes_what_is_there_and_refuses_what_is_not(seed: int, signal: str, tmp_path: Path) -> None:
    # A process of its own, as a night is one: fits leave threads and settings behind that no other test should meet.
    words = [sys.executable, "-W", "ignore", "-m", "tests.truth.seeds", "--folder", str(tmp_path)]
    lighter = {"NIGHTDESK_TRAINING__OPTUNA_TRIALS": "3", "NIGHTDESK_LEAK__DECISION_TIMES": "1"}
    ran = subprocess.run([*words, "--one", str(seed), signal], cwd=ROOT, env={**os.environ, **lighter},
                         capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads((tmp_path / f"{signal}-{seed}.json").read_text())
    assert right(told), told["reasons"]
