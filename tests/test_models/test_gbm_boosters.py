"""Boosters from JSON, walked in NumPy as their makers walk them; `MLStrategy` over them; never a pickle."""

import copy
import json
import pickle
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from models.gbm import MLStrategy, trees

RECORDED = json.loads((Path(__file__).parent / "recorded" / "xgboost_small.json").read_text())["models"]


def boosted(seed=1, **parameters):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(1500, 4))
    inputs[rng.random(inputs.shape) < 0.15] = np.nan
    inputs[rng.random(inputs.shape) < 0.1] = 0.0
    labels = (np.nan_to_num(inputs[:, 0]) + np.nan_to_num(inputs[:, 1] * inputs[:, 2]) > 0.0).astype(float)
    told = {"objective": "binary", "num_leaves": 12, "verbosity": -1, "num_threads": 1, "seed": 1, **parameters}
    return lightgbm.train(told, lightgbm.Dataset(inputs, labels, feature_name=list("abcd")), 15), inputs


@pytest.mark.parametrize("parameters", [
    {}, {"objective": "regression"}, {"use_missing": False}, {"zero_as_missing": True},
    {"boosting": "rf", "objective": "regression", "bagging_fraction": 0.6, "bagging_freq": 1},
])
def test_lightgbms_dump_is_scored_as_lightgbm_scores(parameters):
    booster, inputs = boosted(**parameters)
    read = trees.read(json.dumps(booster.dump_model()).encode())
    assert read.features == ("a", "b", "c", "d")
    assert read(inputs) == pytest.approx(booster.predict(inputs, num_threads=1), abs=1e-12)


@pytest.mark.parametrize("objective", RECORDED)
def test_xgboosts_model_file_is_scored_as_it_was_there(objective):
    told = RECORDED[objective]
    read = trees.read(json.dumps(told["model"]).encode())
    rows = np.array([[np.nan if value is None else value for value in row] for row in told["rows"]])
    assert np.isnan(rows).any() and np.ptp(told["said"]) > 0.2
    assert read(rows) == pytest.approx(told["said"], abs=1e-6)


def spoiled(how):
    model = copy.deepcopy(RECORDED["binary:logistic"]["model"])
    learner = model["learner"]
    tree = learner["gradient_booster"]["model"]["trees"][0]
    how(model, learner, tree)
    return json.dumps(model).encode()


@pytest.mark.parametrize(("how", "words"), [
    (lambda model, learner, tree: tree["left_children"].__setitem__(0, 0), "children"),  # a circle
    (lambda model, learner, tree: tree["right_children"].__setitem__(0, 99), "children"),
    (lambda model, learner, tree: tree["split_indices"].__setitem__(0, 77), "splits on no feature"),
    (lambda model, learner, tree: tree["split_conditions"].__setitem__(-1, float("nan")), "no feature, or a leaf"),
    (lambda model, learner, tree: tree["default_left"].pop(), "several lengths"),
    (lambda model, learner, tree: learner["objective"].update(name="rank:ndcg"), "rank:ndcg"),
    (lambda model, learner, tree: learner["learner_model_param"].update(base_score="1E0"), "no probability"),
    (lambda model, learner, tree: learner["gradient_booster"].update(name="dart"), "gbtree"),
    (lambda model, learner, tree: learner["gradient_booster"]["model"].update(trees=[]), "without trees"),
    (lambda model, learner, tree: model.pop("learner"), "neither"),
])
def test_what_does_not_add_up_is_refused_in_words(how, words):
    with pytest.raises(ValueError, match=words):
        trees.read(spoiled(how))


def test_lightgbms_dump_with_categories_or_several_outputs_is_refused():
    told = boosted()[0].dump_model()
    for change, words in (({"num_tree_per_iteration": 3}, "several outputs"),
                          ({"objective": "lambdarank"}, "lambdarank"), ({"objective": "binary sigmoid:2"}, "sigmoid")):
        with pytest.raises(ValueError, match=words):
            trees.read(json.dumps({**told, **change}).encode())


def test_the_strategy_takes_text_or_json_and_says_the_same(tmp_path):
    booster, inputs = boosted()
    (tmp_path / "model.json").write_text(json.dumps(booster.dump_model()))
    (tmp_path / "model.txt").write_text(booster.model_to_string())
    from_json, from_text = (MLStrategy(tmp_path / name, threshold=0.6) for name in ("model.json", "model.txt"))
    assert from_json.predict(inputs) == pytest.approx(from_text.predict(inputs), abs=1e-12)
    strong, weak = (inputs[from_text.predict(inputs).argsort()[at]] for at in (-1, 0))
    spoken = from_json.generate_signal(dict(zip("abcd", strong, strict=True)))
    assert 0.0 < spoken.value <= 1.0 and spoken.components["probability"] > 0.6
    silent = from_json.generate_signal(dict(zip("abcd", weak, strict=True)))
    assert silent.value == 0.0 and silent.regime_filter == "THRESHOLD_FILTER"
    assert from_json.generate_signal({"elsewhere": 1.0}).regime_filter == "NO_DATA"


def test_the_strategy_never_unpickles(tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(pickle.dumps({"tree_info": []}))
    with pytest.raises(ValueError, match="LightGBM text model|ASCII"):
        MLStrategy(path)
    with pytest.raises(ValueError, match="no probability"):
        MLStrategy(b"{}", threshold=50.0)
