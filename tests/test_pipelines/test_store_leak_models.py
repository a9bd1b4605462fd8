"""The night's look at its own models: clean as they are, refused by the gate where one was fitted on what it judges."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from models.labels import TrainingSet
from pipelines.evidence.health import examine
from pipelines.evidence.ledger import Ledger
from pipelines.store.leak.models_nightly import ELSEWHERE, SECTION, drawn, learn_again, nightly
from pipelines.store.leak.words import in_words
from pipelines.training.families import FAMILIES, family
from pipelines.training.folds import Bench
from pipelines.training.walk import fit_final, walk_forward
from tests.test_pipelines.training_home import CANDIDATES, NOW, STRATEGY, small_home, small_inputs, small_settings

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    home, ledger = small_home(tmp_path_factory.mktemp("models"))
    inputs = small_inputs()
    return home, ledger, inputs, walk_forward(home, small_settings(), inputs, ledger, NOW, CANDIDATES)


def test_every_fold_of_every_family_is_what_was_known_when_it_began(walked):
    home, ledger, inputs, result = walked
    head = ledger.head
    for name in FAMILIES:
        for fold in result.folds[name]:
            assert learn_again(home, small_settings(), inputs, result, NOW, name, fold) == []
    assert ledger.head == head  # what is learnt again is scored by nobody, and chosen as it was


def test_families_take_turns_and_the_same_question_is_not_asked_twice(walked):
    home, _, inputs, result = walked
    nights = [drawn(result, 7, NOW.date() + dt.timedelta(days=ahead)) for ahead in range(30)]
    assert [name for name, _ in nights[:3]] == [name for name, _ in nights[3:6]]
    assert {(name, fold.number) for name, fold in nights} == {
        (name, fold.number) for name in FAMILIES for fold in result.folds[name]}
    first = nightly(home, small_settings(), inputs, result, NOW)
    again = nightly(home, small_settings(), inputs, result, NOW)
    assert first["passed"] and first == again == home.read_section(SECTION)
    (row,) = Ledger(home.ledger).rows("diagnostic")
    assert row["detail"]["leak_refit"] == first["family"] and Ledger(home.ledger).n(row["target"]) == 3
    other = nightly(home, small_settings(), inputs, result, NOW + dt.timedelta(days=1))
    assert other["passed"] and other["family"] != first["family"]


def test_a_model_fitted_on_the_sessions_that_it_judges_is_named_and_vetoes(walked):
    home, _, inputs, result = walked
    ledger = Ledger(home.ledger)
    settings, fold = small_settings(), result.folds["gbm"][1]
    targets = Bench(home, settings, inputs, ledger, NOW, STRATEGY).targets
    seen = TrainingSet.cut(inputs.panel, targets, np.arange(int(fold.test[-1]) - 10))  # the fold's own sessions too
    leaky = family("gbm").fit(seen, fold.config, settings.seed, None)
    planted = replace(result, folds={**result.folds, "gbm": [
        replace(one, fitted=replace(one.fitted, data=leaky)) if one is fold else one for one in result.folds["gbm"]]})
    (found,) = learn_again(home, settings, inputs, planted, NOW, "gbm", planted.folds["gbm"][1])
    assert found["feature"] == "gbm model (bytes)" and found["entity"] == "fold 2"
    assert found["first_bad_time"] == str(inputs.panel.sessions[fold.test[0]])
    assert found["reason"] == ELSEWHERE and found["input"] == "the weights themselves"  # the night's way to it is clean
    home.write_section("leak", {"passed": True, "parity_passed": True, "findings": []})
    final = fit_final(home, settings, inputs, STRATEGY, ledger, NOW)
    files = {"hmm.json": final.hmm, "gbm.txt": final.gbm, "gnn.safetensors": final.gnn}
    asked = (home, ledger, files, STRATEGY, inputs.panel, inputs.labelled)
    assert examine(*asked).leak_clean is True
    home.write_section(SECTION, {"passed": False, "findings": [found]})
    told = examine(*asked)
    assert told.leak_clean is False and any("gbm model (bytes) of fold 2, first on" in word for word in told.words)


def test_a_night_whose_own_way_leaks_is_told_what_it_learnt_from(walked, monkeypatch):
    home, _, inputs, result = walked
    monkeypatch.setattr(Bench, "_known_before", lambda self, row, name: np.arange(row))  # nothing is purged
    fold = result.folds["gbm"][1]
    bench = Bench(home, small_settings(), inputs, Ledger(home.ledger), NOW, STRATEGY)
    seen, config = bench.at("gbm", int(fold.test[0]))
    leaky = family("gbm").fit(seen, config, small_settings().seed, None)
    judged = replace(fold, fitted=replace(fold.fitted, data=leaky))
    found = learn_again(home, small_settings(), inputs, result, NOW, "gbm", judged)
    assert found and {one["reason"] for one in found} == {"fitted on labels that were not over yet: not purged"}
    assert found[0]["input"] == f"unfinished labels after {found[0]['first_bad_time']}"
    assert "gbm model (bytes) of fold 2, first on" in in_words(found[0])
