"""A rule that decides as a strategy does: chosen by name and key, alike alone and in a batch, told by its own bytes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.features.inputs import OF_BARS
from models.features.panel import FeaturePanel
from models.features.registry import DAILY, named
from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.signals.chosen import CHOOSABLE, book_of, chosen, columns_of, in_full
from models.strategy import Models, StrategyConfig, decide, decide_many
from tests.test_models.signal_panels import market

LEARNED = StrategyConfig("small", gbm=GbmConfig(features=("ret_5", "zscore_20")),
                         gnn=GnnConfig(features=("ret_5",), graph_window=40), risk_window=60)


def ruled(name: str) -> StrategyConfig:
    return replace(LEARNED, name=name, rule=chosen(name))


class Regimes:
    """Believes in one state, so that whatever a rule wants is its own."""

    names = ("Bull", "Bear", "HighVol_Chop", "LowVol_Chop")

    def posterior(self, panel: FeaturePanel, row: int) -> np.ndarray:
        return np.array([0.7, 0.1, 0.1, 0.1])


MODELS = Models(Regimes(), None, None)  # type: ignore[arg-type]  # trees and graph are not asked


@pytest.fixture(scope="module")
def panel() -> FeaturePanel:
    """Columns as the training panel calls them: the daily ones by bare name, the others in full."""
    known = market(12)
    bare = tuple(name.partition(":")[2] if name in DAILY else name for name in known.features)
    return replace(known, features=bare)


@pytest.mark.parametrize("name", CHOOSABLE)
def test_live_makes_every_column_of_a_rule_from_daily_bars(name: str) -> None:
    columns = columns_of(chosen(name))
    assert {feature.cells for feature in named(columns)} <= set(OF_BARS)
    assert tuple(feature.ref for feature in named(columns)) == book_of(chosen(name)).features
    assert set(columns) <= set(ruled(name).features) and ruled(name).history >= book_of(chosen(name)).history


@pytest.mark.parametrize("name", CHOOSABLE)
def test_a_decision_alone_has_the_bits_of_the_batch_and_of_the_diagnostic(name: str, panel: FeaturePanel) -> None:
    config, rows = ruled(name), [270, 300, 329]
    diagnostic = book_of(config.rule or ("", "")).weights(in_full(panel), rows)
    read = tuple(column for column in config.features if column in panel.features)
    assert set(columns_of(chosen(name))) <= set(read)
    for at, (row, batch) in enumerate(zip(rows, decide_many(config, MODELS, panel, rows), strict=True)):
        alone = decide(config, MODELS, panel.select(read).upto(row + 1), {})
        for part in ("weights", "score", "gbm"):
            assert np.array_equal(getattr(alone, part), getattr(batch, part), equal_nan=True)
        assert np.array_equal(batch.weights, diagnostic[at]) and batch.regime == alone.regime
        assert np.isfinite(batch.score[batch.weights != 0.0]).all()
        assert np.isnan(batch.score[~panel.tradable[row]]).all()


def test_a_rule_is_a_trial_of_its_own_and_the_others_stay_what_they_were() -> None:
    assert "rule" not in json.loads(LEARNED.to_json())
    keys = {LEARNED.key(), *(ruled(name).key() for name in CHOOSABLE)}
    assert len(keys) == len(CHOOSABLE) + 1
    assert StrategyConfig.from_json(ruled("vam").to_json()) == ruled("vam")
    assert LEARNED.features == ruled("vam").features[: len(LEARNED.features)]


@pytest.mark.parametrize("rule", [["tea", "0" * 64], ["vam", "0" * 64], ["confluence", "0" * 64], ["vam"]])
def test_another_rule_under_the_name_is_refused(rule: list[str]) -> None:
    told = {**json.loads(ruled("vam").to_json()), "rule": rule}
    with pytest.raises(ValueError):
        StrategyConfig.from_json(json.dumps(told))
