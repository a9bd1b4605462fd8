"""One writer a home, under whatever name the home is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.home import Home

ROOT = Path(__file__).resolve().parents[2]
WRITER = "import sys; from pipelines.home import Home, Path\nwith Home(Path(sys.argv[1])).lock(): pass"


def test_one_home_of_many_spellings_is_held_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "desk").prepare()
    (tmp_path / "link").symlink_to(home.root)
    monkeypatch.chdir(tmp_path)
    with home.lock():
        for spelt in ("desk", "link", "desk/../link"):
            with Home(Path(spelt)).lock():
                pass
        command = [sys.executable, "-c", WRITER, str(tmp_path / "link")]
        other = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert f"is being written by process {os.getpid()};" in other.stderr
    with Home(Path("link")).lock():
        pass
