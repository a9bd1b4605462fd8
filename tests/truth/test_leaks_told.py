"""Each of the fifteen planted leaks is refused, and its true reason is told wherever one looks: in a check's words, in
the verdict of the gate and so its record, and on the page of the night."""

import datetime as dt
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.validation.evidence import Evidence
from models.validation.gate import judge
from models.validation.policy import preset
from pipelines.defs.features import checks
from pipelines.evidence.health import examine
from pipelines.evidence.verdict import plain_verdict
from pipelines.home import Home
from pipelines.report import render
from pipelines.settings import Settings
from pipelines.store import leak
from pipelines.store.frame import decision_time
from pipelines.store.leak import gate, words
from pipelines.store.leak.models_nightly import told as told_of_models
from pipelines.training.walk import fit_final
from tests.test_models import planted
from tests.test_pipelines.report_story import story_sections
from tests.test_pipelines.training_home import NOW, STRATEGY, small_home, small_inputs, small_settings
from tests.truth.planting import DECISIONS, Field, live_through, named
from tests.truth.plants import PLANTS
from tests.truth.plants.learners import LEARNERS, PlantedLearner

pytestmark = pytest.mark.filterwarnings("ignore")  # numpy warns where a window is all missing
CHANGES = words.HOW["truncate"]
FEATURES = {  # the plant, and what must be told beside feature, entity, first bad date
    "L1-smoothed": (CHANGES, "moved by daily_bars.close"),
    "L2-last-factor": (CHANGES, "total_return_factor"),
    "L3-survivors": (CHANGES, "rows of daily_bars"),
    "L4-restated-close": (CHANGES, "moved by equity_bars (through daily_bars.close"),
    "L7-known-at-the-close": (words.HOW["clock audit"], "a cell of daily_bars is known before its facts were"),
    "L8-known-at-four": (words.HOW["clock audit"], "a cell of option_metrics is known before its facts were"),
    "L9-an-hour-of-summer": (words.HOW["clock audit"], "of another time than its facts"),
    "L10-closes-carried": (words.HOW["presence audit"], "daily_bars has no bar of that session"),
    "L11-next-return": (CHANGES, "moved by daily_bars.close"),
    "L13-filled-backwards": (CHANGES, "moved by daily_bars.close"),
    "L14-neighbours": (CHANGES, "moved by daily_bars.close"),
}
MODELS = {one.label: one for one in reversed(LEARNERS)}  # where a leak shows in two ways, the first


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    folder = tmp_path_factory.mktemp("told")
    field = Field(*live_through(folder / "home"), folder)
    yield field
    field.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """A home with fitted files that are as they should be: what is refused is refused for the leak alone."""
    home, ledger = small_home(tmp_path_factory.mktemp("desk"))
    inputs = small_inputs()
    final = fit_final(home, small_settings(), inputs, STRATEGY, ledger, NOW)
    files = {"hmm.json": final.hmm, "gbm.txt": final.gbm, "gnn.safetensors": final.gnn}
    return home, ledger, files, STRATEGY, inputs.panel, inputs.labelled


def _verdict(desk: tuple[Any, ...], **sections: dict[str, Any]) -> dict[str, Any]:
    """What the gate answers to a search whose skill is beyond doubt, on a home whose sections say this."""
    home = desk[0]
    clean = {"leak": {"passed": True, "parity_passed": True, "findings": []}, "model_leak": {"passed": True}}
    for name, section in (clean | sections).items():
        home.write_section(name, section)
    active = 0.01 * np.random.default_rng(5).standard_normal((504, 4)) + 0.004
    evidence = Evidence(("a", "b", "c", "d"), active, active[:, 0], 0, None, 10, examine(*desk), 7)
    return plain_verdict(judge(evidence, preset("default")))


def _page(folder: Path, sections: dict[str, Any]) -> str:
    """The text of the night's page as a person reads it."""
    home = Home(folder).prepare()
    for name, section in sections.items():
        home.write_section(name, section)
    text = render(home, Settings(home=folder), NOW).read_text().partition("<body>")[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def _day(moment: str) -> str:
    told = dt.date.fromisoformat(moment[:10])
    return f"{told.day} {told:%b %Y}"


def test_without_a_leak_the_same_search_is_promoted(desk: tuple[Any, ...]) -> None:
    verdict = _verdict(desk)
    assert verdict["act"] == "promote", verdict["reasons"]


@pytest.mark.parametrize("label", FEATURES)
def test_a_leaking_feature_stops_the_night_and_the_page_says_why(
    field: Field, desk: tuple[Any, ...], tmp_path: Path, label: str,
) -> None:
    (plant,) = (one for one in PLANTS if one.label == label)
    found = field.catch(plant)
    told = [one for one in found if named(plant, [one])]
    assert told, found
    moments = tuple(decision_time(day) for day in DECISIONS)
    section = gate.told_of(gate.LeakResult(moments, ("truncate",), tuple(found), 1), told, [])
    first = section["findings"][0]
    sentence = words.in_words(first)
    for part in (*FEATURES[label], first["entity"], first["first_bad_time"]):
        assert part in sentence, sentence
    assert sentence[:-1] in checks._told(section["findings"])
    verdict = _verdict(desk, leak=section)
    (reason,) = verdict["reasons"]
    assert verdict["act"] == "reject" and sentence in reason
    page = _page(tmp_path, {**story_sections(), "leak": section})
    assert "Stopped." in page and "Promoted" not in page
    lede = f"{words.because(first)}; first bad date {_day(first['first_bad_time'])}."
    assert words.subject(first) in page and lede in page
    assert page.count(words.because(first)) >= 2  # at the top, and in the table of the chapter


@pytest.mark.parametrize("label", MODELS)
def test_a_leaking_model_is_rejected_and_record_and_page_say_why(
    desk: tuple[Any, ...], tmp_path: Path, label: str,
) -> None:
    plant: PlantedLearner = MODELS[label]
    known = leak.Known(*planted.market(21, sessions=125, names=8), horizon=5)
    decisions = (104, 120) if label.startswith("L15") else (90,)
    found = [one for one in leak.model_check(plant.learner(), known, decisions, seed=3) if one.what == plant.what]
    (first,) = told_of_models(found, "fold 2")
    sentence = words.in_words(first)
    for part in (plant.what, "fold 2", first["first_bad_time"], plant.reason, plant.input):
        assert part in sentence, sentence
    section = {"passed": False, "family": "gbm", "fold": 2, "session": first["decision_time"], "findings": [first]}
    verdict = _verdict(desk, model_leak=section)
    (reason,) = verdict["reasons"]
    assert verdict["act"] == "reject" and sentence in reason
    told = {**story_sections(), "model_leak": section}
    told["verdict"] |= {"act": "reject", "promoted": False, **verdict}
    page = _page(tmp_path, told)
    assert "Rejected." in page and "a model knew its future" in page
    assert page.count(sentence) >= 2  # as the reason at the top, and where the gate was asked
    assert page.count(words.because(first)) >= 3  # and in the chapter of the leak gate


def test_they_are_the_fifteen() -> None:
    assert {label.partition("-")[0] for label in (*FEATURES, *MODELS)} == {f"L{number}" for number in range(1, 16)}
