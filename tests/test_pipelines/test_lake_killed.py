"""Killed at any publication, an ingest that is run again leaves the same bytes as one that never died."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_pipelines import bodies
from tests.test_pipelines.bodies import bar, envelope, grouped

ROOT = Path(__file__).resolve().parents[2]
POINTS = ["raw.staged", "raw.renamed", "quarantine.staged", "quarantine.renamed", "lake.staged", "lake.renamed"]
# One process imports everything once and works each job in a child of its own, which may die.
SCRIPT = """
import datetime as dt, json, os, sys
from pathlib import Path
from pipelines import calendars, settings
from pipelines.home import Home
from pipelines.lake.ingest import ingest

calendars.sessions(dt.date(2025, 6, 30), dt.date(2025, 6, 30))
ended = []
for home, source, day, failpoint in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        os.environ["NIGHTDESK_FAILPOINT"] = failpoint
        now = dt.datetime(2025, 7, day, 6, tzinfo=dt.UTC)
        ingest(settings.load({"home": home, "source": f"files:{source}"}), Home(Path(home)), now)
        os._exit(0)
    ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(ended))
"""
RECEIVED = f"""path,received_at,sha256
{bodies.GROUPED_PATH},2025-07-01T06:00:00+00:00,
{bodies.GROUPED_PATH}~2,2025-07-02T06:00:00+00:00,
{bodies.SPLITS_PATH},2025-07-02T06:00:00+00:00,
"""


def run(jobs: list[tuple[Path, Path, int, str]]) -> list[int]:
    """How each of these ingests ended: (home, source, day of July, failpoint)."""
    asked = json.dumps([(str(home), str(source), day, failpoint) for home, source, day, failpoint in jobs])
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, input=asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ended: list[int] = json.loads(done.stdout)
    return ended


def tree(home: Path) -> dict[str, str]:
    """Every file of the lake by its content; what a killed run left half-made begins with a dot and counts too."""
    files = (path for path in (home / "lake").rglob("*") if path.is_file())
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recording")
    split = {"id": "E1", "ticker": "AAA", "execution_date": "2025-07-01", "split_from": 1, "split_to": 2}
    told = {
        bodies.GROUPED_PATH: grouped(bar("AAA"), bar("BBB")),
        f"{bodies.GROUPED_PATH}~2": grouped(bar("AAA"), bar("BBB", 10.5), bar("CCC", v=-1)),
        bodies.SPLITS_PATH: envelope([split]),
    }
    for name, body in told.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    (folder / "received.csv").write_text(RECEIVED)
    return folder


def test_every_death_is_survived(source: Path, tmp_path: Path) -> None:
    homes = {point: tmp_path / point for point in POINTS}
    unharmed = tmp_path / "unharmed"
    # The first batch stands already, so that the deaths happen in the second.
    firsts = [(home, source, 1, "") for home in (unharmed, *homes.values())]
    deaths = [(home, source, 2, point) for point, home in homes.items()]
    ended = run([*firsts, *deaths])
    assert ended == [0] * len(firsts) + [-signal.SIGKILL] * len(deaths)
    committed = {point: (home / "lake/raw/facts/batch-000002").exists() for point, home in homes.items()}
    assert committed == {point: point == "lake.renamed" for point in POINTS}

    assert set(run([(home, source, 2, "") for home in (unharmed, *homes.values())])) == {0}
    expected = tree(unharmed)
    assert "lake/quarantine/batch-000002.parquet" in expected
    for point, home in homes.items():
        assert tree(home) == expected, point


def test_what_was_half_made_goes_although_nobody_needs_it_any_more(source: Path, tmp_path: Path) -> None:
    empty, unharmed = tmp_path / "empty", tmp_path / "unharmed"
    empty.mkdir()
    homes = {point: tmp_path / point for point in POINTS if point.endswith("staged")}
    run([(home, source, 1, "") for home in (unharmed, *homes.values())])
    assert set(run([(home, source, 2, point) for point, home in homes.items()])) == {-signal.SIGKILL}
    assert all(hidden(home) for home in homes.values())
    assert set(run([(home, empty, 2, "") for home in homes.values()])) == {0}
    for point, home in homes.items():
        assert not hidden(home), point
        assert tree(home).items() >= tree(unharmed).items()


def hidden(home: Path) -> list[str]:
    """Files of the lake that are not, or whose folder is not, yet in place."""
    return [name for name in tree(home) if any(part.startswith(".") for part in Path(name).parts)]
