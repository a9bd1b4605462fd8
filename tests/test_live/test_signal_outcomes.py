"""Outcomes of signals as records: what the journal says of each trade and decision, with what it had seen."""

import asyncio
import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest

from live import SignalOutcome, signal_outcomes
from live.backtest import backtest
from live.fakes import ListFeed
from live.journal import Journal
from live.passport import feature_rows
from live.risk import Limits
from models.gbm.importance import forest_shares
from models.intraday import Intraday, Size, StopRule
from models.signals import FeatureImportanceTracker
from models.signals.intraday import EmaCross
from tests.test_live import world
from tests.test_live.test_inside import bundle, market
from tests.test_live.test_replay import bars, engine

COMING = world.world().coming
SOME_TIME = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)


def test_each_position_of_a_daily_decision_is_an_outcome_with_what_it_saw(tmp_path: Path) -> None:
    folder = world.publish(tmp_path / "bundles")
    with Journal(tmp_path / "j.sqlite") as journal:
        trading = engine(folder, journal)
        for at in range(2):
            trading.run_session(COMING[at], ListFeed({COMING[at]: bars(at)}))
        told = list(signal_outcomes(journal))
        items = [(entry.payload["decision_id"], name, item) for entry in journal.entries("outcome")
                 for name, item in entry.payload["items"].items()]
        decisions = {entry.payload["decision_id"]: entry for entry in journal.entries("decision")}
        assert [one.signal_id for one in told] == [f"{made}:{name}" for made, name, _ in items] and items
        for one, (made, name, item) in zip(told, items, strict=True):
            decision = decisions[made]
            seen = feature_rows(journal, decision)
            row = seen["rows"][-1]["values"][seen["names"].index(name)]
            assert one.feature_vector == row and one.feature_names == tuple(seen["features"])
            assert one.put_call_ratio == row[seen["features"].index("put_call_ratio")]
            assert one.rsi == row[seen["features"].index("rsi_14")]
            regime = decision.payload["regime"]
            assert one.regime == max(regime, key=lambda state: regime[state])
            assert (one.entry_price, one.exit_price, one.r_multiple, one.mae, one.mfe, one.outcome) == (
                item["entry"], item["exit"], item["R"], item["mae_R"], item["mfe_R"], "TIMEOUT")
            assert one.signal_type == ("entry_long" if item["shares"] > 0 else "entry_short")
            score = decision.payload["score"][decision.payload["names"].index(name)]
            assert one.actual_vs_predicted * score * (item["exit"] - item["entry"]) >= 0.0
            assert math.isnan(one.stop_loss) and one.macd_signal == "" and math.isnan(one.vah_distance)
        confidences = sorted(one.prediction_confidence for one in told if one.signal_id.startswith(items[0][0]))
        assert confidences[-1] == 1.0 and 0.0 <= confidences[0] < confidences[-1]


def test_a_rule_s_trades_tell_the_stop_that_they_began_with(tmp_path: Path) -> None:
    limits = Limits(stops=StopRule("trailing", pct=0.004, reward_risk=3.0))
    chosen = bundle(Intraday(rule=EmaCross(3, 8, short=True), size=Size("shares", 100)))
    made = backtest(chosen, ListFeed(market()), tmp_path / "j.sqlite", limits=limits)
    with Journal(tmp_path / "j.sqlite", read_only=True) as journal:
        told = list(signal_outcomes(journal))
    assert len(told) == len(made.trades) > 10 and {"SL", "SIGNAL"} <= {one.outcome for one in told}
    for one, trade in zip(told, made.trades, strict=True):
        side = 1 if one.signal_type == "entry_long" else -1
        assert one.instrument == trade["instrument_id"] and one.holding_time == round(trade["holding_min"])
        risk = side * (one.exit_price - one.entry_price) / one.r_multiple if one.r_multiple else math.nan
        assert math.isnan(risk) or side * (one.entry_price - one.stop_loss) == pytest.approx(risk, rel=1e-6)
        assert side * (one.take_profit - one.entry_price) == pytest.approx(3 * side * (one.entry_price - one.stop_loss))
        assert one.feature_vector == [] and math.isnan(one.prediction_confidence)


def outcome(row: np.ndarray, came: float) -> SignalOutcome:
    numbers = dict.fromkeys((name for name, kind in SignalOutcome.__annotations__.items() if kind is float), math.nan)
    words = {"signal_id": "s", "instrument": "A", "signal_type": "entry_long", "regime": "", "macd_signal": "",
             "outcome": "TP"}
    return SignalOutcome(**{**numbers, **words, "r_multiple": came, "holding_time": 1, "timestamp": SOME_TIME,
                            "feature_vector": row.tolist(), "feature_names": ("rsi", "noise", "atr")})


def test_the_tracker_learns_by_a_random_forest_which_feature_told_the_outcome() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(120, 3))
    came = np.sign(rows[:, 0]) + 0.3 * rng.normal(size=120)
    outcomes = [outcome(row, float(r)) for row, r in zip(rows, came, strict=True)]
    tracker = FeatureImportanceTracker()
    told = tracker.update_weights(outcomes)
    shares = forest_shares(rows, came, ("rsi", "noise", "atr"), 7)
    assert tracker.calculate_feature_importance(outcomes) == shares and sum(shares.values()) == pytest.approx(1.0)
    assert shares["rsi"] > 0.7
    assert told == {name: pytest.approx(0.7 * 0.5 + 0.3 * share) for name, share in shares.items()}
    assert asyncio.run(awaited(tracker, outcomes)) == tracker.feature_weights  # as people know it
    assert tracker.calculate_feature_importance(outcomes[:29]) == {}


async def awaited(tracker: FeatureImportanceTracker, outcomes: list[SignalOutcome]) -> dict[str, float]:
    return await tracker.update_weights(outcomes)
