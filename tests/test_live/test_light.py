"""The runner stays light: a whole replay through its command line loads none of the night's libraries."""

import json
import subprocess
import sys
from pathlib import Path

from tests.test_live import world

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("dagster", "pandas", "duckdb", "torch", "feast", "mlflow", "sklearn", "hmmlearn", "httpx", "dbt", "matplotlib",
         "exchange_calendars", "optuna", "joblib", "pipelines", "fastapi", "uvicorn", "prometheus_client")
SCRIPT = """
import json, sys
import tests.test_live.base_install
from live.__main__ import app
try:
    app(sys.argv[1:], standalone_mode=False)
finally:
    loaded = sorted(sys.modules)
    print(json.dumps(loaded), file=sys.stderr)
"""


def test_a_whole_replay_loads_nothing_of_the_night(tmp_path: Path) -> None:
    bundles, tape = world.publish(tmp_path / "bundles"), world.tape(tmp_path / "tape.parquet", 0, 2)
    (tmp_path / "key.pub").write_text(world.PUBLIC.hex() + "\n")
    words = ["--bundle", str(bundles), "--keys", str(tmp_path / "key.pub"), "--feed", f"replay:{tape}",
             "--journal", str(tmp_path / "j.sqlite"), "--json"]
    ran = subprocess.run([sys.executable, "-c", SCRIPT, *words], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert [session["fills"] > 0 for session in json.loads(ran.stdout)["sessions"]] == [True, True]
    loaded = set(json.loads(ran.stderr.splitlines()[-1]))
    assert {"lightgbm", "pyarrow", "cryptography"} <= loaded
    assert not [name for name in HEAVY if name in loaded]


def test_without_a_bundle_the_command_line_says_flat_and_succeeds(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(world.PUBLIC.hex() + "\n")
    words = ["--bundle", str(tmp_path / "none"), "--keys", str(tmp_path / "key.pub"),
             "--feed", f"replay:{world.tape(tmp_path / 'tape.parquet')}", "--journal", str(tmp_path / "j.sqlite")]
    ran = subprocess.run([sys.executable, "-m", "live", *words], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0 and "Flat: no approved bundle" in ran.stdout
