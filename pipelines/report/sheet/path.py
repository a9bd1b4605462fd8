"""What it earned and when: equity, depth, months, folds, regimes, the last quarter at each session."""

import math
from collections.abc import Mapping

import numpy as np

from pipelines.report import words
from pipelines.report.charts import Line, columns, line_chart
from pipelines.report.html import Html, caption, paragraph, tag
from pipelines.report.interval import Z_95, drawdown
from pipelines.report.intervals import Interval, intervals
from pipelines.report.parts.hues import legend
from pipelines.report.sheet import figures
from pipelines.report.sheet.pictures import months
from pipelines.report.sheet.record import Sheet

QUARTER = 63
SINGLE = "net of spread, impact, fees and borrow"


def _show(value: float) -> str:
    return words.percent(value, 0, sign=value > 0)


def _fine(value: float) -> str:
    return words.percent(value, 1, sign=value > 0)


def equity(sheet: Sheet) -> list[Html]:
    if not len(sheet.net):
        return [paragraph("No session was traded.")]
    paths = {sheet.name: np.cumsum(sheet.net), **{one.name: np.cumsum(one.net) for one in sheet.others}}
    classes = {sheet.name: "c1", **{one.name: one.class_ for one in sheet.others}}
    show = _show if max(float(np.abs(path).max()) for path in paths.values()) >= 0.05 else _fine
    lines = [Line(name, path.tolist(), classes[name]) for name, path in paths.items()]
    ends = [(classes[name], name, show(float(path[-1]))) for name, path in paths.items()]
    market = [one for one in sheet.others if one.class_ == "bench"]
    depths = [Line(sheet.name, drawdown(paths[sheet.name].tolist()), "c1", area=True),
              *(Line(one.name, drawdown(paths[one.name].tolist()), "bench") for one in market)]
    return [
        legend(ends),
        line_chart(sheet.sessions, lines[::-1], show=show, height=300,
                   label=f"Cumulative net profit of {sheet.name} and of what it is held against"),
        tag("h3", "Depth below the last peak"),
        line_chart(sheet.sessions, depths[::-1], show=show, height=150, about=3,
                   label=f"Drawdown of {sheet.name}"),
        caption(f"{_sample(sheet)}, {SINGLE}. Shares of the stated capital, which every session trades anew: profit is "
                "set aside, losses are made good."),
    ]


def _sample(sheet: Sheet) -> str:
    return (f"{words.plural(len(sheet.sessions), 'session')}, {words.span(sheet.sessions[0], sheet.sessions[-1])}"
            if len(sheet.sessions) else "no sessions")


def by_month(sheet: Sheet) -> list[Html]:
    told = figures.by_month(sheet.sessions, sheet.net)
    every = [value for year in told.values() for value in year.values()]
    good = sum(value > 0.0 for value in every)
    return [paragraph(f"{good} of {words.plural(len(every), 'month')} made money."),
            months(told, label=f"Net return of {sheet.name} month by month"),
            caption("Net return in per cent of the stated capital. The first and the last month may be short.")]


def folds(sheet: Sheet) -> list[Html]:
    if not sheet.folds:
        return []
    sharpes = [words.finite(fold.get("sharpe")) for fold in sheet.folds]
    names = [_month(fold.get("first"), number) for number, fold in enumerate(sheet.folds)]
    good = sum((value or 0.0) > 0 for value in sharpes)
    swing = math.sqrt(252 * len(sharpes) / max(len(sheet.sessions), 1))
    return [
        paragraph(f"Above zero in {good} of {len(sharpes)} walk-forward folds."),
        columns(names, sharpes, show=lambda value: words.number(value, 1), label=f"Net Sharpe of {sheet.name} by fold"),
        caption(f"Net Sharpe a year; each fold begins in the month under it, and was traded by models that were "
                f"fitted before it. By chance alone a fold swings by about {swing:.1f} either way."),
    ]


def _month(first: object, number: int) -> str:
    day = words.parse_day(first)
    return f"{day:%b} ’{day:%y}" if day else str(number + 1)


def _interval(state: str, told: Mapping[str, object]) -> Interval:
    sharpe, sessions = words.finite(told.get("sharpe")) or 0.0, words.finite(told.get("sessions")) or 0.0
    reach = Z_95 * math.sqrt((1.0 + (sharpe / math.sqrt(252)) ** 2 / 2) * 252 / sessions) if sessions > 1 else math.nan
    return Interval(state.replace("_", " "), sharpe - reach, sharpe, sharpe + reach, words.number(sharpe, 1),
                    beside=words.plural(sessions, "session"))


def regimes(sheet: Sheet) -> list[Html]:
    known = {state: told for state, told in sheet.regimes.items() if (words.finite(told.get("sessions")) or 0) > 1}
    if not known:
        return []
    rows = [_interval(state, told) for state, told in known.items()]
    return [intervals(rows, label=f"Net Sharpe of {sheet.name} by believed regime"),
            caption("Net Sharpe a year with its 95 % interval. The state is what was believed "
                    "before the open: filtered forward, never smoothed with what came later.")]


def lately(sheet: Sheet) -> list[Html]:
    if len(sheet.net) < 2 * QUARTER:
        return []
    values = figures.rolling_sharpe(sheet.excess, QUARTER)
    return [line_chart(sheet.sessions, [Line(sheet.name, values, "smooth")], height=170, about=3,
                       show=lambda value: words.number(value, 0), label=f"Rolling Sharpe of {sheet.name}"),
            caption(f"Net Sharpe a year of the last {QUARTER} sessions at each one: by chance alone it swings by about "
                    f"{math.sqrt(252 / QUARTER):.1f} either way.")]
