"""The reserve: kept from every search, opened once and for whoever passes everything else, a veto, and on record."""

import numpy as np
import pytest

from pipelines import settings as settings_module
from pipelines.evidence import keys, reserve
from pipelines.evidence.judge import decide_night
from pipelines.evidence.judged import judge_all
from pipelines.evidence.ledger import Ledger, Trial
from pipelines.evidence.records import Records
from pipelines.evidence.verdict import recomputed
from pipelines.home import Home
from pipelines.training.candidates import TARGET
from pipelines.training.inputs import Inputs
from pipelines.training.walk import walk_forward
from tests import OWN
from tests.test_pipelines.test_evidence_judge import COSTS, NOW, candidates, market

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
SHARE = 0.2


def desk(folder):
    training = {"first_train_sessions": 120, "step_sessions": 60, "slow_step_sessions": 180, "optuna_trials": 0,
                "reserve_share": SHARE}
    settings = settings_module.load({"home": str(folder), "training": training}, environment=OWN)
    home = Home(settings.home).prepare()
    home.write_section("leak", {"passed": True, "parity_passed": True, "findings": []})
    return home, settings


def judged(home, settings, inputs, prices):
    """As `judge_night` does it, on prices that are at hand."""
    ledger = Ledger(home.ledger)
    whole = walk_forward(home, settings, inputs, ledger, NOW, candidates())
    walked = reserve.sealed(home, settings, ledger, whole, NOW)
    if walked is not whole:
        reserve.keep(home, judge_all(whole, prices, COSTS, 1.0), len(walked.rows))
    return whole, walked, judge_all(walked, prices, COSTS, settings.gate.cost_stress)


def rows(home):
    return [(row["detail"]["act"], row["config_key"][:6]) for row in Ledger(home.ledger).rows("reserve")]


@pytest.fixture(scope="module")
def strong():
    return market(strength=0.6)


def test_skill_that_lasts_is_promoted_and_its_reserve_is_ordinary_ground_from_then_on(tmp_path, strong):
    home, settings = desk(tmp_path)
    inputs, prices = strong
    whole, walked, night = judged(home, settings, inputs, prices)
    held_back = int(len(whole.rows) * SHARE)
    assert len(night.sessions) == len(walked.rows) == len(whole.rows) - held_back
    assert max(int(fold.test[-1]) for folds in walked.folds.values() for fold in folds) == int(walked.rows[-1])
    record = decide_night(home, settings, inputs, night, NOW).record
    content = record.content
    assert record.act == "promote" and content["reserve"] == {
        "first": str(whole.sessions[-held_back]), "last": str(whole.sessions[-1])}
    (check,) = [one for one in content["verdict"]["checks"] if one["name"] == "reserve"]
    assert check["passed"] and f"In the {held_back} sessions held back until now" in check["plain"]
    assert rows(home) == [("set aside", ""), ("opened", content["key"][:6])] and Ledger(home.ledger).n(TARGET) == 2
    assert recomputed(Records(home), record) == content["verdict"]
    assert Records(home).verify(keys.trusted(home.keys)) == 1
    again = judged(home, settings, inputs, prices)
    assert again[1] is again[0]  # nothing is kept back any more


def test_skill_that_ended_is_refused_by_the_reserve_alone_and_it_is_opened_once(tmp_path, strong):
    home, settings = desk(tmp_path)
    inputs, _ = strong
    returns = inputs.returns.copy()
    returns[-45:] *= -1.0  # the reserve, and what the last fold could have learnt of it
    inputs, prices = Inputs(inputs.panel, returns), prices_of(inputs.panel, returns)
    _, _, night = judged(home, settings, inputs, prices)
    key = night.candidates[night.best]["key"]
    told = {"first": str(np.datetime64(Ledger(home.ledger).rows("reserve")[0]["detail"]["first"])),
            "last": Ledger(home.ledger).rows("reserve")[0]["detail"]["last"]}
    Ledger(home.ledger).register_many([Trial("reserve", TARGET, key, settings.seed, {"act": "opened", **told})], NOW)
    record = decide_night(home, settings, inputs, night, NOW).record  # … after a kill between the row and the record
    failed = [one["name"] for one in record.content["verdict"]["checks"] if not one["passed"]]
    assert record.act == "reject" and failed == ["reserve"]
    assert "what the search saw did not last" in record.content["verdict"]["reasons"][0]
    assert rows(home) == [("set aside", ""), ("opened", key[:6])]
    assert recomputed(Records(home), record) == record.content["verdict"]
    assert decide_night(home, settings, inputs, night, NOW).repeated
    whole, walked, _ = judged(home, settings, inputs, prices)
    assert walked is whole and len(rows(home)) == 2


def test_what_fails_otherwise_opens_nothing_and_the_reserve_stays_where_it_was(tmp_path):
    home, settings = desk(tmp_path)
    inputs, prices = market(strength=0.0)
    for _ in range(2):
        whole, walked, night = judged(home, settings, inputs, prices)
        record = decide_night(home, settings, inputs, night, NOW).record
        assert record.act == "reject" and "reserve" not in record.content and len(walked.rows) < len(whole.rows)
    assert rows(home) == [("set aside", "")]


def test_a_reserve_of_a_few_sessions_says_nothing_and_lets_nobody_through():
    told = reserve.Reserve(np.datetime64("2025-06-02"), np.datetime64("2025-06-13"))
    check = reserve.question(np.full(10, 0.01), told)
    assert not check.passed and check.plain.startswith("Only 10 sessions were held back")


def prices_of(panel, returns):
    """Bars that these returns are of, as `market` makes them."""
    from models.backtest import Prices

    opens = 50.0 * np.vstack([np.ones((1, len(panel.names))), np.cumprod(1.0 + np.nan_to_num(returns), axis=0)])
    days, flat = np.append(panel.sessions, panel.sessions[-1] + 1), np.ones_like(opens)
    return Prices.from_bars(days, panel.names, open_raw=opens, close_raw=opens, volume=flat * 1e7, split_factor=flat,
                            total_return_factor=flat, tradable=np.vstack([panel.tradable, panel.tradable[-1:]]))
