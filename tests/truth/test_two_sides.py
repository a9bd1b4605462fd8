"""Two seeds a side in every test run; twenty a side with `make truth`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.truth.seeds import ROOT, SIDES, right

SEEDS = (1, 2)
pytestmark = pytest.mark.xdist_group("truth")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The answers of all, each from a process of its own."""
    folder = tmp_path_factory.mktemp("truth")
    words = [sys.executable, "-W", "ignore", "-m", "tests.truth.seeds", "--folder", str(folder)]
    for signal in SIDES:
        for seed in SEEDS:
            words += ["--one", str(seed), signal]
    lighter = {"NIGHTDESK_TRAINING__OPTUNA_TRIALS": "3", "NIGHTDESK_LEAK__DECISION_TIMES": "1"}
    ran = subprocess.run(words, cwd=ROOT, env={**os.environ, **lighter}, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return folder


@pytest.mark.parametrize("signal", SIDES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_gate_promotes_what_is_there_and_refuses_what_is_not(seed: int, signal: str, walked: Path) -> None:
    told = json.loads((walked / f"{signal}-{seed}.json").read_text())
    assert right(told), told["reasons"]
