"""The bench finds its workloads by their shape, keeps what was measured when one fails, and tells rows as agreed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import FOLDER, gathered, table, workloads
from tests.bench.measure import ROOT, Noise, Row, apart, peer, timed

SHAPE = ["workload", "ours_s", "cold_s", "peer", "peer_s", "floor_s", "peak_mb", "samples", "note"]


def test_a_workload_is_a_module_with_rows(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def rows():\n    return []\n")
    (tmp_path / "helper.py").write_text("def other():\n    return 'def rows'\n")
    assert list(workloads(tmp_path)) == ["one"]
    assert "measure" not in workloads(FOLDER) and "__main__" not in workloads(FOLDER)


def test_rows_have_the_agreed_shape_and_null_for_what_was_not_run() -> None:
    row = Row("some/work", ours_s=1.5, samples=3).as_json()
    assert list(row) == SHAPE
    assert row["peer_s"] is None
    assert "some/work" in table([row]) and "–" in table([row])


def test_what_was_measured_stays_when_others_are_missing(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text(json.dumps([Row("kept").as_json()]))
    (tmp_path / "gone.json").write_text(json.dumps([Row("of a module that is no more").as_json()]))
    assert [row["workload"] for row in gathered(tmp_path, ["kept", "never_run"])] == ["kept"]


def test_the_first_call_is_told_apart() -> None:
    calls: list[int] = []
    took = timed(lambda: calls.append(1), runs=4)
    assert len(calls) == 5 and took.runs == 4
    assert took.quantile_s(0.99) == max(took.seconds)
    assert "load" in Noise().words()


def test_a_peer_that_is_not_installed_is_null(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NIGHTDESK_PEERS", str(tmp_path))
    assert peer("nobody", "measure") is None
    monkeypatch.delenv("NIGHTDESK_PEERS")
    assert peer("nobody", "measure") is None


def test_a_failure_apart_is_told_with_its_words() -> None:
    with pytest.raises(RuntimeError, match="tests.bench.no_such_module"):
        apart("no_such_module")


def test_help_names_the_workloads() -> None:
    ran = subprocess.run([sys.executable, "-m", "tests.bench", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0 and "NIGHTDESK_PEERS" in ran.stdout
