"""Rules judged beside the learned strategies: counted as diagnostics, left out where nothing feeds them, and the same
again; what a graph earns beyond a rotation; and what a small night wrote of it."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.backtest import Prices, figures, judge
from models.features.panel import FeaturePanel
from models.market.costs import CostModel
from models.signals.catalogue import BOOKS, CATCH_UP, ROTATION
from models.signals.chosen import chosen, columns_of, in_full
from models.signals.rotation import LAG, lag_behind_neighbours
from pipelines import settings as settings_module
from pipelines.evidence.ledger import Ledger
from pipelines.home import Home
from pipelines.report.parts import baselines as chapter
from pipelines.report.story import Story
from pipelines.training import enough
from pipelines.training import inputs as inputs_module
from pipelines.training.baselines import GRAPH, RULES, in_words, judge_rules, tonight, weights_of
from pipelines.training.baselines_extra import extra
from pipelines.training.baselines_panel import rule_panel, with_columns
from pipelines.training.candidates import TARGET, Candidate, candidates
from pipelines.training.inputs import Inputs
from pipelines.training.walk import walk_forward
from tests import OWN
from tests.test_models.signal_panels import market
from tests.test_pipelines.training_home import CANDIDATES, NOW, STRATEGY, small_home, small_inputs, small_settings

FIRST = 252


def priced(panel: FeaturePanel, seed: int) -> tuple[Inputs, Prices]:
    """Bars for a panel's sessions and thirty before, and the labels that they make."""
    rng = np.random.default_rng(seed)
    count, width = len(panel.sessions) + 30, len(panel.names)
    close = 50.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal((count, width)), axis=0)
    open_ = close * (1.0 + 0.002 * rng.standard_normal((count, width)))
    days = np.concatenate([panel.sessions[0] - np.arange(30, 0, -1), panel.sessions])
    tradable = np.vstack([np.zeros((30, width), dtype=bool), panel.tradable])
    ones = np.ones((count, width))
    prices = Prices.from_bars(days, panel.names, open_raw=open_, close_raw=close, volume=5e6 * ones, split_factor=ones,
                              total_return_factor=ones, tradable=tradable)
    returns = np.full(panel.tradable.shape, np.nan)
    returns[:-2] = (open_[1:] / open_[:-1] - 1.0)[30:-1]
    return Inputs(panel, returns), prices


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Ledger, FeaturePanel, Prices, Inputs]:
    known = market(3)
    panel = with_columns(known, {LAG: lag_behind_neighbours(known), ROTATION.feature: known.column("equity_v1:ret_5"),
                                 GRAPH.feature: known.column("equity_v1:zscore_20")})
    inputs, prices = priced(panel, 4)
    ledger = Ledger(tmp_path_factory.mktemp("ledger"))
    settings = small_settings(first_train_sessions=FIRST)
    return judge_rules(settings, inputs, panel, prices, ledger, NOW), ledger, panel, prices, inputs


def test_every_rule_is_a_diagnostic_row_and_counts_for_nothing(judged) -> None:
    section, ledger, _, _, _ = judged
    assert ledger.n(TARGET) == 0 and len(ledger.rows("diagnostic")) == len(ledger.rows()) == len(RULES) + 1
    assert {row["config_key"] for row in ledger.rows()} == {one["key"] for one in section["strategies"]}
    assert {one["kind"] for one in section["strategies"]} == {"diagnostic"} and section["left_out"] == []


def test_a_rule_is_judged_as_any_other_weights_are(judged) -> None:
    section, _, panel, prices, inputs = judged
    rows = list(range(FIRST, inputs.labelled))
    assert section["sessions"] == [str(day) for day in panel.sessions[rows]]
    first = 30 + FIRST
    for rule in (BOOKS[0], BOOKS[3], CATCH_UP):
        alone = judge(prices.rows(first, first + len(rows) + 1), weights_of(rule, panel, rows), CostModel.default())
        told = next(one for one in section["strategies"] if one["name"] == rule.name)
        assert told["equity"] == alone.equity.tolist()
        assert told["sharpe_net"] == figures.sharpe_annual(alone.excess) != 0.0
        assert told["sharpe_net"] < told["sharpe_gross"] and told["cost_bp_daily"] > 0.0


def test_a_rule_that_never_spoke_has_no_figure(judged, tmp_path) -> None:
    _, _, panel, prices, inputs = judged
    values = panel.values.copy()
    values[..., panel.features.index("technical_v1:adx_14")] = 5.0
    section = judge_rules(small_settings(first_train_sessions=FIRST), inputs, replace(panel, values=values), prices,
                          Ledger(tmp_path), NOW)
    silent = [one for one in section["strategies"] if one["sharpe_net"] is None]
    assert [one["name"] for one in silent] == ["vam"]
    assert silent[0]["sessions_silent"] == len(section["sessions"]) and silent[0]["psr"] is None
    drawn = "".join(chapter.draw(Story(NOW, "files", 7, {"baselines": section})))
    assert drawn.index("<b>vam</b>") > drawn.index("<b>reversion</b>") and "Of the names that may be traded: " in drawn


def test_a_rule_without_its_columns_is_left_out_and_named(judged, tmp_path) -> None:
    _, _, panel, prices, inputs = judged
    kept = tuple(name for name in panel.features if not name.startswith(("hmm:", "gnn:")))
    section = judge_rules(small_settings(first_train_sessions=FIRST), inputs, panel.select(kept), prices,
                          Ledger(tmp_path), NOW)
    assert section["left_out"] == ["regime-switch", "graph-alone"] and section["graph"] == []
    assert chapter.status(Story(NOW, "files", 7, {"baselines": section})) == ("quiet", "13 rules")


def test_prices_that_skip_a_judged_session_are_refused(judged, tmp_path) -> None:
    _, _, panel, prices, inputs = judged
    days = prices.sessions.copy()
    days[30 + FIRST + 5 :] += 1
    with pytest.raises(ValueError, match="not consecutive"):
        judge_rules(small_settings(first_train_sessions=FIRST), inputs, panel, replace(prices, sessions=days),
                    Ledger(tmp_path), NOW)


def test_four_names_are_enough_and_a_year_is_not() -> None:
    panel = market(3, names=4)
    inputs, _ = priced(panel, 4)
    assert enough.untrainable(small_settings(first_train_sessions=FIRST), inputs) is None
    assert "first_train_sessions = 328" in str(enough.untrainable(small_settings(first_train_sessions=328), inputs))


def test_extra_is_a_difference_and_its_interval_knows_chance() -> None:
    rng = np.random.default_rng(0)
    common, own = 0.01 * rng.standard_normal(504), 0.002 * rng.standard_normal((2, 504))
    better = extra(common + own[0] + 0.0008, common + own[1], seed=7)
    assert better["annual_return"]["value"] == pytest.approx(252 * (0.0008 + own[0].mean() - own[1].mean()))
    assert better["above"] and better["annual_return"]["low"] > 0.0
    same = extra(common + own[0], common + own[1], seed=7)
    assert not same["above"] and same["sharpe"]["low"] < 0.0 < same["sharpe"]["high"]
    assert same == extra(common + own[0], common + own[1], seed=7)
    assert "it beats it" in in_words({"against": "rotation", **better})
    assert "cannot be told from it" in in_words({"against": "rotation", **same})


def test_rules_compete_only_where_they_are_asked_for() -> None:
    known = ("ret_1",)
    alone = candidates(small_settings(), known)
    asked = settings_module.load({"strategies": {"rules": "vam,voting,vam"}}, environment=OWN)
    more = candidates(asked, known)
    assert [one.name for one in more if one not in alone] == ["vam", "voting"] and len(alone) == 8
    assert {one.kind for one in more if one.name in ("vam", "voting")} == {"candidate"}
    assert {one.key for one in alone} < {one.key for one in more} and len({one.key for one in more}) == 10
    with pytest.raises(ValueError, match="no rule 'tea' to choose; there are vam, "):
        settings_module.load({"strategies": {"rules": "tea"}}, environment=OWN)


@pytest.mark.slow
def test_a_rule_is_walked_and_counted_beside_the_learned(tmp_path) -> None:
    inputs, voting = small_inputs(sessions=200), BOOKS[4]
    rng = np.random.default_rng(8)
    more = {name: rng.standard_normal(inputs.panel.tradable.shape) for name in columns_of(chosen("voting"))}
    inputs = Inputs(with_columns(inputs.panel, more), inputs.returns)
    ruled = Candidate("candidate", replace(STRATEGY, name="voting", rule=chosen("voting")))
    home, ledger = small_home(tmp_path)
    walked = walk_forward(home, small_settings(), inputs, ledger, NOW, (*CANDIDATES[:1], ruled))
    assert np.array_equal(walked.weights["voting"], voting.weights(in_full(inputs.panel), walked.rows.tolist()))
    assert np.abs(walked.weights["voting"]).sum() > 0.0 and ledger.n(TARGET) == 2


@pytest.mark.xdist_group("whole-night")
class TestTheDefaultNight:
    """What stands in a home after it."""

    def test_its_rules_stand_beside_and_outside_the_count(self, whole_night: Path) -> None:
        home = Home(whole_night)
        section, ledger = home.read_section("baselines"), Ledger(home.ledger)
        assert [one["name"] for one in section["strategies"]] == [rule.name for rule in (*RULES, GRAPH)]
        assert section["sessions"] == home.read_section("judged")["sessions"]
        assert [one["against"] for one in section["graph"]] == ["rotation", "rotation-catch-up"]
        keys = {one["key"] for one in section["strategies"]}
        assert ledger.n(TARGET) == 8 and keys <= {row["config_key"] for row in ledger.rows("diagnostic")}
        assert keys.isdisjoint(row["config_key"] for row in ledger.rows("outer"))
        page = (home.reports / (home.reports / "latest").read_text().strip() / "index.html").read_text()
        assert chapter.PART.title in page and "rotation-catch-up" in page

    def test_again_on_the_same_input_nothing_is_judged(self, whole_night: Path) -> None:
        from pipelines import night

        home, settings = Home(whole_night), settings_module.load({"home": str(whole_night)}, environment=OWN)
        rows = len(Ledger(home.ledger).rows())
        section, _ = tonight(home, settings, inputs_module.load(home), night.current(home))
        assert json.loads(json.dumps(section)) == home.read_section("baselines")
        assert len(Ledger(home.ledger).rows()) == rows

    def test_each_decision_reads_the_newest_row_that_it_could_know(self, whole_night: Path) -> None:
        """Against the tables read as of the moment, without the join."""
        from pipelines import night
        from pipelines.store.frame import decision_time
        from pipelines.store.read import rows_as_of

        home = Home(whole_night)
        panel = inputs_module.load(home).panel
        refs = ("technical_v1:adx_14", "graph_v1:neighbour_ret_5", "auction_v1:vwap_position", "equity_v1:zscore_20")
        found = rule_panel(home, panel, refs, night.current(home))
        assert np.array_equal(found.column("equity_v1:zscore_20"), panel.column("zscore_20"), equal_nan=True)
        for row in (300, 555, len(panel.sessions) - 1):
            day = panel.sessions[row].astype(object)
            moment = min(decision_time(day), night.current(home))
            for ref in refs[:3]:
                view, _, name = ref.partition(":")
                known = rows_as_of(home, view, moment).to_pandas()
                known = known[known["event_time"] >= moment - dt.timedelta(days=5)]
                newest = known.sort_values("event_time").groupby(known.columns[0]).tail(1).set_index(known.columns[0])
                expected = [newest[name].get("ES" if view == "auction_v1" else one, np.nan) for one in panel.names]
                assert np.array_equal(found.column(ref)[row], np.array(expected, dtype=float), equal_nan=True)
