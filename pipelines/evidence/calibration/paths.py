"""One market through the promotion's own path: features, weekly walk-forward refits, judgement, gate, signed record."""

import datetime as dt
import tempfile
from dataclasses import replace
from typing import Any

import numpy as np

from models.backtest.prices import Prices
from models.features.panel import FeaturePanel
from models.gbm.config import GbmConfig
from models.gnn.config import GnnConfig
from models.hmm.config import HmmConfig
from models.market.costs import CostModel
from models.signals.rules import MOMENTUM, REVERSAL
from models.strategy import StrategyConfig
from models.validation import statistics
from models.validation.evidence import Health
from models.validation.skill import Asked
from pipelines.evidence.calibration.bars import Bars
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.training.candidates import ACROSS, GRAPH, TARGET, Candidate

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
CONTEXT = ("mkt_ret_1", "mkt_vol_20")
LISTED_SESSIONS = 60
NEVER = 10_000
REFITS = {"gbm": (5, NEVER), "hmm": (63, 126), "gnn": (NEVER, 126)}  # sessions between them: the trees', the others'


def candidates(family: str = "gbm") -> tuple[Candidate, ...]:
    """One family under several position rules, and two rules. What is not asked for is fitted once, small as it can be,
    and has no say: no regime changes the size, no graph is blended in, or the graph alone decides."""
    gbm = GbmConfig(features=ACROSS, context=CONTEXT, rounds=1 if family == "gnn" else 60)
    gnn = GnnConfig(features=GRAPH) if family == "gnn" else GnnConfig(features=ACROSS[:2], hidden=2, heads=1, epochs=1)
    every_size = tuple((name, 1.0) for name, _ in StrategyConfig("").regime_gross)
    one = StrategyConfig(
        "", blend_gnn=1.0 if family == "gnn" else 0.0, gbm=gbm, gnn=gnn,
        hmm=HmmConfig() if family == "hmm" else HmmConfig(iterations=2),
        regime_gross=StrategyConfig("").regime_gross if family == "hmm" else every_size)
    learned = tuple(Candidate("candidate", replace(one, name=f"{family}-h{hold}", hold_sessions=hold))
                    for hold in (1, 2, 3, 5))
    return (*learned, Candidate("baseline", MOMENTUM), Candidate("baseline", REVERSAL))


def decisions(bars: Bars) -> FeaturePanel:
    """What each session's decision could read: the row before its own."""
    from models.features.compute import compute_batch
    from models.features.registry import named

    wanted = tuple(dict.fromkeys((*ACROSS, *CONTEXT, *HmmConfig().features)))
    features = named(wanted)
    values = compute_batch(bars.panel(), features)
    stacked = np.stack([values[feature.name] for feature in features], axis=-1)[:-1]
    tradable = np.isfinite(bars.columns["close"][:-1])
    tradable[:LISTED_SESSIONS] = False
    return FeaturePanel(bars.sessions[1:], bars.names, tuple(feature.name for feature in features), stacked, tradable)


def prices(bars: Bars, panel: FeaturePanel) -> Prices:
    """What fills and labels are made of."""
    columns = bars.filled
    tradable = np.vstack([np.zeros((1, len(bars.names)), dtype=bool), panel.tradable])
    return Prices.from_bars(
        bars.sessions, bars.names, open_raw=columns["open"], close_raw=columns["close"], volume=columns["volume"],
        split_factor=columns["split_factor"], total_return_factor=columns["total_return_factor"], tradable=tradable)


def walk_one(bars: Bars, seed: int, family: str = "gbm") -> dict[str, Any]:
    """The gate's answer on this market, and what it was given on. Where a search shows no skill nothing more is asked:
    no model is fitted to the cut and no record is signed, which could only refuse again."""
    from pipelines.evidence.judge import decide_night
    from pipelines.evidence.judged import judge_all
    from pipelines.evidence.ledger import Ledger
    from pipelines.training.inputs import Inputs
    from pipelines.training.prices import label_returns
    from pipelines.training.walk import walk_forward

    with tempfile.TemporaryDirectory(prefix="nightdesk-path-") as folder:
        often, seldom = REFITS[family]
        settings = Settings.model_validate(
            {"home": folder, "seed": seed, "training": {
                "first_train_sessions": 252, "step_sessions": often, "slow_step_sessions": seldom,
                "optuna_trials": 0}})
        home = Home(settings.home).prepare()
        home.write_section("leak", {"passed": True, "parity_passed": True, "findings": []})
        panel = decisions(bars)
        filled = prices(bars, panel)
        inputs = Inputs(panel, label_returns(filled, panel))
        ledger = Ledger(home.ledger)
        walked = walk_forward(home, settings, inputs, ledger, NOW, candidates(family), beside=False)
        night = judge_all(walked, filled, CostModel.default(), settings.gate.cost_stress)
        told = {"strategy": night.candidates[night.best]["name"], "oracle_sharpe": bars.oracle_sharpe}
        asked = _asked(night, ledger.n(TARGET), settings)
        refused = asked.refusal()
        if refused is not None:  # whatever else it would be asked, this is not promoted
            return {**told, "promoted": False, "sharpe_active": asked.sharpe,
                    "dsr": statistics.dsr(asked.record, asked.trials), "failed": [refused.name]}
        record = decide_night(home, settings, inputs, night, NOW).record
        verdict = record.content["verdict"]
        checks = {one["name"]: one for one in verdict["checks"]}
        return {**told, "promoted": bool(verdict["promoted"]), "sharpe_active": verdict["figures"]["sharpe_active"],
                "dsr": checks["deflated_sharpe"]["value"],
                "failed": [name for name, one in checks.items() if not one["passed"]]}


def _asked(night: Any, trials: int, settings: Any) -> Asked:
    """The questions of skill that the night would be asked."""
    from pipelines.evidence.policy import policy_of
    from pipelines.evidence.verdict import Question, evidence_of

    judged = tuple(night.candidates[at]["key"] for at in night.of_kind("candidate"))
    question = Question("promote", night.candidates[night.best]["key"], judged, trials, settings.seed)
    return Asked(evidence_of(question, night, None, Health(None, None, None)), policy_of(settings))
