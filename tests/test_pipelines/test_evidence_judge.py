"""A night's verdict on a planted market, through real fits: promote, repeat, refresh, reject, and the way back from a
record to its numbers."""

import datetime as dt
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from models.backtest import Prices
from models.features.panel import FeaturePanel
from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.hmm.config import HmmConfig
from models.market.costs import CostModel
from models.strategy import StrategyConfig
from pipelines import settings as settings_module
from pipelines.evidence import decay, health, inventory, keys
from pipelines.evidence.acts import Acts
from pipelines.evidence.figures import judged_section
from pipelines.evidence.judge import decide_night, last_verdict, verdict_section
from pipelines.evidence.judged import JudgedNight, judge_all, strategy_of
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.picture import equity_curves
from pipelines.evidence.records import Records, RecordsBroken
from pipelines.evidence.verdict import recomputed
from pipelines.home import Home
from pipelines.training.candidates import TARGET, Candidate
from pipelines.training.inputs import Inputs
from pipelines.training.walk import walk_forward
from tests import OWN
from tests.test_models import planted

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
COSTS = CostModel.default()


def candidates():
    base = StrategyConfig("", gbm=GbmConfig(features=planted.OWN, rounds=20, min_leaf=40),
                          gnn=GnnConfig(features=planted.OWN[:3], hidden=4, heads=1, epochs=1, graph_window=20,
                                        sequence=5),
                          hmm=HmmConfig(window=20, iterations=3, min_sessions=60))
    return tuple(Candidate("candidate", replace(base, name=f"h{hold}", hold_sessions=hold, blend_gnn=0.0))
                 for hold in (2, 4))


def market(strength, sessions=300):
    """Training inputs and the prices that they are the returns of."""
    panel, returns = planted.market(5, sessions=sessions, names=14, strength=strength)
    opens = 50.0 * np.vstack([np.ones((1, 14)), np.cumprod(1.0 + np.nan_to_num(returns), axis=0)])
    days = np.append(panel.sessions, panel.sessions[-1] + 1)
    flat = np.ones_like(opens)
    prices = Prices.from_bars(days, panel.names, open_raw=opens, close_raw=opens, volume=flat * 1e7, split_factor=flat,
                              total_return_factor=flat, tradable=np.vstack([panel.tradable, panel.tradable[-1:]]))
    return Inputs(panel, returns), prices


def upto(inputs, count):
    """The same market some nights earlier."""
    panel: FeaturePanel = inputs.panel.upto(count)
    returns = inputs.returns[:count].copy()
    returns[-1] = np.nan
    return Inputs(panel, returns)


def desk(folder) -> tuple[Home, settings_module.Settings]:
    training = {"first_train_sessions": 120, "step_sessions": 60, "slow_step_sessions": 180, "optuna_trials": 0}
    settings = settings_module.load({"home": str(folder), "training": training}, environment=OWN)
    home = Home(settings.home).prepare()
    home.write_section("leak", {"passed": True, "parity_passed": True, "findings": []})
    return home, settings


def one_night(home, settings, inputs, prices, now=NOW, **changes):
    walked = walk_forward(home, settings, inputs, Ledger(home.ledger), now, candidates())
    night = judge_all(walked, prices, COSTS, settings.gate.cost_stress)
    night.save(home)
    tonight = decide_night(home, settings, inputs, night, now, **changes)
    home.write_section("verdict", verdict_section(tonight, settings, 6.5))
    return tonight, walked


@pytest.fixture(scope="module")
def promoted(tmp_path_factory):
    home, settings = desk(tmp_path_factory.mktemp("promoted"))
    inputs, prices = market(strength=0.6)
    tonight, walked = one_night(home, settings, upto(inputs, 290), prices)
    return home, settings, inputs, prices, tonight, walked


def test_skill_is_promoted_with_every_value_on_record(promoted):
    home, settings, inputs, _, tonight, _ = promoted
    content = tonight.record.content
    assert tonight.record.act == "promote", content["verdict"]["reasons"]
    assert content["ledger"] == {"n": 2, "head": Ledger(home.ledger).head} and Ledger(home.ledger).n(TARGET) == 2
    assert content["parent"] is None and content["judged"] == [one.key for one in candidates()]
    assert Records(home).verify(keys.trusted(home.keys)) == 1
    again = last_verdict(home, settings, upto(inputs, 290), NOW)
    assert again.files == tonight.files and again.strategy.key() == content["key"]


def test_every_gate_value_is_recomputed_from_the_record_alone(promoted):
    home, _, _, _, tonight, _ = promoted
    told = recomputed(Records(home), tonight.record)
    assert told["act"] == "promote"
    for ours, theirs in zip(told["checks"], tonight.record.content["verdict"]["checks"], strict=True):
        assert ours["value"] == pytest.approx(theirs["value"], abs=1e-9) and ours["passed"] == theirs["passed"]
    assert told["figures"] == pytest.approx(tonight.record.content["verdict"]["figures"], abs=1e-9)
    assert inventory.recompute(home) == {"verdicts": "ok, 1 come out again"}
    path = tonight.record.folder / "returns.safetensors"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"\x01")
    with pytest.raises(RecordsBroken):
        recomputed(Records(home), tonight.record)
    path.write_bytes(good)


def test_judged_returns_travel_whole_and_are_drawn(promoted):
    home, _, _, _, _, walked = promoted
    night = JudgedNight.load(home)
    assert night.to_files() == JudgedNight.from_files(night.to_files()).to_files()
    section = json.loads(json.dumps(judged_section(night, walked, 10), allow_nan=False))
    assert len(section["benchmark"]) == len(section["sessions"]) == len(section["strategies"][0]["equity"])
    assert {one["kind"] for one in section["strategies"]} == {"candidate"}
    assert sum(part["sessions"] for part in section["strategies"][0]["by_regime"].values()) == len(section["sessions"])
    assert equity_curves(section).startswith("![equity](data:image/png;base64,")


def test_the_same_inputs_are_not_judged_twice_and_a_new_night_refreshes(promoted):
    home, settings, inputs, prices, tonight, _ = promoted
    ledger = Ledger(home.ledger).path.read_bytes()
    again, _ = one_night(home, settings, upto(inputs, 290), prices)
    assert again.repeated and again.record == tonight.record and Ledger(home.ledger).path.read_bytes() == ledger
    later, _ = one_night(home, settings, inputs, prices, NOW + dt.timedelta(days=10))
    content = later.record.content
    assert content["act"] == "refresh" and content["parent"] == tonight.record.content_digest
    assert content["key"] == tonight.record.content["key"] and content["ledger"]["n"] == 2
    assert later.files != tonight.files and Ledger(home.ledger).verify() > 2
    assert recomputed(Records(home), later.record) == content["verdict"]
    whole = Ledger(home.ledger).path.read_bytes()
    Ledger(home.ledger).path.write_bytes(ledger)  # trials that the last record counted are gone
    assert not health.ledger_clean(home, Ledger(home.ledger))
    Ledger(home.ledger).path.write_bytes(whole)


def test_where_a_person_must_approve_the_same_verdict_waits_and_then_stands(promoted, tmp_path):
    home, settings, inputs, prices, tonight, _ = promoted
    other = Home(shutil.copytree(home.root, tmp_path / "home"))  # the same fits, nothing judged yet
    shutil.rmtree(other.records)
    (other.ledger / "records.head").unlink()
    asks = settings_module.load({"home": str(other.root), "training": settings.training.model_dump(),
                                 "approval": {"rungs": "shadow"}}, environment=OWN)
    waits, _ = one_night(other, asks, upto(inputs, 290), prices)
    content = waits.record.content
    section = other.read_section("verdict")
    assert content["act"] == "propose" and content["verdict"] == tonight.record.content["verdict"]
    assert not section["promoted"] and "nightdesk models approve 1" in section["reasons"][0]
    assert Records(other).champion("daily-equity") is None
    record = Acts(other, "ann", "read the page", NOW).approve(1)
    assert record.content["inputs"] == content["inputs"] and recomputed(Records(other), record) == content["verdict"]
    again, _ = one_night(other, asks, upto(inputs, 290), prices)
    assert again.repeated and again.record == record and other.read_section("verdict")["promoted"]
    assert last_verdict(other, asks, upto(inputs, 290), NOW).record == record
    Acts(other, "bob", "too dear", NOW).demote()
    again, _ = one_night(other, asks, upto(inputs, 290), prices)  # the same night does not undo what a person did
    assert again.repeated and Records(other).champion("daily-equity") is None


def test_a_search_that_finds_nothing_better_refreshes_who_holds_the_slot(promoted, tmp_path):
    home, settings, inputs, prices, _, _ = promoted
    other = Home(shutil.copytree(home.root, tmp_path / "home"))
    shutil.rmtree(other.records)
    (other.ledger / "records.head").unlink()
    first, _ = one_night(other, settings, upto(inputs, 290), prices, search=True)
    assert first.record.act == "promote" and first.searched is None  # nobody held the slot
    assert "begins with the next session" in decay.watch(other, JudgedNight.load(other))["plain"]
    later = NOW + dt.timedelta(days=10)
    same, _ = one_night(other, settings, inputs, prices, later, search=True)
    night = JudgedNight.load(other)
    assert same.record.act == "refresh" and "found nothing better" in same.searched
    rival = replace(night, best=1 - night.column(first.record.content["key"]))
    refused = decide_night(other, settings, inputs, rival, later, search=True)
    assert refused.record == same.record and "was refused" in refused.searched  # the refresh of this night stands
    assert [one.act for one in Records(other).all()] == ["promote", "refresh", "reject"]
    assert last_verdict(other, settings, inputs, later).record == same.record
    again = decide_night(other, settings, inputs, rival, later, search=True)
    assert again.repeated and len(Records(other).all()) == 3 and again.searched == refused.searched
    assert Records(other).champion("daily-equity").content["key"] == first.record.content["key"]
    told = decay.watch(other, night)
    assert told["record_seq"] == 1 and not told["alarm"] and len(told["sessions"]) == 10
    lost = replace(night, series={**night.series, "active": night.series["active"] - 0.05})
    assert decay.watch(other, lost)["first_alarm"] == told["sessions"][0]
    assert told["folklore"]["judged"] > 0.0 and decay.watch(other, lost)["folklore"]["below"] is True


def test_a_configuration_that_other_code_wrote_does_not_block_the_slot(promoted, tmp_path):
    home, settings, inputs, prices, tonight, _ = promoted
    other, _ = desk(tmp_path)
    content = {**tonight.record.content, "config": {**tonight.record.content["config"], "gross": 9.0}}
    written = Records(other).append(content, {}, NOW, keys.open_or_create(other.keys))
    assert strategy_of(tonight.record) is not None and strategy_of(written) is None
    assert strategy_of(replace(written, content={**content, "config": {"unknown": 1}})) is None
    again, _ = one_night(other, settings, upto(inputs, 290), prices)
    assert again.record.content["attempted"] == "promote"


def test_what_was_judged_around_the_ledger_is_refused_whatever_its_skill(promoted, tmp_path):
    home, settings, inputs, prices, _, walked = promoted
    other = Home(shutil.copytree(home.root, tmp_path / "home"))
    shutil.rmtree(other.records)
    (other.ledger / "records.head").unlink()
    for name in ("trials.jsonl", "trials.head"):  # all that was ever tried, forgotten, and one trial told of
        (other.ledger / name).unlink()
    keys_of = [one.key for one in candidates()]
    Ledger(other.ledger).register("outer", TARGET, keys_of[0], settings.seed, {"data": walked.data_digest}, NOW)
    night = judge_all(walked, prices, COSTS, settings.gate.cost_stress)
    tonight = decide_night(other, settings, upto(inputs, 290), night, NOW)
    verdict = tonight.record.content["verdict"]
    assert tonight.record.act == "reject"
    assert [one["name"] for one in verdict["checks"] if not one["passed"]] == ["ledger"]
    assert f"Judged without being written down: {keys_of[1][:12]}." in verdict["reasons"][0]
    Ledger(other.ledger).register("outer", TARGET, keys_of[1], settings.seed, {"data": walked.data_digest}, NOW)
    assert decide_night(other, settings, upto(inputs, 290), night, NOW).record.act == "promote"


def test_noise_is_rejected_with_reasons_and_nothing_holds_the_slot(tmp_path):
    home, settings = desk(tmp_path)
    inputs, prices = market(strength=0.0)
    tonight, _ = one_night(home, settings, inputs, prices)
    verdict = tonight.record.content["verdict"]
    assert tonight.record.act == "reject" and not verdict["promoted"] and Records(home).champion("daily-equity") is None
    assert verdict["checks"][0]["name"] == "deflated_sharpe" and "below the bar" in verdict["reasons"][0]
    assert verdict["smallest_visible_sharpe"]["50"] > 2.0


def test_a_leak_or_a_check_that_did_not_run_stops_any_skill(tmp_path):
    home, settings = desk(tmp_path)
    inputs, prices = market(strength=0.6)
    found = {"feature": "tomorrow", "entity": "N00", "first_bad_time": "2022-03-01", "decision_time": "2022-03-01"}
    home.write_section("leak", {"passed": False, "parity_passed": True, "findings": [found]})
    tonight, _ = one_night(home, settings, inputs, prices)
    assert tonight.record.act == "reject"
    reasons = tonight.record.content["verdict"]["reasons"]
    assert any("tomorrow of N00, first on 2022-03-01" in reason for reason in reasons)
    home.section("leak").unlink()
    tonight, _ = one_night(home, settings, inputs, prices)
    assert any("did not run" in reason for reason in tonight.record.content["verdict"]["reasons"])
