"""What trees can be asked for: weights, constraints, probabilities that mean what they say."""

import dataclasses

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from models import structure
from models.gbm import calibration
from models.gbm.calibration import Calibration
from models.gbm.config import GbmConfig
from models.gbm.fit import fit, rows_of
from models.gbm.score import GbmModel
from models.labels import TrainingSet
from tests.test_models import planted

CONFIG = GbmConfig(features=planted.OWN, context=("mkt_vol_20",), rounds=30, min_leaf=40, leaves=5, learning_rate=0.1)
ROWS = np.arange(25, 230)


@pytest.fixture(scope="module")
def market():
    return planted.market(5, sessions=260, names=14, strength=0.4)


def training(market, rows=ROWS, binary=False):
    panel, returns = market
    return TrainingSet.cut(panel, np.where(np.isfinite(returns), returns > 0.0, np.nan) if binary else returns, rows)


def asked(**options):
    return dataclasses.replace(CONFIG, **options)


def model_of(market, config, binary=False):
    return GbmModel.from_bytes(fit(training(market, binary=binary), config, 3))


def test_a_monotone_column_only_raises_the_score(market):
    panel, _ = market
    free, held = (model_of(market, config) for config in (CONFIG, asked(monotone=(("noise_a", -1), ("ret_20", 1)))))
    inputs, _, _ = rows_of(training(market), ROWS[100:140], CONFIG)

    def walked(model, at):
        steps = []
        for value in np.linspace(-3, 3, 25):
            moved = inputs.copy()
            moved[:, at] = value
            steps.append(model.rows(moved))
        return np.diff(np.array(steps), axis=0)

    at = {name: planted.OWN.index(name) for name in ("noise_a", "ret_20")}
    assert (walked(held, at["ret_20"]) >= 0.0).all() and (walked(held, at["ret_20"]) > 0.0).any()
    assert (walked(held, at["noise_a"]) <= 0.0).all()
    assert (walked(free, at["noise_a"]) > 0.0).any()  # so that the constraint is what did it


def branches(tree, above=()):
    """The columns that meet on each way from the root to a leaf."""
    if "split_feature" not in tree:
        return [set(above)]
    met = (*above, tree["split_feature"])
    return branches(tree["left_child"], met) + branches(tree["right_child"], met)


def test_only_named_columns_meet_in_a_branch(market):
    def meetings(config):
        told = model_of(market, config).booster.dump_model()
        names = told["feature_names"]
        return {frozenset(names[i].split(".")[1] for i in ways) for tree in told["tree_info"]
                for ways in branches(tree["tree_structure"]) if len(ways) > 1}

    allowed = meetings(asked(interactions=(("ret_20", "ret_5", "ret_1"),)))
    assert allowed and all(met <= {"ret_20", "ret_5", "ret_1"} for met in allowed)
    assert any("noise_a" in met or "mkt_vol_20" in met for met in meetings(CONFIG))


def test_rows_whose_labels_overlap_count_for_less(market):
    rows = np.array([*range(25, 120), 150, 180, 210])
    one = training(market, rows)
    equal, unique = (fit(one, asked(weights=kind, label_rows=5), 3) for kind in ("equal", "unique"))
    assert equal != unique == fit(one, asked(weights="unique", label_rows=5), 3)
    # Where no labels overlap all count alike, and the trees are the same.
    apart = training(market, np.arange(25, 230, 7))
    trees = [GbmModel.from_bytes(fit(apart, asked(weights=kind, label_rows=5, min_leaf=10), 3))
             for kind in ("equal", "unique")]
    inputs, _, _ = rows_of(apart, apart.rows, CONFIG)
    assert trees[0].rows(inputs) == pytest.approx(trees[1].rows(inputs), abs=1e-9)


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_probabilities_travel_as_numbers_and_are_closer_to_what_happens(kind, market):
    panel, returns = market
    raw = asked(objective="binary", rounds=150, learning_rate=0.5, min_leaf=20)  # overconfident on purpose
    set_right = dataclasses.replace(raw, calibration=kind)
    data = fit(training(market, binary=True), set_right, 3)
    structure.check_lightgbm(data)
    model, plain = GbmModel.from_bytes(data), GbmModel.from_bytes(data.replace(b"\ncalibration=", b"\nnoted="))
    assert model.calibration is not None and plain.calibration is None
    told, happened = [], []
    for row in range(236, 258):
        both = np.isfinite(model.score(panel, row)) & np.isfinite(returns[row])
        told.append(np.stack([model.score(panel, row)[both], plain.score(panel, row)[both]]))
        happened.append(returns[row][both] > 0.0)
    said, came = np.hstack(told), np.concatenate(happened).astype(float)
    assert ((said >= 0.0) & (said <= 1.0)).all()
    brier = ((said - came) ** 2).mean(axis=1)
    assert brier[0] < brier[1]
    order = np.argsort(said[1], kind="stable")
    assert (np.diff(said[0][order]) >= -1e-12).all()  # a curve that never falls turns no ranking over


def test_the_isotonic_curve_is_sklearns():
    rng = np.random.default_rng(2)
    said = np.round(rng.random(400), 2)
    happened = (rng.random(400) < said**2).astype(float)
    ours = calibration.fit("isotonic", said, happened)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(said, happened)
    at = np.concatenate([np.linspace(0.0, 1.0, 301), said])
    assert ours(at) == pytest.approx(theirs.predict(at), abs=1e-12)


def test_platts_curve_finds_the_one_that_was_planted():
    rng = np.random.default_rng(4)
    odds = rng.normal(0.0, 2.0, 20000)
    happened = (rng.random(20000) < 1.0 / (1.0 + np.exp(-(0.5 * odds - 0.3)))).astype(float)
    found = calibration.fit("platt", 1.0 / (1.0 + np.exp(-odds)), happened)
    assert found.numbers == pytest.approx([0.5, -0.3], abs=0.05)
    upside_down = calibration.fit("platt", 1.0 / (1.0 + np.exp(odds)), happened)
    assert upside_down.numbers[0] == 0.0
    assert upside_down(np.array([0.1, 0.9])) == pytest.approx([happened.mean()] * 2, abs=1e-3)


@pytest.mark.parametrize("value", ["platt", "platt 1.0", "platt -1.0 0.0", "platt nan 0.0", "isotonic 0.1 0.2",
                                   "isotonic 0.1 0.5 0.2 0.4", "isotonic 0.2 0.1 0.1 0.4", "isotonic 0.1 0.5 0.2 1.5",
                                   "sigmoid 1.0 0.0"])
def test_a_curve_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match="calibration"):
        Calibration.parse(value)


def test_what_does_not_go_together_is_said(market):
    with pytest.raises(ValueError, match="wants the objective 'binary'"):
        fit(training(market), asked(calibration="platt"), 3)
    with pytest.raises(ValueError, match="0 or 1"):
        fit(training(market), asked(objective="binary"), 3)


def test_a_forest_is_fitted_from_the_same_rows(market):
    forest = model_of(market, asked(boosting="rf", rounds=40))
    gains = dict(zip(forest.booster.feature_name(), forest.booster.feature_importance("gain"), strict=True))
    assert max(gains, key=gains.get) == "across.ret_20"  # what the market was planted with
