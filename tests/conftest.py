"""Fixtures that several rooms share: the real samples, and one whole night that many tests look at."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

# The same examples in every run: a failure that one machine sees, all see.
hypothesis_settings.register_profile("house", derandomize=True, database=None, deadline=None)
hypothesis_settings.load_profile("house")

# No test depends on the home or the settings file of the folder that it is started in.
os.environ["NIGHTDESK_HOME"] = str(Path(tempfile.gettempdir()) / "nightdesk-tests-no-home")
os.environ["NIGHTDESK_CONFIG"] = str(Path(tempfile.gettempdir()) / "nightdesk-tests-no-settings.toml")

ROOT = Path(__file__).resolve().parents[1]
NIGHTDESK = [sys.executable, "-m", "pipelines.cli"]


# Seconds of each, of rooms that a change elsewhere seldom breaks: `make deep` and CI run them, `make test` does not.
DEEP = {
    "test_acts_killed", "test_borrow_marts", "test_coverage", "test_crash_matrix", "test_disk_full",
    "test_evidence_fuzz", "test_evidence_registry",
    "test_evidence_reserve", "test_faults", "test_hmm_options", "test_hostile_companies", "test_ingest_interrupted",
    "test_journal_disk", "test_lake_answers", "test_lake_trouble",
    "test_lake_basis", "test_lake_context", "test_lake_expectations", "test_lake_killed", "test_lake_names",
    "test_lake_versions",
    "test_leaks_told", "test_live_page",
    "test_marts_as_of", "test_marts_graph", "test_marts_malformed", "test_marts_minutes_alone",
    "test_marts_publication", "test_marts_quarantine", "test_marts_samples",
    "test_marts_units",
    "test_model_leaks", "test_new_feature", "test_notebooks", "test_pages_hostile",
    "test_promotion_sensors", "test_real_features",
    "test_real_marts", "test_real_subsets", "test_sandbox_apart", "test_sectors",
    "test_store_build", "test_store_feast", "test_store_nights", "test_store_online", "test_store_research",
    "test_training_walk", "test_ui_pages", "test_universe_restated", "test_vendors_daily", "test_vendors_indices",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay with one worker, so that what its fixtures make is made once; and the longest come first, so
    that no worker waits for another's last one: whole nights, the two sides of truth, and the pages that show a night
    when it has been made."""
    def rank(item: pytest.Item) -> int:
        night = any(mark.args == ("whole-night",) for mark in item.iter_markers("xdist_group"))
        if item.path.stem == "test_ui_pages":
            return 3
        return 0 if night else 1 if "truth" in item.path.parts else 4 if "test_pipelines" in item.path.parts else 2

    items.sort(key=rank)
    for item in items:
        if item.path.stem in DEEP:
            item.add_marker(pytest.mark.deep)
        if item.get_closest_marker("xdist_group") is None and "truth" not in item.path.parts:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real recorded data, which is never part of the repository."""
    folder = os.environ.get("NIGHTDESK_SAMPLES")
    if not folder:
        pytest.skip("real samples are not here: set NIGHTDESK_SAMPLES to their folder")
    return Path(folder)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no browser: install the package chromium")
    return found


def nightdesk(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would, in its own process."""
    return subprocess.run(
        [*NIGHTDESK, *words, "--home", str(home)],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=900,
    )


@pytest.fixture(scope="session")
def whole_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after one whole night of the small market and one replayed session, made once for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    # What libraries take for a quote, a pattern or an escape is a folder's name here.
    home, done = shared / "it's a [whole] 50%20 night", shared / "whole-night.json"
    with open(shared / "whole-night.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            for words in (("nightly", "--set", "sandbox.small=true"), ("live", "--feed", "sandbox")):
                ran = nightdesk(*words, home=home)
                assert ran.returncode == 0, f"nightdesk {' '.join(words)}:\n{ran.stderr[-4000:]}"
            done.write_text(json.dumps({"home": str(home)}))
    return home
