"""What every model family must keep, whatever it is made of: a new one joins by its entry in families.py alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import models
from models import structure
from models.labels import TrainingSet
from pipelines.training.families import FAMILIES, columns_of, family
from tests.conftest import ROOT
from tests.read_by import read_by
from tests.test_models import planted

ROWS = np.arange(40, 130)
CONFIGS = {name: family(name).small(planted.OWN, planted.MARKET) for name in FAMILIES}
# What a bundle that does not add up may raise, as models/bundle.py takes it.
REFUSED = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


def fit(name, panel, returns, rows=ROWS, seed=5):
    return family(name).fit(TrainingSet.cut(panel, returns, rows), CONFIGS[name], seed, None)


def score(name, data, panel, row):
    return family(name).score(family(name).load(data), panel, row)


def column(name, which=0):
    """A column that this family reads, of single names where it reads any."""
    return columns_of(CONFIGS[name])[which]


@pytest.fixture(scope="module")
def market():
    return planted.market(21, sessions=150, names=10)


@pytest.fixture(scope="module")
def fitted(market):
    return {name: fit(name, *market) for name in FAMILIES}


def test_each_folder_with_a_fit_is_a_family():
    folders = {path.parent.name for path in Path(models.__file__).parent.glob("*/fit.py")}
    assert folders == set(FAMILIES) and {family(name).file for name in FAMILIES} == set(structure.CHECKS)


@pytest.mark.parametrize("name", FAMILIES)
def test_same_rows_and_seed_give_the_same_bytes(name, market, fitted):
    np.random.seed(99)  # whatever a caller did to the global generator
    before = np.random.get_state()[1].tobytes()
    assert fit(name, *market) == fitted[name]
    assert np.random.get_state()[1].tobytes() == before


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_heard_of_a_fit_does_not_change_it(name, market, fitted):
    heard = []
    data = family(name).fit(TrainingSet.cut(*market, ROWS), CONFIGS[name], 5, lambda *told: heard.append(told))
    assert data == fitted[name]
    assert [step for step, _ in heard] == list(range(len(heard))) and heard
    assert np.isfinite([loss for _, loss in heard]).all() and heard[-1][1] < heard[0][1]


@pytest.mark.parametrize("name", FAMILIES)
def test_inputs_are_not_changed(name, market):
    panel, returns = market
    before = panel.values.tobytes(), panel.tradable.tobytes(), returns.tobytes()
    score(name, fit(name, panel, returns), panel, 140)
    assert (panel.values.tobytes(), panel.tradable.tobytes(), returns.tobytes()) == before


@pytest.mark.parametrize("name", FAMILIES)
def test_the_order_of_the_panels_columns_does_not_matter(name, market, fitted):
    panel, returns = market
    other = panel.select(tuple(reversed(panel.features)))
    assert fit(name, other, returns) == fitted[name]
    assert np.array_equal(score(name, fitted[name], other, 140), score(name, fitted[name], panel, 140), equal_nan=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_after_the_cut_reaches_a_fit(name, market, fitted):
    panel, returns = market
    values, later = panel.values.copy(), returns.copy()
    values[130:], later[130:] = 1e6, -0.5
    tradable = panel.tradable.copy()
    tradable[130:] = True
    assert fit(name, replace(panel, values=values, tradable=tradable), later) == fitted[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_after_a_session_reaches_its_score(name, market, fitted):
    panel, _ = market
    assert np.array_equal(score(name, fitted[name], panel.upto(136), 135), score(name, fitted[name], panel, 135),
                          equal_nan=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_name_that_is_not_there_changes_no_bit(name, market, fitted):
    panel, _ = market
    absent = np.full((len(panel.sessions), 1, len(panel.features)), np.nan)
    wider = replace(panel, names=("A", *panel.names), values=np.concatenate([absent, panel.values], axis=1),
                    tradable=np.concatenate([np.zeros((len(panel.sessions), 1), bool), panel.tradable], axis=1))
    alone, beside = score(name, fitted[name], panel, 140), score(name, fitted[name], wider, 140)
    per_name = len(beside) == len(wider.names)
    assert np.array_equal(alone, beside[1:] if per_name else beside, equal_nan=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fit_reads_only_the_columns_it_says(name, market, fitted):
    panel, returns = market
    assert fit(name, panel.select(columns_of(CONFIGS[name])), returns) == fitted[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_bundles_bytes_are_whole_and_score_the_same_each_time(name, market, fitted):
    structure.CHECKS[family(name).file](fitted[name])
    said = [score(name, bytes(bytearray(fitted[name])), market[0], 140) for _ in range(2)]
    assert np.isfinite(said[0]).any() and np.array_equal(said[0], said[1], equal_nan=True)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.55])
def test_bytes_that_are_cut_short_are_refused(name, share, fitted):
    with pytest.raises(REFUSED):
        structure.CHECKS[family(name).file](fitted[name][: int(share * len(fitted[name]))])


@pytest.mark.parametrize("name", FAMILIES)
def test_noise_is_no_model(name, fitted):
    for data in (b"{}", b"\x80\x04K\x01.", np.random.default_rng(3).bytes(400), fitted[name][::-1]):
        with pytest.raises(REFUSED):
            structure.CHECKS[family(name).file](data)


@pytest.mark.parametrize("name", FAMILIES)
def test_gaps_in_the_past_are_learned_around(name, market):
    panel, returns = market
    values = panel.values.copy()
    values[np.random.default_rng(1).random(values.shape) < 0.03] = np.nan
    values[60, :, :] = np.nan  # a whole session without a feature
    gappy = replace(panel, values=values)
    said = score(name, fit(name, gappy, returns), gappy, 140)
    assert np.isfinite(said).any() and not np.isinf(said).any()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_session_without_features_says_nothing_of_names(name, market, fitted):
    panel, _ = market
    values = panel.values.copy()
    values[140] = np.nan
    said = score(name, fitted[name], replace(panel, values=values), 140)
    assert np.isnan(said).all() if len(said) == len(panel.names) else np.isclose(said.sum(), 1.0)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("content", [0.0, 7.5, np.nan])
def test_a_column_that_says_nothing_breaks_nothing(name, content, market):
    """Constant or empty, it is learned around, or the fit is refused in words."""
    panel, returns = market
    values = panel.values.copy()
    values[:, :, panel.features.index(column(name, -1))] = content
    dull = replace(panel, values=values)
    try:
        data = fit(name, dull, returns)
    except ValueError as refused:
        assert "needs" in str(refused)
        return
    structure.CHECKS[family(name).file](data)
    assert np.isfinite(score(name, data, dull, 140)).any()


@pytest.mark.parametrize("name", FAMILIES)
def test_what_cannot_be_learned_from_is_refused_in_words(name, market):
    panel, returns = market
    with pytest.raises(ValueError, match=r"[a-z]{3,} [a-z]{3,}"):
        fit(name, panel, np.full_like(returns, np.nan), rows=np.arange(26, 30))


@pytest.mark.parametrize("name", FAMILIES)
def test_other_code_of_a_fit_is_another_model(name: str) -> None:
    """All that a fit runs through counts in its digest, but for what made its data, which count themselves."""
    through = {path.removeprefix("models/") for path in read_by([ROOT / "models" / name / "fit.py"])}
    outside = {path for path in through if not path.startswith(f"{name}/")}
    assert outside - {"features/feature.py", "features/panel.py", "risk.py"} == set(family(name).shared)
