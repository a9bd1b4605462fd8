"""An answer stands for the same question, and only while all that was written with it is as it was left."""

import datetime as dt
from pathlib import Path

import pytest

from pipelines import kept
from pipelines import settings as settings_module
from pipelines.home import Home
from tests import OWN

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").prepare()
    made.write_section("warehouse", {"marts": {"daily_bars": {"rows": 3, "digest": "a"}}, "seconds": 1.0})
    return made


def asked(home: Home, now: dt.datetime = NOW, *more: object, **chosen: object) -> str:
    return kept.question(home, settings_module.load({"home": str(home.root), **chosen}, environment=OWN), now, *more)


def test_a_question_is_another_where_settings_moment_marts_or_inputs_are(home: Home, tmp_path: Path) -> None:
    first = asked(home)
    home.write_section("warehouse", {"marts": {"daily_bars": {"rows": 3, "digest": "a"}}, "seconds": 2.0})
    moved = Home(tmp_path / "elsewhere").prepare()
    moved.write_section("warehouse", home.read_section("warehouse"))
    assert asked(home) == asked(moved) == first  # where it lies and how long it took say nothing
    others = [asked(home, NOW + dt.timedelta(hours=1)), asked(home, NOW, "input"), asked(home, seed=8),
              asked(home, gate={"min_dsr": 0.9})]
    home.write_section("warehouse", {"marts": {"daily_bars": {"rows": 3, "digest": "b"}}})
    assert len({first, *others, asked(home)}) == 6


def test_other_code_is_another_question(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = asked(home)
    for name, text in (("kept.py", "one"), ("kept.py", "two")):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(kept, "__file__", str(tmp_path / name))
        kept.code.cache_clear()
        assert asked(home) != first
        first = asked(home)
    monkeypatch.undo()
    kept.code.cache_clear()


def test_an_answer_is_gone_with_any_of_its_files_or_a_note_that_is_none(home: Home) -> None:
    page = home.reports / "page.html"
    page.parent.mkdir()
    page.write_text("one")
    assert kept.answer(home, "page", "q") is None
    kept.keep(home, "page", "q", {"rows": 3}, [page])
    assert kept.answer(home, "page", "q") == {"rows": 3} and kept.answer(home, "page", "other") is None
    page.write_text("two")
    assert kept.answer(home, "page", "q") is None
    page.write_text("one")
    assert kept.answer(home, "page", "q") == {"rows": 3}
    page.unlink()
    assert kept.answer(home, "page", "q") is None
    for broken in ("", "[]", '{"asked": "q"}'):
        (home.work / "kept" / "page.json").write_text(broken)
        assert kept.answer(home, "page", "q") is None
