"""What holds of every rule there is: bounded, silent without data, blind to the future, and the same from a tail."""

from dataclasses import replace

import numpy as np
import pytest

from models.features.panel import FeaturePanel
from models.signals.alpha import FILTERS, Filter
from models.signals.book import AlphaBook
from models.signals.catalogue import BOOKS, CATCH_UP, MEANINGS, ROTATION, of_horizon
from models.signals.horizons import Horizon
from models.signals.rotation import HISTORY, lag_behind_neighbours
from tests.test_models.signal_panels import market

SILENT = [FILTERS.index(one) for one in (Filter.NO_DATA, Filter.ADX_FILTER, Filter.HURST_FILTER,
                                         Filter.THRESHOLD_FILTER, Filter.REGIME_FILTER)]
every_rule = pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.name)


@pytest.fixture(scope="module")
def panel() -> FeaturePanel:
    return market(5)


@every_rule
def test_what_is_said_is_bounded_and_silence_has_a_reason(book: AlphaBook, panel: FeaturePanel) -> None:
    said = book.signal(panel)
    assert np.isfinite(said.value).all() and np.abs(said.value).max() <= 1.0
    assert said.confidence.min() >= 0.0 and said.confidence.max() <= 1.0
    assert 0 < (said.conviction != 0.0).sum() < said.value.size
    assert not said.value[np.isin(said.filters, SILENT)].any()
    weights = book.weights(panel, range(len(panel.sessions)))
    assert np.abs(weights).max() <= book.max_weight + 1e-12
    assert np.abs(weights).sum(axis=1).max() <= book.gross + 1e-12
    assert not weights[~panel.tradable].any()


@every_rule
def test_a_name_of_which_nothing_is_known_is_never_held(book: AlphaBook, panel: FeaturePanel) -> None:
    values = panel.values.copy()
    values[:, 4] = np.nan
    said = book.signal(replace(panel, values=values))
    assert not said.conviction[:, 4].any()
    assert not book.weights(replace(panel, values=values), range(len(panel.sessions)))[:, 4].any()


@every_rule
def test_a_scrambled_future_changes_no_past(book: AlphaBook, panel: FeaturePanel) -> None:
    values = panel.values.copy()
    values[300:] = np.random.default_rng(9).permutation(values[300:].ravel()).reshape(values[300:].shape)
    rows = range(280, 300)
    assert np.array_equal(book.weights(replace(panel, values=values), rows), book.weights(panel, rows))


@every_rule
def test_permuted_names_are_permuted_weights(book: AlphaBook, panel: FeaturePanel) -> None:
    order = np.random.default_rng(2).permutation(len(panel.names))
    other = FeaturePanel(panel.sessions, tuple(panel.names[at] for at in order), panel.features,
                         np.ascontiguousarray(panel.values[:, order]), panel.tradable[:, order])
    rows = range(290, 310)
    assert np.array_equal(book.weights(other, rows), book.weights(panel, rows)[:, order])


@every_rule
def test_a_tail_has_the_bits_of_the_whole_history(book: AlphaBook, panel: FeaturePanel) -> None:
    whole = book.weights(panel, range(len(panel.sessions)))
    for row in (270, 301, 329):
        tail = panel.upto(row + 1).tail(book.history)
        assert np.array_equal(book.weights(tail, [len(tail.sessions) - 1])[0], whole[row])
    assert np.array_equal(book.weights(panel, [301, 270]), whole[[301, 270]])


@every_rule
def test_a_much_shorter_tail_is_noticed_where_a_rule_remembers(book: AlphaBook, panel: FeaturePanel) -> None:
    """So that a tail with the bits of the whole is no accident."""
    if book.history == 1:
        return
    rows, few = range(book.history, len(panel.sessions), 4), max(1, book.history // 8)
    short = [book.weights(panel.upto(row + 1).tail(few), [few - 1])[0] for row in rows]
    assert not np.array_equal(np.stack(short), book.weights(panel, rows))


@every_rule
def test_a_rule_reads_the_columns_that_it_names_and_no_other(book: AlphaBook, panel: FeaturePanel) -> None:
    alone = panel.select(book.features)
    rows = range(290, 310)
    assert np.array_equal(book.weights(alone, rows), book.weights(panel, rows))


def test_every_rule_is_a_trial_of_its_own_and_is_told_in_words() -> None:
    keys = {book.key() for book in BOOKS}
    assert len(keys) == len(BOOKS) and {ROTATION.key(), CATCH_UP.key()}.isdisjoint(keys)
    assert replace(BOOKS[0], name="another").key() == BOOKS[0].key()
    assert replace(BOOKS[0], hold_sessions=4).key() != BOOKS[0].key()
    assert set(MEANINGS) == {book.name for book in BOOKS} | {ROTATION.name, CATCH_UP.name}
    assert set(of_horizon(Horizon.SWING)) == set(MEANINGS) and not of_horizon(Horizon.MICROSTRUCTURE)


def test_who_lags_its_neighbours_is_known_from_sixty_rows(panel: FeaturePanel) -> None:
    lag = lag_behind_neighbours(panel)
    row = 310
    assert np.array_equal(lag_behind_neighbours(panel.upto(row + 1).tail(HISTORY))[-1], lag[row], equal_nan=True)
    known = np.flatnonzero(np.isfinite(lag[row]))
    moves, week = panel.column("equity_v1:ret_1"), panel.column("equity_v1:ret_5")
    seen = moves[row - 59 : row + 1, known]
    seen = seen - np.nanmean(np.where(np.isfinite(seen), seen, np.nan), axis=1, keepdims=True)
    seen = np.where(np.isfinite(seen), seen - np.nanmean(seen, axis=0), 0.0)
    likeness = np.corrcoef(seen.T) - 3.0 * np.eye(len(known))
    for at, name in enumerate(known):
        others = np.argsort(-likeness[at])[:4]
        assert lag[row, name] == pytest.approx(week[row, known[others]].mean() - week[row, name])
