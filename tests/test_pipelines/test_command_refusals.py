"""What a person types wrong is answered in one sentence that says what to do, with an exit code and no traceback."""

import errno
import json
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
    file, strange, older, checkout = (tmp_path / name for name in ("file", "strange", "older", "checkout"))
    (checkout / ".git").mkdir(parents=True)
    file.write_text("a letter")
    for folder, stamp in ((strange, "{"), (older, '{"layout": 99}')):
        folder.mkdir()
        (folder / "layout.json").write_text(stamp)
    for home, word in ((file, "is a file: a home is a folder"), (file / "below", "not a folder"),
                       (checkout, "a home wants a folder of its own"),
                       (strange, "layout.json cannot be read"), (older, "has layout 99, this Nightdesk knows 1")):
        for command in (("ingest",), ("nightly",)):
            assert word in typed(monkeypatch, capsys, *command, "--home", str(home))


def test_a_record_that_is_not_there_is_answered_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Home(tmp_path).prepare()
    assert "no record 7; there are none" in typed(monkeypatch, capsys, "models", "show", "7", "--home", str(tmp_path))


@pytest.mark.parametrize(("command", "word"), [
    (("nightly", "--source", "files:/no/such"), "--source files:/no/such: there is no such folder"),
    (("ingest", "--source", "files:/no/such"), "--source files:/no/such: there is no such folder"),
    (("nightly", "--source", "sandbx"), "--source sandbx is not known: sandbox, files:DIR or vendors"),
    (("nightly", "--set", "profile=bold"), "profile = bold: input should be 'conservative', 'balanced'"),
    (("ingest", "--set", "sandbox.names=many"), "sandbox.names = many: input should be a valid integer"),
    (("ingest", "--record", __file__), "not a folder"),
    (("live", "--bundle", "/no/such"), "no bundle at /no/such"), (("live", "--shadow", "/no/such"), "no bundle at /no"),
    (("features", "get", "--features", "ret_5,rsi_15", "--entities", "e", "--out", "o"), "rsi_15; did you mean rsi_14"),
], ids=lambda told: " ".join(told[-2:]) if isinstance(told, tuple) else "")  # fmt: skip
def test_what_was_mistyped_binds_no_home(
    command: tuple[str, ...], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Home(tmp_path / "home").prepare()
    assert word in typed(monkeypatch, capsys, *command, "--home", str(tmp_path / "home"))
    assert not (tmp_path / "home" / "market.json").exists()


@pytest.mark.parametrize("command", [
    ("live", "--sessions", "0"), ("live", "--serve", "--port", "99999"), ("ui", "--port", "65536"),
    ("ui", "--port", "0"),
], ids=" ".join)  # fmt: skip
def test_a_number_that_cannot_be_is_refused_with_its_range(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nightdesk", *command])
    assert cli.run_app() == 2
    assert "greater than or equal" in (said := capsys.readouterr().err) or "less than or equal" in said


def test_a_program_that_asked_for_a_document_is_answered_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nightdesk", "status", "--json", "--home", str(tmp_path / "none")])
    assert cli.run_app() == 2
    assert json.loads(capsys.readouterr().out)["error"].startswith("no home at")


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


def test_a_screen_that_has_not_our_letters_is_told_all_the_same() -> None:
    plain = {**os.environ, "PYTHONIOENCODING": "ascii"}
    asked = subprocess.run([sys.executable, "-m", "pipelines.cli", "nightly", "--help"], env=plain, capture_output=True,
                           text=True, check=False)
    assert asked.returncode == 0 and "ingest" in asked.stdout and asked.stderr == ""
