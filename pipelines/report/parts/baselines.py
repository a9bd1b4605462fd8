"""Rules beside the learned strategy: what could be had without learning, and what the graph adds to correlations."""

from collections.abc import Mapping
from typing import Any

from pipelines.report import words
from pipelines.report.charts import Line, line_chart
from pipelines.report.html import Html, caption, paragraph, tag
from pipelines.report.interval import profit, sharpe_interval
from pipelines.report.parts.curves import BENCHMARK
from pipelines.report.parts.hues import OTHER, legend, swatch
from pipelines.report.parts.part import Part, mark, table
from pipelines.report.story import Story, Tone

MOST_NAMED = 4
GRAPH = "graph-alone"


def _rules(story: Story) -> list[dict[str, Any]]:
    """The best first."""
    told = story.get("baselines").get("strategies") or []
    known = {id(one): words.finite(one.get("sharpe_net")) for one in told}
    return sorted(told, key=lambda one: -1e9 if (sharpe := known[id(one)]) is None else sharpe, reverse=True)


def status(story: Story) -> tuple[Tone, str]:
    graph = story.get("baselines").get("graph") or []
    counted = words.plural(len([one for one in _rules(story) if one.get("name") != GRAPH]), "rule")
    if graph and not all(one.get("above") for one in graph):
        return "warn", f"{counted}; the graph is not above every rotation"
    return ("good" if graph else "quiet"), counted


def _graph(story: Story) -> list[Html]:
    rows = []
    for one in story.get("baselines").get("graph") or []:
        gain, sharpe = one.get("annual_return") or {}, one.get("sharpe") or {}
        rows.append([mark(bool(one.get("above"))), one.get("against"), _between(gain, words.percent),
                     _between(sharpe, words.number)])
    if not rows:
        return [paragraph("The graph network was not judged, so nothing stands beside the rotations.")]
    first = story.get("baselines")["graph"][0]
    return [
        table(["", "Graph alone, beyond", "return a year", "Sharpe"], rows, words=2, narrow=True),
        caption(
            f"Active returns of the graph network’s scores less those of a rotation, both held by one position rule, "
            f"{words.plural(first.get('sessions'), 'session')}; in small print the 95 % interval of "
            f"{words.count(first.get('resamples'))} stationary bootstraps with blocks of "
            f"{first.get('block_sessions')} sessions. A tick where the Sharpe’s lower end is above zero: a graph that "
            "cannot be told from plain correlations has not earned its place."
        ),
    ]


def _between(told: Mapping[str, Any], show: Any) -> list[Any]:
    return [show(told.get("value"), sign=True),
            tag("small", f"{show(told.get('low'), sign=True)} to {show(told.get('high'), sign=True)}")]


def _curves(story: Story, hues: dict[str, str]) -> list[Html]:
    told, chosen = story.get("baselines"), story.chosen
    sessions = told.get("sessions") or []
    lines = [Line(str(one["name"]), profit(one.get("equity") or []), hues[str(one["name"])]) for one in _rules(story)]
    held, own = profit(told.get("benchmark") or []), profit(chosen.get("equity") or [])
    if len(own) == len(sessions) and own:
        lines.insert(0, Line(str(chosen.get("name")), own, "c1"))
    lines.append(Line(BENCHMARK, held, "bench"))
    entries = [(line.class_, line.name, _end(line.values)) for line in lines if line.class_ != OTHER]
    others = sum(line.class_ == OTHER for line in lines)
    if others:
        entries.append((OTHER, words.plural(others, "other rule"), None))
    label = "Cumulative net profit of each rule, of the strategy under judgement, and of buying and holding"
    return [legend(entries), line_chart(sessions, lines[::-1], label=label, height=260, show=_share)]


def _regimes(story: Story) -> list[Html]:
    told = story.get("baselines").get("regimes") or {}
    if not told.get("market"):
        return []

    def counted(which: str) -> str:
        found = sorted((told.get(which) or {}).items(), key=lambda item: (-item[1], item[0]))
        return words.listed([f"{words.count(count)} {name.replace('_', ' ').lower()}" for name, count in found], 8)

    return [paragraph(tag("b", f"By rule, for {words.day(told.get('session'))}. "),
                      f"Of the names that may be traded: {counted('market')}; of their prices: {counted('price')}.")]


def _share(value: float) -> str:
    return words.percent(value, 0, sign=value > 0)


def _end(values: Any) -> str | None:
    return _share(values[-1]) if values else None


def _row(one: Mapping[str, Any], class_: str) -> list[Any]:
    low, high = sharpe_interval(one)
    interval = tag("small", f"{words.number(low, 1)} to {words.number(high, 1)}") if low is not None else None
    return [
        [swatch(class_), tag("b", one.get("name")), tag("small", one.get("meaning"), class_="meant")],
        [words.number(one.get("sharpe_net")), interval], words.number(one.get("sharpe_active")),
        words.number(one.get("sharpe_gross")), words.percent(one.get("annual_return")),
        words.fall(one.get("max_drawdown")), words.percent(one.get("turnover_daily"), 0),
        words.number(one.get("cost_bp_daily"), 1), words.percent(one.get("invested"), 0),
        words.count(one.get("sessions_silent")),
    ]


def draw(story: Story) -> list[Html]:
    rules, told = _rules(story), story.get("baselines")
    hues = {str(one["name"]): f"b{at + 1}" if at < MOST_NAMED else OTHER for at, one in enumerate(rules)}
    sessions, left = told.get("sessions") or [], told.get("left_out") or []
    headers = ["Rule", "Sharpe, net", "active", "before costs", "a year", "drawdown", "turnover a day", "bp a day",
               "invested", "silent"]
    sample = f"{words.plural(len(sessions), 'session')}, {words.span(sessions[0], sessions[-1])}. " if sessions else ""
    missing = f" Left out, as nothing was learned that they read: {words.listed(left)}." if left else ""
    return [
        *_graph(story),
        *_regimes(story),
        *_curves(story, hues),
        table(headers, [_row(one, hues[str(one["name"])]) for one in rules], class_="wide"),
        caption(
            f"{sample}The same fills and costs as every strategy above. Silent: sessions on which the rule held "
            "nothing. Each is a diagnostic row of the ledger: outside N, and nothing here can be promoted." + missing
        ),
    ]


PART = Part("baselines", "What rules would have done", "Rules", "baselines", "no rule was judged", status, draw)
