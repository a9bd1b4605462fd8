"""One backtest on one page: its equity, its figures and its trades, without script or network."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.report.charts import Line, columns, line_chart
from pipelines.report.html import Html, caption, join, raw, tag

if TYPE_CHECKING:
    from live.backtest import BacktestResult

STYLE = Path(__file__).with_name("page.css")
MOST_ROWS = 200


def draw(result: "BacktestResult", engine: str, symbols: Mapping[str, str]) -> str:
    """The whole document."""
    figures = result.figures()
    title = f"{result.strategy}, {engine} engine"
    days = list(result.sessions)
    chart = line_chart(days, [Line("equity", list(result.equity), "one")], label="Worth of the account at each close",
                       show=lambda value: f"{value:,.0f}")
    body = [
        tag("h1", title),
        tag("section", tag("h2", "Equity"), chart, caption(f"{len(days)} session(s), dollars at the close, costs on.")),
        tag("section", tag("h2", "Figures"), _table(["figure", "value"], [[name, _said(value)] for name, value in
                                                                       figures.items()])),
    ]
    if result.trades:
        body.append(tag("section", tag("h2", "Trades"), _outcomes(result), _trades(result, symbols)))
    head = tag("head", tag("meta", charset="utf-8"), tag("title", title),
               tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
               tag("style", raw(STYLE.read_text())))
    return "<!doctype html>\n" + tag("html", head, tag("body", tag("main", *body)), lang="en") + "\n"


def _outcomes(result: "BacktestResult") -> Html:
    """How trades ended, in R."""
    edges = [-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0]
    values = [trade["R"] for trade in result.trades if trade["R"] is not None]
    counts = [sum(low <= value < high for value in values)
              for low, high in zip([-math.inf, *edges], [*edges, math.inf], strict=True)]
    labels = [f"< {edges[0]:g}", *(f"{edge:g} …" for edge in edges)]
    return join(columns(labels, [float(count) for count in counts], label="Trades by R"),
                caption(f"{len(values)} trade(s) by profit over the distance to the stop, or one ATR without one."))


def _trades(result: "BacktestResult", symbols: Mapping[str, str]) -> Html:
    rows = [[trade["opened_at"][:16].replace("T", " "), symbols.get(trade["instrument_id"], trade["instrument_id"]),
             f"{trade['side'] * trade['shares']:+,}", _said(trade["entry"]), _said(trade["exit"]), trade["reason"],
             _said(trade["pnl"]), _said(trade["R"]), _said(trade["mae_R"]), _said(trade["mfe_R"]),
             _said(trade["holding_min"])] for trade in result.trades[-MOST_ROWS:]]
    heads = ["opened (UTC)", "symbol", "shares", "entry", "exit", "why", "P&L $", "R", "MAE", "MFE", "minutes"]
    told = caption(f"The last {len(rows)} of {len(result.trades)}; all of them are in trades.parquet.")
    return join(_table(heads, rows), told)


def _table(heads: list[str], rows: list[list[str]]) -> Html:
    return tag("div", tag("table", tag("thead", tag("tr", *(tag("th", head) for head in heads))),
                          tag("tbody", *(tag("tr", *(tag("td", cell) for cell in row)) for row in rows))),
               class_="wide")


def _said(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 100 else f"{value:,.2f}"
