"""The section `judged`: each candidate and baseline with the figures and curves that the report draws."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backtest import figures
from models.validation import statistics
from pipelines.evidence.judged import JudgedNight

Floats = NDArray[np.float64]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def strategy_figures(night: JudgedNight, walked: Any, at: int, trials: int) -> dict[str, Any]:
    """One candidate's part of the section; figures are null where there is nothing to compute them on."""
    told = night.candidates[at]
    of = {name: values[:, at] for name, values in night.series.items()}
    record = statistics.moments(of["active"])
    folds = [{"first": str(walked.sessions[run[0]]), "last": str(walked.sessions[run[-1]]),
              "sharpe": figures.sharpe_annual(of["excess"][run])} for run in _runs(walked)]
    believed = walked.regimes.argmax(axis=1)
    regimes = {state: {"sessions": int((believed == number).sum()),
                       "sharpe": figures.sharpe_annual(of["excess"][believed == number])}
               for number, state in enumerate(walked.states)}
    return {
        "name": told["name"], "key": told["key"], "kind": told["kind"],
        "equity": (1.0 + np.cumsum(of["net"])).tolist(),
        "sharpe_net": figures.sharpe_annual(of["excess"]),
        "sharpe_active": figures.sharpe_annual(of["active"]),
        "sharpe_gross": figures.sharpe_annual(of["gross"] - night.cash_rate_session),
        "annual_return": figures.annual_return(of["net"]),
        "annual_volatility": figures.annual_volatility(of["net"]),
        "max_drawdown": figures.max_drawdown(of["net"]),
        "turnover_daily": float(of["turnover"].mean()),
        "cost_bp_daily": float(of["cost"].mean()) * 1e4,
        "psr": _finite(statistics.psr(record)), "dsr": _finite(statistics.dsr(record, trials)),
        "folds": folds, "by_regime": regimes,
    }


def _runs(walked: Any) -> list[NDArray[np.intp]]:
    """Judged rows by fold of the boosted model, which is refitted most often."""
    first = int(walked.rows[0])
    folds = walked.folds.get("gbm") or walked.folds["hmm"]
    return [fold.test - first for fold in folds]


def judged_section(night: JudgedNight, walked: Any, trials: int) -> dict[str, Any]:
    return {
        "sessions": [str(day) for day in night.sessions],
        "benchmark": (1.0 + np.cumsum(night.benchmark)).tolist(),
        "strategies": [strategy_figures(night, walked, at, trials) for at in range(len(night.candidates))],
    }
