"""How it works: what the models lean on, whether scores came true, how much capital it carries, how it trades."""

import math
from typing import Any

from pipelines.report import words
from pipelines.report.charts import Line, columns, meter
from pipelines.report.html import Html, caption, tag
from pipelines.report.parts.hues import legend
from pipelines.report.parts.part import table
from pipelines.report.sheet.pictures import Dot, curve
from pipelines.report.sheet.record import Sheet

MOST_IMPORTANT = 10
MOST_TRADES = 200
EDGES = (-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)  # of R


def importances(sheet: Sheet) -> list[Html]:
    ordered = sorted(sheet.importances.items(), key=lambda item: (-item[1], item[0]))
    total = math.fsum(value for _, value in ordered)
    if not total > 0.0:
        return []
    rows = [[tag("code", name), meter(value / ordered[0][1]), words.percent(value / total, 0)]
            for name, value in ordered[:MOST_IMPORTANT]]
    rest = len(ordered) - len(rows)
    more = f" {words.plural(rest, 'further feature')} share the rest." if rest else ""
    return [table(["Feature", "", "of the gain"], rows, words=2),
            caption(f"What the trees of the newest fit split on, by gain in their target.{more}")]


def calibration(sheet: Sheet) -> list[Html]:
    if len(sheet.calibration) < 3:
        return []
    dots = [Dot(one.said, one.earned_bp, 1.96 * one.error_bp, f"{one.earned_bp:.1f} bp, {one.count} rows")
            for one in sheet.calibration]
    marks = [(one.said, words.number(one.said, 1)) for one in sheet.calibration]
    return [curve(marks, dots=dots, show=lambda value: words.number(value, 0), height=220, about=6,
                  label="What a score said against what was earned"),
            caption(f"Across: the blended score, averaged over the names of each of {len(dots)} equal buckets. Up: "
                    "what they earned from open to open beyond the session’s mean, in basis points before costs, with "
                    "the 95 % interval over sessions. A score that means something rises from left to right.")]


def _capital(usd: float) -> str:
    return f"{words.number(usd / 1e9, 0)} bn" if usd >= 1e9 else f"{words.number(usd / 1e6, 0)} M"


def capacity(sheet: Sheet) -> list[Html]:
    if len(sheet.capacity) < 2:
        return []
    xs = [math.log10(one.capital_usd) for one in sheet.capacity]
    lines = [(Line("Before costs", [one.sharpe_gross for one in sheet.capacity], "gross"), xs),
             (Line("Net", [one.sharpe_net for one in sheet.capacity], "c1"), xs)]
    marks = [(x, _capital(one.capital_usd)) for x, one in zip(xs, sheet.capacity, strict=True)]
    dots = [Dot(x, one.sharpe_net, told=f"{_capital(one.capital_usd)} USD: {one.sharpe_net:.2f}")
            for x, one in zip(xs, sheet.capacity, strict=True)]
    half = next((one for one in sheet.capacity if one.sharpe_net < sheet.capacity[0].sharpe_net / 2), None)
    least = _capital(sheet.capacity[0].capital_usd)
    told = (f"At {_capital(half.capital_usd)} USD less than half of the Sharpe at {least} is left." if half
            else "Up to there more than half of it is left.")
    stuck = sheet.capacity[-1]
    every = [value for one in sheet.capacity for value in (one.sharpe_net, one.sharpe_gross, 0.0)]
    digits = 0 if max(every) - min(every) >= 4 else 1
    return [
        legend([("c1", "Net Sharpe", None), ("gross", "before costs", None)]),
        curve(marks, lines, dots, show=lambda value: words.number(value, digits), height=220,
              label="Sharpe as the capital grows"),
        table(["Capital, USD", *(_capital(one.capital_usd) for one in sheet.capacity)],
              [[tag("b", "Costs, bp a day"), *(words.number(one.cost_bp_daily, 1) for one in sheet.capacity)],
               [tag("b", "Filled"), *(words.percent(one.filled_share, 0) for one in sheet.capacity)]]),
        caption(f"The same decisions at growing capital, each trade paying for its own size by the cost model. {told} "
                f"Filled: of the value that the decisions turn over, what 5 % of a day’s volume lets through "
                f"({words.percent(stuck.filled_share, 0)} at {_capital(stuck.capital_usd)})."),
    ]


def trades(sheet: Sheet) -> list[Html]:
    """Of a backtest, its newest trades; all of them lie beside the page."""
    if not sheet.trades:
        return []
    heads = ["Opened (UTC)", "symbol", "shares", "entry", "exit", "why", "P&L, USD", "R", "MAE", "MFE", "minutes"]
    rows: list[list[Any]] = [
        [str(one["opened_at"])[:16].replace("T", " "), one["symbol"], words.count(one["side"] * one["shares"]),
         words.number(one["entry"]), words.number(one["exit"]), one["reason"], words.number(one["pnl"], 0),
         words.number(one["R"]), words.number(one["mae_R"]), words.number(one["mfe_R"]),
         words.count(one["holding_min"])]
        for one in list(sheet.trades)[-MOST_TRADES:]]
    return [*_outcomes(sheet), table(heads, rows, words=2),
            caption(f"The last {len(rows)} of {len(sheet.trades)}; all of them are in trades.parquet. R: profit over "
                    "the distance to the stop, or one ATR without one; MAE and MFE in the same unit.")]


def _outcomes(sheet: Sheet) -> list[Html]:
    """How trades ended, in R."""
    values = [float(one["R"]) for one in sheet.trades if one["R"] is not None]
    if not values:
        return []
    counts = [sum(low <= value < high for value in values)
              for low, high in zip([-math.inf, *EDGES], [*EDGES, math.inf], strict=True)]
    labels = [f"< {EDGES[0]:g}", *(f"{edge:g} …" for edge in EDGES)]
    return [columns([label.replace("-", words.MINUS) for label in labels], [float(count) for count in counts],
                    show=lambda value: words.count(value), label="Trades by R"),
            caption(f"{words.plural(len(values), 'trade')} by R, from the edge under each column to the next.")]
