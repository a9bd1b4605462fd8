"""How far the record can be believed: intervals, deflation, luck of order, what each bias would have added."""

import math
from typing import Any

import numpy as np

from models.validation import statistics
from models.validation.montecarlo import ConfidenceInterval, monte_carlo
from pipelines.report import words
from pipelines.report.html import Html, caption, paragraph, tag
from pipelines.report.interval import Z_95
from pipelines.report.intervals import Interval, intervals
from pipelines.report.parts.part import facts
from pipelines.report.sheet import figures
from pipelines.report.sheet.pictures import bars
from pipelines.report.sheet.record import Floats, Sheet

YEAR = math.sqrt(statistics.YEAR)
ORDERS = 500
LEAST_SESSIONS = 20


def sharpe_interval(name: str, returns: Floats, tone: str = "c1") -> Interval:
    record = statistics.moments(returns)
    reach = Z_95 * statistics.standard_error(record) * YEAR
    middle = record.sharpe * YEAR
    beside = f"{words.number(middle - reach, 1)} to {words.number(middle + reach, 1)}"
    return Interval(name, middle - reach, middle, middle + reach, words.number(middle), tone, beside)


def believed(sheet: Sheet) -> list[Html]:
    if len(sheet.net) < LEAST_SESSIONS or not float(np.std(sheet.excess)) > 0.0:
        return [paragraph(f"Only {words.plural(len(sheet.net), 'session')} that moved: too few for a statistic.")]
    rows = [sharpe_interval("Net of costs", sheet.excess)]
    if sheet.active is not None and float(np.std(sheet.active)) > 0.0:
        rows.append(sharpe_interval("Active", sheet.active))
    if sheet.gross is not None:
        rows.append(sharpe_interval("Before costs", np.asarray(sheet.gross - sheet.cash), "quiet"))
    market = next((one for one in sheet.others if one.class_ == "bench"), None)
    if market is not None:
        rows.append(sharpe_interval(market.name, np.asarray(market.net - sheet.cash), "quiet"))
    return [intervals(rows, label="Sharpe ratios with their intervals"),
            caption("Sharpe a year with its 95 % interval, skew and fat tails allowed for.",
                    None if sheet.active is None else
                    " Active: less beta times buy and hold; every test of skill is run on it."),
            *_luck(sheet)]


def _luck(sheet: Sheet) -> list[Html]:
    returns = sheet.excess if sheet.active is None else sheet.active
    record = statistics.moments(returns)
    told: list[tuple[str, Any]] = [
        ("Probabilistic Sharpe", f"{words.chance(statistics.psr(record))} that the true one is above zero")]
    if sheet.trials is not None:
        luck = statistics.expected_maximum(sheet.trials, 1.0 / (record.length - 1)) * YEAR
        deflated = words.chance(statistics.dsr(record, sheet.trials))
        told.append(("Deflated Sharpe", f"{deflated} that it is more than the best of {words.count(sheet.trials)} "
                     f"worthless trials would show ({words.number(luck)})"))
    needed = statistics.min_track_record(record)
    enough = "more than there are" if needed > record.length else f"of the {words.count(record.length)} there are"
    length = f"{words.count(math.ceil(needed))} sessions, {enough}" if math.isfinite(needed) else "none: it lost"
    told.append(("Shortest record that tells it from zero", length))
    if sheet.pbo is not None:
        told.append(("Probability of overfitting (PBO)", f"{words.chance(sheet.pbo)}, of the search that it came from"))
    if sheet.loss_probability is not None:
        told.append(("Best in one half, loss in the other", words.percent(sheet.loss_probability, 0) + " of splits"))
    if sheet.trials is not None:
        seen = [statistics.smallest_visible_sharpe(record.length, sheet.trials, min_dsr=0.95, power=power)
                for power in (0.5, 0.9)]
        told.append(("Smallest Sharpe this sample could show",
                     f"{words.number(seen[0], 1)} half the time, {words.number(seen[1], 1)} nine times in ten"))
    told.append(("Skew and kurtosis a session", f"{words.number(record.skew)} and {words.number(record.kurtosis, 1)}"))
    return [facts(told)]


def _row(name: str, found: ConfidenceInterval, show: Any, scale: float = 1.0) -> tuple[str, list[Any]]:
    return name, [show(found.observed * scale), show(found.low * scale), show(found.median * scale),
                  show(found.high * scale)]


def order(sheet: Sheet) -> list[Html]:
    """The same results in other orders, and runs of them drawn again."""
    from pipelines.report.parts.part import table

    own = sheet.trade_returns is not None
    returns = sheet.trade_returns if sheet.trade_returns is not None else sheet.net
    if len(returns) < LEAST_SESSIONS or (returns <= -1.0).any():
        return []
    shuffled = monte_carlo(returns, ORDERS, seed=sheet.seed, order="shuffle")
    drawn = monte_carlo(returns if own else sheet.excess, ORDERS, seed=sheet.seed, order="block")
    what = "trade" if own else "session"
    rows = [
        _row("Deepest fall, shuffled", shuffled.max_drawdown, lambda value: words.percent(-value)),
        _row(f"Losing {what}s in a row, shuffled", shuffled.losing_run, words.count),
        _row("Return, runs drawn again", drawn.total_return, lambda value: words.percent(value, 0)),
        _row("Sharpe a trade, runs drawn again" if own else "Sharpe, runs drawn again", drawn.sharpe, words.number,
             1.0 if own else YEAR),
    ]
    beyond = "" if own else " in excess of cash"
    return [
        table(["", "as it was", "2.5 %", "middle", "97.5 %"], [[tag("b", name), *cells] for name, cells in rows]),
        caption(f"{ORDERS} orders of the same {words.plural(len(returns), what)}, compounded. Shuffled, only what "
                f"depends on order moves: in {words.percent(shuffled.unluckier, 0)} of the shuffles the fall was "
                f"deeper than it was. With whole runs drawn again{beyond}, "
                f"{words.percent(drawn.loss_probability, 0)} of the histories lost money."),
    ]


def spread(sheet: Sheet) -> list[Html]:
    if len(sheet.net) < LEAST_SESSIONS:
        return []
    middles, counts = figures.histogram(sheet.net)
    edge = middles[-1] + (middles[-1] - middles[-2]) / 2
    worst, best = float(sheet.net.min()), float(sheet.net.max())
    return [bars(middles, counts, label="How daily returns are spread",
                 ends=(words.percent(-edge), words.percent(edge, sign=True))),
            caption(f"Net returns by session: {words.percent(float((sheet.net > 0).mean()), 0)} made money, the worst "
                    f"lost {words.percent(-worst)}, the best made {words.percent(best)}. The longest stay below a peak "
                    f"took {words.plural(figures.longest_under_water(sheet.net), 'session')}.")]
