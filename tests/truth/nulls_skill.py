"""What a family makes of a market out of sample: fitted as a night fits, walked forward, scored as it is published."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.crosssection import rank_correlation
from models.gbm.config import GbmConfig
from models.gbm.score import GbmModel
from models.gnn.config import GnnConfig
from models.gnn.score import GnnModel
from models.hmm.config import HmmConfig
from models.hmm.score import HmmModel
from models.labels import TrainingSet, label_lives, precision_targets
from models.signals.rotation import MOVES, WEEK, lag_behind_neighbours
from models.signals.rules import MOMENTUM, REVERSAL, rule_weights
from models.splits import WalkForwardValidator
from models.strategy import StrategyConfig
from pipelines.evidence.calibration.paths import CONTEXT
from pipelines.training.candidates import ACROSS, GRAPH
from pipelines.training.families import family
from tests.truth.nulls_markets import Market

Floats = NDArray[np.float64]
FIRST_TRAIN, STEP, SLOW_STEP = 252, 63, 126  # a night's own
RULES = {"momentum": MOMENTUM, "reversal": REVERSAL}
ROTATION = "rotation"  # what the graph network could know unlearned
FAMILIES = (*RULES, ROTATION, "gbm", "hmm", "gnn")
HORIZON = StrategyConfig("").horizon
CONFIGS = {"gbm": GbmConfig(features=ACROSS, context=CONTEXT), "gnn": GnnConfig(features=GRAPH), "hmm": HmmConfig()}


def _market_return(market: Market) -> Floats:
    """(sessions,) of all tradable names alike."""
    known = market.panel.tradable & np.isfinite(market.returns)
    total = np.where(known, market.returns, 0.0).sum(axis=1)
    mean: Floats = np.divide(total, known.sum(axis=1), out=np.full(len(total), np.nan), where=known.any(axis=1))
    return mean


def _walked(market: Market, name: str, seed: int, predict: Callable[[bytes, NDArray[np.intp]], Floats],
            first: int, step: int) -> Floats:
    """(judged sessions, …) what each fold's model said of its own sessions."""
    one = StrategyConfig("")
    targets = precision_targets(market.panel, market.returns, one.horizon, one.risk_window, one.risk_shrink)
    told = []
    for split in WalkForwardValidator(first, step).generate_splits(label_lives(market.labelled, one.horizon)):
        training = TrainingSet.cut(market.panel, targets, split.train)
        told.append(predict(family(name).fit(training, CONFIGS[name], seed, lambda epoch, loss: None), split.test))
    return np.concatenate(told)


def _across(market: Market, scores: Floats, first: int) -> dict[str, float]:
    """Skill among names: the mean rank correlation of a session's scores with its returns."""
    each = np.array([rank_correlation(score, market.returns[row]) for row, score in enumerate(scores, start=first)])
    each = each[np.isfinite(each)]
    return {"skill": float(each.mean()), "t": float(each.mean() / each.std(ddof=1) * np.sqrt(len(each))),
            "sessions": len(each)}


def _timing(market: Market, foreseen: Floats, first: int) -> dict[str, float]:
    """Skill of the regimes: the rank correlation over sessions of the foreseen with the market's return."""
    came = _market_return(market)[first : first + len(foreseen)]
    both = np.isfinite(foreseen) & np.isfinite(came)
    skill = rank_correlation(foreseen[both], came[both])
    return {"skill": skill, "t": float(skill * np.sqrt(both.sum() - 1)), "sessions": int(both.sum())}


def skill(name: str, market: Market, seed: int = 7, *, first: int = FIRST_TRAIN, step: int = STEP,
          slow_step: int = SLOW_STEP) -> dict[str, float]:
    """{skill, t, sessions} of one family or rule on one market, out of sample."""
    panel = market.panel
    if name in RULES:
        return _across(market, rule_weights(RULES[name], panel, range(first, market.labelled)), first)
    if name == ROTATION:
        moves = panel.select(("ret_1", "ret_5"))
        lag = lag_behind_neighbours(replace(moves, features=(MOVES, WEEK)))
        return _across(market, lag[first : market.labelled], first)
    if name == "hmm":
        return _timing(market, _walked(market, name, seed, lambda data, rows: _expected(data, market, rows), first,
                                       slow_step), first)
    scorer = GbmModel if name == "gbm" else GnnModel

    def scores(data: bytes, rows: NDArray[np.intp]) -> Floats:
        model = scorer.from_bytes(data)
        return np.stack([model.score(panel, int(row)) for row in rows])

    return _across(market, _walked(market, name, seed, scores, first, step if name == "gbm" else slow_step), first)


def _expected(data: bytes, market: Market, rows: NDArray[np.intp]) -> Floats:
    """(rows,) the market return that the filtered regimes lead one to expect of the coming session."""
    model = HmmModel.from_bytes(data)
    believed = np.stack([model.posterior(market.panel, int(row)) for row in rows])
    expected: Floats = (believed @ model.transitions @ model.means[:, 0]) * model.scale[0] + model.centre[0]
    return expected
