"""One backtest as a tear sheet: the page that a judged candidate has, of what a tape can tell."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.report import words
from pipelines.report.sheet import Sheet, compose

if TYPE_CHECKING:
    from live.backtest import BacktestResult

SAID = {"orders": "Orders", "fills": "Fills", "refused": "Refused by limits", "trades": "Trades from flat to flat",
        "profit_usd": "Profit, USD", "costs_usd": "Costs, USD", "wins": "Trades that won", "mean_R": "Mean R",
        "mean_mae_R": "Mean adverse excursion, R", "mean_mfe_R": "Mean favourable excursion, R"}


def draw(result: "BacktestResult", engine: str, symbols: Mapping[str, str]) -> str:
    """The whole document."""
    path = np.array([result.capital, *result.equity])
    figures = result.figures()
    ends = {"REDUCING": ("Reducing", "warn"), "HALTED": ("Halted", "bad")}.get(result.state, ("Backtest", "quiet"))
    trades = [{**one, "symbol": symbols.get(one["instrument_id"], one["instrument_id"])} for one in result.trades]
    sheet = Sheet(
        f"{result.strategy}, {engine} engine", *ends,
        f"{words.plural(len(result.sessions), 'session')} of a tape, {words.plural(len(trades), 'trade')}, by the "
        f"{engine} engine with all costs on.",
        list(result.sessions), np.diff(path) / result.capital, result.cash_rate_session, result.capital,
        cost=np.array(result.costs) / result.capital,
        trades=trades, trade_returns=np.array([one["pnl"] for one in trades]) / result.capital if trades else None,
        facts=[(name, _said(key, figures[key])) for key, name in SAID.items() if key in figures])
    return compose(sheet, "a backtest by hand")


def _said(key: str, value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return words.DASH
    if key == "wins":
        return words.percent(value, 0)
    if key.endswith("_usd"):
        return words.money(value).removesuffix(" USD")
    return words.count(value) if isinstance(value, int) else words.number(value)
