"""Markets for the promotion's whole path: nothing can be known in the null ones, and their answers are kept."""

import json

import numpy as np
import pytest

from pipelines.evidence.calibration import bars, paths, whole
from pipelines.evidence.judge import code_digest


def _moves(columns):
    return columns["close"][1:] / columns["close"][:-1] - 1.0


def _skill(kind, number, columns):
    """Correlation of the last 20 sessions' move, as a decision sees it, with the next one's, across names."""
    market = bars.null_bars(kind, 3, number)
    seen, filled = _moves(market.columns), _moves(getattr(market, columns))
    found = []
    for row in range(20, len(seen) - 1):
        recent, coming = seen[row - 20 : row].sum(axis=0), filled[row]
        found.append(np.corrcoef(recent, coming)[0, 1])
    return np.array(found)


@pytest.mark.parametrize("kind", bars.KINDS)
def test_what_was_tells_nothing_of_what_comes(kind):
    found = np.concatenate([_skill(kind, number, "filled") for number in range(6)])
    # Neighbouring rows share nineteen of twenty sessions: one in twenty is worth counting.
    assert abs(found.mean()) < 4.0 * found.std() / np.sqrt(len(found) / 20.0)


def test_it_is_the_setting_against_another_time_that_takes_the_skill_away():
    for kind in ("circularly_shifted", "block_sign_flipped"):
        known, filled = (np.mean([_skill(kind, number, columns).mean() for number in range(12)])
                         for columns in ("columns", "filled"))
        assert known > 0.02 and abs(filled) < 0.01


@pytest.mark.parametrize("kind", bars.KINDS)
def test_a_night_tells_nothing_of_its_day_and_no_profit_comes_twice(kind):
    told, echoed = [], []
    for number in range(4):
        filled = bars.null_bars(kind, 3, number).filled
        night = filled["open"][1:] / filled["close"][:-1] - 1.0
        told.append(np.corrcoef(night.ravel(), (filled["close"] / filled["open"] - 1.0)[1:].ravel())[0, 1])
        book = np.random.default_rng(number).standard_normal(bars.NAMES)
        earned = (filled["open"][1:] / filled["open"][:-1] - 1.0) @ book
        echoed.append(np.corrcoef(earned[1:], earned[:-1])[0, 1])
    assert abs(np.mean(told)) < 0.05 and abs(np.mean(echoed)) < 0.12


def test_a_market_is_its_number_s_and_nobody_else_s():
    one, again, other = (bars.null_bars("student_garch", 3, number) for number in (1, 1, 2))
    assert np.array_equal(one.columns["close"], again.columns["close"])
    assert not np.array_equal(one.columns["close"], other.columns["close"])
    for columns in (one.columns, one.filled):
        assert (columns["low"] <= columns["open"]).all() and (columns["high"] >= columns["close"]).all()
        assert all(np.isfinite(values).all() for values in columns.values())


def test_the_folder_it_is_asked_in_says_nothing_of_a_planted_market(tmp_path, monkeypatch):
    here = bars.planted_bars("modest", 3)
    (tmp_path / ".nightdesk").mkdir()
    (tmp_path / ".nightdesk" / "market.json").write_text(json.dumps({"source": "sandbox", "seed": 7, "sandbox": {}}))
    (tmp_path / "nightdesk.toml").write_text("[sandbox]\nsessions = 300\n")
    monkeypatch.chdir(tmp_path)
    there = bars.planted_bars("modest", 3)
    assert there.oracle_sharpe == here.oracle_sharpe
    assert there.columns["close"].tobytes() == here.columns["close"].tobytes()


def test_a_decision_sees_the_row_before_its_own():
    market = bars.null_bars("gaussian", 3, 0)
    panel = paths.decisions(market)
    at = 300
    expected = market.columns["close"][at] / market.columns["close"][at - 5] - 1.0
    assert panel.sessions[at] == market.sessions[at + 1]
    assert np.allclose(panel.column("ret_5")[at], expected)
    assert not panel.tradable[: paths.LISTED_SESSIONS].any() and panel.tradable[paths.LISTED_SESSIONS :].all()


def test_answers_of_before_are_not_asked_for_again(tmp_path):
    place = tmp_path / f"whole-path-{whole.json_digest([code_digest(), 3])[:12]}"
    place.mkdir()
    for kind, number, path in whole._asked(place, 2):
        planted = kind in whole.PLANTED
        path.write_text(json.dumps({"kind": kind, "number": number, "promoted": planted or kind == "gaussian",
                                    "oracle_sharpe": 6.0 if planted else None, "sharpe_active": 3.0, "seconds": 2.0}))
    told = whole.calibrate(tmp_path, 3, 2, 1)
    rows = {row["kind"]: row for row in told["rows"]}
    assert rows["all null kinds"]["markets"] == 14 and rows["all null kinds"]["promoted"] == 2
    assert rows["strong"] == {"kind": "strong", "markets": 1, "promoted": 1, "bound": 1.0, "median_seconds": 2.0,
                              "share_of_oracle": 0.5}
    assert "50% of the oracle's Sharpe" in "\n".join(whole.lines(told))


def test_each_family_is_walked_by_its_own_candidates_and_counted_apart(tmp_path):
    by_family = {family: paths.candidates(family) for family in whole.FAMILIES}
    keys = [one.key for of in by_family.values() for one in of if one.kind == "candidate"]
    assert len(set(keys)) == len(keys) == 12
    assert {one.config.blend_gnn for one in by_family["gnn"] if one.kind == "candidate"} == {1.0}
    sizes = dict(by_family["hmm"][0].config.regime_gross)
    assert sizes["Bear"] < sizes["Bull"] and set(dict(by_family["gbm"][0].config.regime_gross).values()) == {1.0}
    names = [{path.name for _, _, path in whole._asked(tmp_path, 2, family)} for family in whole.FAMILIES]
    assert not names[0] & names[1] and not names[1] & names[2]


@pytest.mark.slow
def test_the_path_promotes_what_is_planted_and_refuses_noise():
    assert paths.walk_one(bars.planted_bars("strong", 3), 1)["promoted"]
    refused = paths.walk_one(bars.null_bars("factor_cross_section", 3, 0), 1)
    assert not refused["promoted"] and "deflated_sharpe" in refused["failed"]
