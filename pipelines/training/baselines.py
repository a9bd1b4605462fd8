"""Rules judged as everything else is, every night: diagnostics beside the learned strategies, outside N, from which
nothing can be promoted. On unchanged input the figures of the last time stand."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backtest import Judged, Prices, active_returns, buy_and_hold, figures, judge
from models.features.panel import FeaturePanel
from models.market.costs import CostModel
from models.signals.alpha import union
from models.signals.book import AlphaBook
from models.signals.catalogue import BOOKS, CATCH_UP, MEANINGS, ROTATION
from models.signals.regimes import PRICE_REGIMES, REGIMES, PriceRegimeRules, RegimeRules
from models.signals.rotation import LAG, MOVES, WEEK, lag_behind_neighbours
from models.signals.rules import RuleConfig, rule_weights
from models.validation import statistics
from pipelines import durable
from pipelines.digest import json_digest
from pipelines.evidence.ledger import Ledger, Trial
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.store.build import published_digests
from pipelines.training.baselines_extra import extra
from pipelines.training.baselines_learned import GRAPH_SCORE, judged_folds, learned_columns
from pipelines.training.baselines_panel import rule_panel, views_of, with_columns
from pipelines.training.candidates import TARGET
from pipelines.training.inputs import Inputs
from pipelines.training.prices import read_prices

Floats = NDArray[np.float64]
Rule = AlphaBook | RuleConfig
KEPT = 3
MADE = ("hmm:", "gnn:", "rotation:")  # columns that are made here, and no table holds
# The graph network's scores alone, held exactly as the rotation holds its own: what differs is the score.
GRAPH = RuleConfig("graph-alone", GRAPH_SCORE, 1.0)
RULES: tuple[Rule, ...] = (*BOOKS, ROTATION, CATCH_UP)
SOURCES = sorted(Path(__file__).parent.glob("baselines*.py"))


def reads(rule: Rule) -> tuple[str, ...]:
    return rule.features if isinstance(rule, AlphaBook) else (rule.feature,)


def weights_of(rule: Rule, panel: FeaturePanel, rows: Sequence[int]) -> Floats:
    """(rows, names) of capital, by either kind of rule: a function of the panel's rows up to each."""
    return rule.weights(panel, rows) if isinstance(rule, AlphaBook) else rule_weights(rule, panel, rows)


def in_words(told: dict[str, Any]) -> str:
    """One sentence on what the graph network earns beyond a rotation."""
    gain, sharpe = told["annual_return"], told["sharpe"]
    reach = "it beats it" if told["above"] else "it cannot be told from it"
    return (f"The graph network alone, beyond {told['against']}: {gain['value']:+.1%} a year (95 %: {gain['low']:+.1%} "
            f"to {gain['high']:+.1%}), Sharpe {sharpe['value']:+.2f} ({sharpe['low']:+.2f} to {sharpe['high']:+.2f}), "
            f"{told['sessions']} sessions: {reach}.")


def tonight(home: Home, settings: Settings, inputs: Inputs, now: dt.datetime) -> tuple[dict[str, Any], str]:
    """The section `baselines` and its digest, from the home where nothing that it depends on has changed."""
    from pipelines.evidence.judge import code_digest

    ledger = Ledger(home.ledger)
    folds = judged_folds(home, settings, inputs, ledger, now)
    refs = tuple(ref for ref in union(*(reads(rule) for rule in RULES), (MOVES, WEEK)) if not ref.startswith(MADE))
    published, marts = published_digests(home), home.read_section("warehouse").get("marts", {})
    told = json_digest({
        "inputs": inputs.digest(), "views": {view: published[view] for view in views_of(refs)},
        "marts": {name: one["digest"] for name, one in marts.items() if name in ("daily_bars", "universe")},
        "rules": {rule.name: rule.key() for rule in (*RULES, GRAPH)}, "seed": settings.seed,
        "models": {name: [fold.fitted.digest for fold in some] for name, some in folds.items()},
        "costs": asdict(CostModel.default()), "first": settings.training.first_train_sessions,
        "code": [code_digest(), *(hashlib.sha256(path.read_bytes()).hexdigest() for path in SOURCES)],
    })
    kept = home.work / "baselines" / f"{told[:32]}.json"
    if kept.exists():
        section: dict[str, Any] = json.loads(kept.read_text())
        return section, told
    known = rule_panel(home, inputs.panel, refs, now)
    panel = with_columns(known, {**learned_columns(inputs, folds), LAG: lag_behind_neighbours(known)})
    section = judge_rules(settings, inputs, panel, read_prices(home, now, inputs.panel), ledger, now)
    durable.write_json(kept, section, failpoint="baselines")
    for old in sorted(kept.parent.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
        old.unlink()
    return section, told


def judge_rules(settings: Settings, inputs: Inputs, panel: FeaturePanel, prices: Prices, ledger: Ledger,
                now: dt.datetime) -> dict[str, Any]:
    """Write every rule down as a diagnostic, then trade it over the judged sessions with all costs on. A rule whose
    columns are not in the panel is left out, and named."""
    rules = [rule for rule in (*RULES, GRAPH) if set(reads(rule)) <= set(panel.features)]
    data = inputs.digest()
    ledger.register_many([Trial("diagnostic", TARGET, rule.key(), settings.seed, {"name": rule.name, "data": data})
                          for rule in rules], now)
    rows = np.arange(settings.training.first_train_sessions, inputs.labelled)
    first = int(np.searchsorted(prices.sessions, panel.sessions[rows[0]]))
    window = prices.rows(first, first + len(rows) + 1)
    if not np.array_equal(window.sessions[:-1], panel.sessions[rows]):
        raise ValueError("the judged sessions are not consecutive sessions of the marts' bars")
    costs, market = CostModel.default(), buy_and_hold(window)
    active: dict[str, Floats] = {}
    strategies = []
    for rule in rules:
        weights = weights_of(rule, panel, rows.tolist())
        judged = judge(window, weights, costs)
        active[rule.name] = active_returns(judged.excess, market - costs.cash_rate_session, judged.net_exposure)
        strategies.append(_told(rule, judged, active[rule.name], weights))
    graph = [{"against": name, **extra(active[GRAPH.name], active[name], seed=settings.seed)}
             for name in (ROTATION.name, CATCH_UP.name)] if GRAPH.name in active else []
    return {"sessions": [str(day) for day in panel.sessions[rows]], "benchmark": (1.0 + np.cumsum(market)).tolist(),
            "strategies": strategies, "graph": graph, "regimes": _regimes(panel),
            "left_out": [rule.name for rule in (*RULES, GRAPH) if rule not in rules]}


def _regimes(panel: FeaturePanel) -> dict[str, Any]:
    """What the rule detectors see before the coming session: tradable names by regime."""
    def counted(rules: RegimeRules | PriceRegimeRules, regimes: Sequence[str]) -> dict[str, int]:
        seen = rules.of_panel(panel.tail(rules.history))[-1][panel.tradable[-1]]
        return {str(regime): int((seen == at).sum()) for at, regime in enumerate(regimes) if (seen == at).any()}

    return {"session": str(panel.sessions[-1]), "market": counted(RegimeRules(), REGIMES),
            "price": counted(PriceRegimeRules(), PRICE_REGIMES)}


def _told(rule: Rule, judged: Judged, active: Floats, weights: Floats) -> dict[str, Any]:
    psr = statistics.psr(statistics.moments(active))
    spoke = bool(weights.any())  # a rule that never held anything has no record to tell of

    def sharpe(returns: Floats) -> float | None:
        return figures.sharpe_annual(returns) if spoke else None

    return {
        "name": rule.name, "key": rule.key(), "kind": "diagnostic",
        "meaning": MEANINGS.get(rule.name, "the graph network's scores, held as the rotation's are"),
        "equity": judged.equity.tolist(),
        "sharpe_net": sharpe(judged.excess), "sharpe_active": sharpe(active),
        "sharpe_gross": sharpe(judged.gross - judged.cash),
        "annual_return": figures.annual_return(judged.net), "max_drawdown": figures.max_drawdown(judged.net),
        "turnover_daily": float(judged.turnover.mean()), "cost_bp_daily": float(judged.cost.mean()) * 1e4,
        "psr": psr if np.isfinite(psr) else None, "invested": float(np.abs(weights).sum(axis=1).mean()),
        "sessions_silent": int((weights == 0.0).all(axis=1).sum()),
    }
