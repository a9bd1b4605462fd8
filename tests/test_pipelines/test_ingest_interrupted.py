"""An ingest and its recording ended in the middle: said plainly, no lock stays, and the next run is whole."""

import hashlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from pipelines import sandbox, settings
from pipelines.home import Home
from pipelines.lake import record as recorder
from pipelines.lake import sources
from pipelines.lake.facts import facts_digest
from pipelines.lake.ingest import ingest
from pipelines.vendors.files import UNFINISHED, BadFolder, FilesTransport
from tests import OWN
from tests.conftest import NIGHTDESK, ROOT, nightdesk
from tests.test_pipelines import bodies
from tests.test_pipelines.bodies import bar, grouped
from tests.test_pipelines.small_market import small_market

NOW = ("--now", "2025-07-02T06:00:00+0000")


def tree(folder: Path) -> dict[str, str]:
    """Every file, hidden ones too, by its content."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    for number in range(1, 40):
        name = bodies.GROUPED_PATH if number == 1 else f"{bodies.GROUPED_PATH}~{number}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(grouped(bar("AAA", 10 + number / 1000), bar("BBB")))
    return folder


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str]]:
    home, recording = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("recording")
    ended = nightdesk("ingest", "--source", f"files:{source}", *NOW, "--record", str(recording), home=home)
    assert ended.returncode == 0, ended.stderr
    return tree(home / "lake"), tree(recording)


@pytest.mark.parametrize(
    ("ending", "at"),
    [(signal.SIGINT, "… ingest"), (signal.SIGTERM, "… record"), (signal.SIGKILL, "… ingest")],
    ids=["Ctrl-C", "TERM while recording", "KILL"],
)
def test_ended_by_a_signal_it_is_finished_by_the_same_command(
    ending: signal.Signals, at: str, source: Path, undisturbed: tuple[dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    home, recording = tmp_path / "home", tmp_path / "recording"
    words = ["ingest", "--source", f"files:{source}", *NOW, "--record", str(recording), "--home", str(home)]
    with subprocess.Popen([*NIGHTDESK, *words], cwd=ROOT, env=dict(os.environ), stderr=subprocess.PIPE, text=True,
                          stdout=subprocess.DEVNULL) as running:  # fmt: skip
        assert running.stderr is not None
        for line in running.stderr:
            if at in line:
                running.send_signal(ending)
                break
        said = running.stderr.read()
    assert running.returncode in (0, 128 + ending, -ending)  # it may have been done already
    assert "Traceback" not in said
    if running.returncode == 128 + ending:
        assert "the same command, run again" in said
    if recording.exists() and tree(recording) == undisturbed[1]:
        recorder_again = tmp_path / "again"  # a whole recording is not written over
    else:
        recorder_again = recording
    ended = nightdesk("ingest", "--source", f"files:{source}", *NOW, "--record", str(recorder_again), home=home)
    assert ended.returncode == 0, ended.stderr
    assert tree(home / "lake") == undisturbed[0]
    assert tree(recorder_again) == undisturbed[1]


def test_a_recording_that_was_killed_is_no_source_and_is_written_anew(
    source: Path, undisturbed: tuple[dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    home, recording = tmp_path / "home", tmp_path / "recording"
    words = ("ingest", "--source", f"files:{source}", *NOW, "--record", str(recording))
    died = nightdesk(*words, home=home, NIGHTDESK_FAILPOINT="recorded.staged")
    assert died.returncode == -signal.SIGKILL
    assert (recording / UNFINISHED).exists() and (recording / bodies.GROUPED_PATH).exists()
    with pytest.raises(BadFolder, match="was interrupted"):
        FilesTransport(recording)
    (recording / "left").symlink_to(tmp_path)  # nothing outside is touched when the rest goes
    assert nightdesk(*words, home=home).returncode == 0
    assert tree(recording) == undisturbed[1] and tree(home / "lake") == undisturbed[0]
    with pytest.raises(recorder.NotEmpty):
        recorder.record(Home(home), recording)


def test_what_vendors_said_and_its_recording_are_the_same_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "FIRST_LOAD_SESSIONS", 12)
    market, homes = small_market(), (Home(tmp_path / "asked"), Home(tmp_path / "read"))
    now = market.night_now(0)
    given = {"home": str(homes[0].root), "source": "vendors", "coverage": {"accept_terms": "cboe"}}
    chosen = settings.load(given, environment=OWN)
    with sandbox.serve(market, now) as served:
        environment = {"POLYGON_API_KEY": served.key, "DATABENTO_API_KEY": served.key, "CBOE_BASE_URL": served.cboe,
                       "POLYGON_BASE_URL": served.polygon, "DATABENTO_BASE_URL": served.databento}  # fmt: skip
        with sources.opened(chosen, homes[0], now, environment) as source:
            ingest(chosen, homes[0], now, source)
    recorder.record(homes[0], tmp_path / "recording")
    read = settings.load({"home": str(homes[1].root), "source": f"files:{tmp_path / 'recording'}"}, environment=OWN)
    ingest(read, homes[1], now)
    assert facts_digest(homes[0]) == facts_digest(homes[1])
