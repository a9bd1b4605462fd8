"""What nobody lends is never sold short, by the learned strategy, by rules and by those of the report alike."""

from dataclasses import replace

import numpy as np
import pytest

from models.features.panel import FeaturePanel
from models.positions import dollar_neutral
from models.signals.book import AlphaBook
from models.signals.catalogue import BOOKS
from models.signals.rules import REVERSAL, rule_weights
from models.strategy import decide, decide_many
from tests.test_models.signal_panels import market
from tests.test_models.test_strategy import CONFIG, world

ROWS = range(100, 168)


def lent(panel: FeaturePanel, share: float, seed: int = 0) -> FeaturePanel:
    chance = np.random.default_rng(seed)
    return replace(panel, shortable=chance.random(panel.tradable.shape) < share)


def weights(panel: FeaturePanel) -> np.ndarray:
    return np.stack([one.weights for one in decide_many(CONFIG, world()[0], panel, ROWS)])


def test_the_learned_strategy_goes_short_only_where_it_is_lent_and_stays_neutral():
    panel = lent(world()[1], 0.5)
    free, held = weights(world()[1]), weights(panel)
    assert (free[~panel.shortable[ROWS.start : ROWS.stop]] < 0.0).any()  # the list has something to forbid
    assert not (held[~panel.shortable[ROWS.start : ROWS.stop]] < 0.0).any()
    assert (held < 0.0).any() and np.abs(held.sum(axis=1)).max() < 1e-12
    assert np.abs(held).sum() > 0.5 * np.abs(free).sum()


def test_a_list_that_lends_everything_moves_no_bit():
    panel = world()[1]
    assert weights(lent(panel, 2.0)).tobytes() == weights(panel).tobytes()


def test_a_list_that_lends_nothing_leaves_nothing_to_hold():
    assert not weights(lent(world()[1], -1.0)).any()


def test_one_session_alone_decides_as_in_batch_and_from_its_stated_history():
    models, panel = world()[0], lent(world()[1], 0.4)
    for row, batch in zip((100, 140), decide_many(CONFIG, models, panel, (100, 140)), strict=True):
        alone = decide(CONFIG, models, panel.upto(row + 1).tail(CONFIG.history).select(CONFIG.features))
        assert alone.weights.tobytes() == batch.weights.tobytes()


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.name)
def test_rules_go_short_only_where_it_is_lent(book: AlphaBook):
    panel = market(5)
    told, rows = lent(panel, 0.5), range(len(panel.sessions))
    free, held = book.weights(panel, rows), book.weights(told, rows)
    assert not (held[~told.shortable] < 0.0).any()
    expected = np.where(told.shortable, free, np.maximum(free, 0.0))
    assert held.tobytes() == (expected + 0.0).tobytes()


def test_the_reports_rules_too():
    panel = world()[1]
    column = panel.features[0]
    rule = replace(REVERSAL, feature=column)
    told = lent(panel, 0.5)
    assert (rule_weights(rule, panel, ROWS)[~told.shortable[ROWS.start : ROWS.stop]] < 0.0).any()
    assert not (rule_weights(rule, told, ROWS)[~told.shortable[ROWS.start : ROWS.stop]] < 0.0).any()


def test_the_position_rule_by_hand():
    score = np.array([3.0, 1.0, -1.0, -3.0])
    assert dollar_neutral(score, 1.0, 0.5).tolist() == pytest.approx([0.375, 0.125, -0.125, -0.375])
    some = dollar_neutral(score, 1.0, 0.4, np.array([False, True, True, False]))
    assert some.tolist() == pytest.approx([0.3, 0.1, -0.4, 0.0])  # what one short can carry is all there is


def test_what_is_lent_is_known_of_all_decisions_or_of_none():
    panel = world()[1]
    with pytest.raises(ValueError, match="of all decisions or of none"):
        panel.then(panel.sessions[:1], panel.values[:1], panel.tradable[:1], panel.tradable[:1])
