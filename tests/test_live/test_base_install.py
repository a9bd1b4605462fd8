"""The runner in an environment of its own: the base install alone verifies the bundle and replays a day."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("whole-night")

HEAVY = ("dagster", "pandas", "duckdb", "torch", "feast", "mlflow", "sklearn", "hmmlearn", "dbt", "matplotlib")

REPLAY = """
import json, sys
from pathlib import Path
from live.replay import replay
from live.settings import load_keys
home, journal, tape = map(Path, sys.argv[1:])
told = replay(home / "bundles", tape, journal, verify_keys=load_keys(home / "keys")).as_json()
print(json.dumps({"told": told, "loaded": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def _uv(*words: str) -> None:
    ran = subprocess.run([sys.executable, "-m", "uv", *words], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="session")
def base_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with `pip install .` and no extra."""
    folder = tmp_path_factory.mktemp("base")
    _uv("venv", "-q", "--python", sys.executable, str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    _uv("pip", "install", "-q", "-p", str(python), "-c", "constraints.txt", ".")
    return python


def test_base_install_replays_the_day_that_the_whole_house_replayed(
    base_python: Path, whole_night: Path, tmp_path: Path
) -> None:
    tape = next(iter(sorted((whole_night / "journal" / "tapes").glob("*.parquet"))))
    ran = subprocess.run(
        [str(base_python), "-c", REPLAY, str(whole_night), str(tmp_path / "journal.sqlite"), str(tape)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert not set(HEAVY) & set(document["loaded"])
    there = json.loads((whole_night / "work" / "sections" / "live.json").read_text())
    assert document["told"]["sessions"], document["told"]
    assert [{**day, "already": False} for day in there["sessions"]] == document["told"]["sessions"]
    assert document["told"]["journal_head"] == there["journal_head"]


def test_base_install_has_the_command_and_says_what_it_lacks(base_python: Path, tmp_path: Path) -> None:
    command = base_python.with_name("nightdesk")
    helped = subprocess.run([str(command), "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert helped.returncode == 0 and "nightly" in helped.stdout
    refused = subprocess.run([str(command), "nightly"], capture_output=True, text=True, cwd=tmp_path)
    assert refused.returncode == 2
    assert "nightdesk[night]" in refused.stderr and "Traceback" not in refused.stderr
    assert "checkout" in refused.stderr and list(tmp_path.iterdir()) == []  # and nothing was begun
