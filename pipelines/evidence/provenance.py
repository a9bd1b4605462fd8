"""What a record says beside the verdict, so that years later nobody has to guess: how it was labelled and split, on
which leak suite and drift, what is known of it in plain words, and what made it."""

import hashlib
import math
import os
import platform
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.combinatorial import CombinatorialPurgedValidator
from models.strategy import StrategyConfig
from models.validation import rungs
from models.validation.beside import path_sharpes
from pipelines.digest import json_digest
from pipelines.evidence.capacity import capacity_usd
from pipelines.evidence.judged import JudgedNight
from pipelines.evidence.publish import LIFE_SESSIONS
from pipelines.home import Home
from pipelines.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
# Without any of these nobody should trust a model with money, so nothing is published.
CARD = ("model", "intended_use", "universe", "horizon", "judged", "trained_on", "factors", "figures", "costs",
        "capacity_usd", "turnover_daily", "known_failures", "out_of_scope")


def card(night: JudgedNight, at: int, record_figures: dict[str, float]) -> dict[str, Any]:
    """The model card: what a reader of the record should know before trusting it with money."""
    told = night.candidates[at]
    return {
        "model": f"{told['name']}: regimes by a hidden Markov chain, scores by boosted trees and a graph network, one "
                 "position rule; fitted walk-forward, refit on all labels before the cut",
        "intended_use": "long and short positions in liquid US equities and ETFs, decided once before the open",
        "universe": f"{len(night.instruments)} instruments that were tradable at some time, dead ones included",
        "horizon": "one session: opening print to opening print, positions averaged over several decisions",
        "judged": f"{night.sessions[0]} to {night.sessions[-1]}, {len(night.sessions)} sessions out of sample",
        "trained_on": f"every label that was over before each decision; data digest {night.data_digest[:16]}",
        "factors": {"regimes": list(night.states), "worst_regime_sharpe": record_figures.get("worst_regime_sharpe"),
                    "worst_path_sharpe": record_figures.get("worst_path_sharpe")},
        "figures": {name: record_figures.get(name) for name in ("sharpe_active", "psr", "dsr", "skew", "kurtosis")
                    if name in record_figures},
        "costs": f"spread, impact, fees and borrow of the cost model, capital {night.costs['capital_usd']:,.0f} USD",
        "capacity_usd": capacity_usd(night.capacity[told["key"]]) if told["key"] in night.capacity else None,
        "turnover_daily": float(night.series["turnover"][:, at].mean()),
        "known_failures": "halts through a session, a market without cross-sectional spread, a change of cost regime",
        "out_of_scope": "other markets, other horizons, and more money than its rung and capacity allow",
    }


def card_gaps(told: dict[str, Any]) -> list[str]:
    """What a card leaves out; zero and 'none' are answers, null and absence are not."""
    return [name for name in CARD if told.get(name) in (None, "", {})]


def dossier(home: Home, settings: Settings, night: JudgedNight, strategy: StrategyConfig) -> dict[str, Any]:
    """Fields of the record that explain how its figures came about."""
    leak, drift = home.read_section("leak"), home.read_section("drift")
    columns = [night.column(one["key"]) for one in night.candidates if one["kind"] == "candidate"]
    paths = [round(one, 9) if math.isfinite(one) else None for one in path_sharpes(night.series["active"][:, columns])]
    split = CombinatorialPurgedValidator()
    evidence = night.series["active"][:, night.column(strategy.key())] if strategy.key() in \
        {one["key"] for one in night.candidates} else night.series["active"][:, night.best]
    canary = rungs.rung(settings.gate.preset, "canary")
    return {
        "features_digest": json_digest(list(strategy.features)),  # what they mean: the code's digest
        "labels": {"return": "open to open, dividends included", "learnt_sessions": strategy.horizon,
                   "judged_sessions": 1, "barriers": None},
        "splits": {"walk_forward": {"first_train_sessions": settings.training.first_train_sessions,
                                    "step_sessions": settings.training.step_sessions, "purge": "label life",
                                    "embargo": 0},
                   "combinatorial": {"groups": split.groups, "tested": split.test_groups, "purge": "both sides",
                                     "embargo_share": split.embargo_share}},
        "paths": {"sharpes": paths, "digest": json_digest(paths)},
        "leak_suite": json_digest({name: leak.get(name) for name in ("passed", "parity_passed", "findings")}),
        "drift_baseline": {name: drift.get(name) for name in ("reference_sessions", "current_sessions", "alarms")},
        "expires_after_sessions": LIFE_SESSIONS,
        "canary_plan": {"rung": "canary", "sessions": canary.sessions, "capital_share": canary.capital_share,
                        "stop_loss": rungs.loss_bound(canary.sessions, float(evidence.std(ddof=1))),
                        "stop_loss_is_a_share_of": "what it trades"},
        "approvals": list(settings.approval.rungs),
    }


@lru_cache
def made_by() -> dict[str, Any]:
    """The code and machine behind an act: signed with it, and no part of what was decided."""
    def git(*words: str) -> str | None:
        try:
            told = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return told.stdout.strip() if told.returncode == 0 else None

    lock, changed = ROOT / "constraints.txt", git("status", "--porcelain", "--untracked-files=no")
    return {
        "commit": git("rev-parse", "HEAD"), "dirty": None if changed is None else bool(changed),
        "lockfile": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else None,
        "python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count(),
    }
