"""What a person types wrong is answered in one sentence that says what to do, with an exit code and no traceback."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import cli
from pipelines.commands import words
from pipelines.home import Home


def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *command: str) -> str:
    """What is said to a person whose command was refused."""
    monkeypatch.setattr(sys, "argv", ["nightdesk", *command])
    assert cli.run_app() == 2
    said = capsys.readouterr()
    assert said.err.startswith("nightdesk: ") and said.err.count("\n") == 1, said
    return said.err


READS = (("status",), ("sql", "select 1"), ("report",), ("live",), ("backtest",), ("prune",), ("models", "list"),
         ("models", "show", "1"), ("models", "kill", "--actor", "ann", "--reason", "a try"), ("passport", "x"))


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_a_home_that_is_not_there_is_not_made(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mistyped = tmp_path / "hoem"
    assert f"no home at {mistyped}: run `nightdesk nightly` first" in typed(
        monkeypatch, capsys, *command, "--home", str(mistyped))
    assert not mistyped.exists()


def test_a_home_that_is_no_home_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, strange, older = (tmp_path / name for name in ("file", "strange", "older"))
    file.write_text("a letter")
    for folder, stamp in ((strange, "{"), (older, '{"layout": 99}')):
        folder.mkdir()
        (folder / "layout.json").write_text(stamp)
    for home, word in ((file, "is a file: a home is a folder"), (file / "below", "not a folder"),
                       (strange, "layout.json cannot be read"), (older, "has layout 99, this Nightdesk knows 1")):
        for command in (("ingest",), ("nightly",)):
            assert word in typed(monkeypatch, capsys, *command, "--home", str(home))


def test_a_record_that_is_not_there_is_answered_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Home(tmp_path).prepare()
    assert "no record 7; there are none" in typed(monkeypatch, capsys, "models", "show", "7", "--home", str(tmp_path))


@pytest.mark.parametrize(("number", "word"), [
    (errno.ENOSPC, "the disk is full at /d/x: make room"), (errno.EROFS, "/d/x cannot be used"),
    (errno.EACCES, "give this user the folder"), (errno.ENOTDIR, "/d/x is not a folder"),
])  # fmt: skip
def test_what_the_disk_refuses_is_said_with_the_way_out(number: int, word: str) -> None:
    assert word in str(words.sentence(OSError(number, os.strerror(number), "/d/x")))


def test_what_is_ours_to_mend_keeps_its_traceback() -> None:
    assert words.sentence(KeyError("x")) is None and words.sentence(AssertionError()) is None
    assert words.sentence(ZeroDivisionError()) is None and words.sentence(RuntimeError("a library's")) is None


def test_a_program_hears_the_exit_code(tmp_path: Path) -> None:
    asked = subprocess.run([sys.executable, "-m", "pipelines.cli", "status", "--home", str(tmp_path / "none")],
                           capture_output=True, text=True, check=False)
    assert asked.returncode == 2 and asked.stdout == "" and asked.stderr.startswith("nightdesk: no home")
