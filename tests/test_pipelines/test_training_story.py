"""What is told of a family's fits: importances of the last judged fold, names that regimes kept, each fit as it is."""

import json
from dataclasses import replace

import pytest

from pipelines.report.parts import training as part
from pipelines.training import pictures, story
from pipelines.training.explained import explain
from pipelines.training.folds import Bench
from tests.test_pipelines.training_home import NOW, STRATEGY, small_home, small_inputs, small_settings


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    home, ledger = small_home(tmp_path_factory.mktemp("story"))
    heard = []
    bench = Bench(home, small_settings(slow_step_sessions=30), small_inputs(), ledger, NOW, STRATEGY, heard.append)
    folds = {name: story.fit_family(bench, name) for name in ("hmm", "gbm")}
    sections = {name: story.tell(home, bench, name, folds[name]) for name in folds}
    return home, bench, folds, sections, heard


def test_each_fit_is_heard_as_it_is_done(told):
    _, bench, folds, _, heard = told
    assert [line.split(":")[0].removeprefix("gbm ") for line in heard if line.startswith("gbm")] == [
        "fold 1", "fold 2", "fold 3", "final"]
    before = len(heard)
    assert all(fold.fitted.cached for fold in story.fit_family(bench, "gbm")) and len(heard) == before


def test_importances_are_of_the_last_fold_that_is_judged_and_asked_once(told):
    home, bench, folds, sections, _ = told
    asked = sections["gbm"]["explained"]
    days = bench.inputs.panel.sessions
    assert (asked["first_session"], asked["last_session"]) == (str(days[240]), str(days[259]))
    columns = set(STRATEGY.gbm.columns)
    assert set(asked["permutation"]) == set(asked["shap"]) == set(asked["forest"]) == columns
    (kept,) = (home.work / "explained").glob("*.json")
    kept.write_text(json.dumps({"kept": True}))
    assert explain(bench, folds["gbm"]) == {"kept": True}
    assert explain(bench, folds["gbm"][-1:]) == {}  # a final fit alone is judged on nothing


def test_every_refit_is_held_to_the_one_before_it_and_agrees_with_itself(told):
    _, bench, folds, sections, _ = told
    assert len(sections["hmm"]["agreement"]) == 3
    twice = [folds["hmm"][0], replace(folds["hmm"][0], test=folds["hmm"][1].test)]
    assert story.agreement(twice, bench)[0]["share"] == 1.0


def test_the_report_and_the_asset_draw_them(told):
    home, _, _, sections, _ = told

    class Told:
        def get(self, name):
            return home.read_section(name)

    page = "".join(str(piece) for piece in part.draw(Told()))
    for words in ("rank IC lost when dealt anew", "share of SHAP", "in a forest", "hmm.naming = extremes"):
        assert words in page
    for drawn in (pictures.importances(sections["gbm"]), pictures.losses(sections["hmm"]),
                  pictures.losses(sections["gbm"])):
        assert drawn.startswith("![") and len(drawn) > 5000
