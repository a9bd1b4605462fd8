"""The vectorised engine of `nightdesk backtest`: the arrays that a night judges by, on the bars of a tape."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from live.backtest import BacktestResult, TapeFeed
    from models.backtest.market import Market
    from models.backtest.prices import Prices
    from models.backtest.vector import Backtest
    from models.bundle import Bundle, SessionTimes
    from models.features.panel import FeaturePanel
    from models.strategy import Decision

Floats = NDArray[np.float64]
Judged = tuple["BacktestResult", dict[str, "pa.Table"]]  # and its tables by name, where there is more to tell
MINUTE_US = 60_000_000


def judged(bundle: "Bundle", tape: "TapeFeed", days: Sequence[dt.date]) -> Judged:
    return _rule(bundle, tape, days) if bundle.strategy.intraday is not None else _daily(bundle, tape, days)


def _columns(bundle: "Bundle", tape: "TapeFeed", days: Sequence[dt.date]) -> dict[str, Floats]:
    """Raw daily columns of what the bundle knows and of the tape's sessions, factors carried on."""
    names = bundle.snapshot.bars.names
    place = {name: index for index, name in enumerate(names)}
    raw = {name: list(values) for name, values in bundle.snapshot.bars.columns.items()}
    factors = {name: np.nan_to_num(_last_known(np.array(raw[name])), nan=1.0)
               for name in ("split_factor", "total_return_factor")}
    seen = bundle.snapshot.bars.sessions[-1].astype(object)
    for day in days:
        row = np.full((5, len(names)), np.nan)
        for bar in tape.bars(day):
            if (index := place.get(bar.instrument_id)) is None:
                continue
            if np.isnan(row[0, index]):
                row[:, index] = bar[2:]
            else:
                row[:, index] = (row[0, index], max(row[1, index], bar.high), min(row[2, index], bar.low), bar.close,
                                 row[4, index] + bar.volume)
        before = _last_known(np.array(raw["close"]))
        for action in (one for one in tape.actions(day) if seen < one.ex_date <= day and one.instrument_id in place):
            index = place[action.instrument_id]
            if action.kind == "split":
                factors["split_factor"][index] *= action.amount
                factors["total_return_factor"][index] *= action.amount
            else:
                factors["total_return_factor"][index] *= before[index] / (before[index] - action.amount)
        seen = day
        for name, values in zip(("open", "high", "low", "close", "volume"), row, strict=True):
            raw[name].append(values)
        for name, values in factors.items():
            raw[name].append(np.where(np.isfinite(row[3]), values, np.nan))
    return {name: np.array(values) for name, values in raw.items()}


def _last_known(values: Floats) -> Floats:
    known = np.isfinite(values)
    newest = len(values) - 1 - known[::-1].argmax(axis=0)
    return np.where(known.any(axis=0), values[newest, np.arange(values.shape[1])], np.nan)


def _daily(bundle: "Bundle", tape: "TapeFeed", days: Sequence[dt.date]) -> Judged:
    """Weights decided before each open on features of the batch kernels, filled at the opens, held open to open."""
    from models.backtest.vector import backtest
    from models.market.costs import CostModel

    _, decisions, market = _decided(bundle, tape, days)
    costs = CostModel.default()
    told = backtest(market, np.stack([made.weights for made in decisions]), costs)
    paid = told.cost * costs.capital_usd
    result = _result(bundle, [day.isoformat() for day in days[:-1]], told.equity_usd.tolist(), paid.tolist(),
                     _trades(bundle, told), int((told.book.trades != 0).sum()), costs)
    tables = told.tables()
    return result, {"equity": tables["equity"].append_column("costs_usd", [paid]), "positions": tables["positions"]}


def _trades(bundle: "Bundle", told: "Backtest") -> list[dict[str, Any]]:
    """Trips as live tells trades: each begins and ends at an opening print."""
    opens = {times.session: times.open_at for times in bundle.calendar}
    rows = []
    for trip in told.trips:
        begun, ended = opens[trip["opened"]], opens[trip["closed"]]
        rows.append({
            **{name: trip[name] for name in trip if name not in ("opened", "closed", "sessions")},
            "decision_id": None, "opened_at": begun.isoformat(), "closed_at": ended.isoformat(),
            "holding_min": (ended - begun).total_seconds() / 60.0, "session": trip["closed"].isoformat()})
    return rows


def decided(
    bundle: "Bundle", tape: "TapeFeed", days: Sequence[dt.date]
) -> tuple["FeaturePanel", list["Decision"], "Prices"]:
    """The tape's decision rows by the batch kernels, what was decided on each but the last, and prices to judge by."""
    panel, decisions, market = _decided(bundle, tape, days)
    return panel, decisions, market.prices


def _decided(
    bundle: "Bundle", tape: "TapeFeed", days: Sequence[dt.date]
) -> tuple["FeaturePanel", list["Decision"], "Market"]:
    from models.backtest.market import Market
    from models.features.compute import compute_batch
    from models.features.inputs import derive
    from models.features.panel import BarPanel, FeaturePanel
    from models.features.registry import named
    from models.strategy import decide_many

    if len(days) < 2:
        raise ValueError("the vector engine holds from open to open: give it two sessions or more")
    raw, known = _columns(bundle, tape, days), bundle.snapshot
    sessions = np.concatenate([known.bars.sessions, np.array(days, "datetime64[D]")])
    own = tuple(one.name for one in named(known.panel.features) if one.family == "equity")
    made = compute_batch(BarPanel(sessions, known.bars.names, derive("equity", raw)), named(own))
    slow = {one.name: one for one in known.slow}
    calendar = {times.session: times.open_at - dt.timedelta(minutes=30) for times in bundle.calendar}
    count, first = len(days), len(known.bars.sessions)
    values = np.full((count, len(known.bars.names), len(known.panel.features)), np.nan)
    for column, name in enumerate(known.panel.features):
        if name in made:
            values[:, :, column] = made[name][first - 1 : first - 1 + count]
        elif name in slow:
            one = slow[name]
            fresh = [one.available_at <= calendar[day] <= one.event_time + one.stale_after for day in days]
            values[:, :, column] = np.where(fresh, one.value, np.nan)[:, None]
    brought = known.panel.upto(int(np.searchsorted(known.panel.sessions, known.bars.sessions[-1], side="right")))
    coming = known.panel.tradable[min(len(brought.sessions), len(known.panel.sessions) - 1)]
    panel = FeaturePanel(np.concatenate([brought.sessions, np.array(days, "datetime64[D]")]), known.bars.names,
                         known.panel.features, np.concatenate([brought.values, values]),
                         np.concatenate([brought.tradable, np.repeat(coming[None], count, axis=0)]))
    rows = range(len(brought.sessions), len(brought.sessions) + count - 1)
    decisions = decide_many(bundle.strategy, bundle.models, panel, rows)
    market = Market.from_bars(sessions, known.bars.names, raw).rows(first, first + count)
    return panel.tail(count), decisions, market


def _rule(bundle: "Bundle", tape: "TapeFeed", days: Sequence[dt.date]) -> Judged:
    """Sides of a rule at each bar's end, filled at the next minute's open."""
    from models.backtest.bars import held_shares, judge_bars
    from models.backtest.prices import carried
    from models.market.costs import CostModel, borrow_cost, cash_interest
    from models.market.liquidity import known_before
    from models.signals.intraday import sides

    config, names = bundle.strategy.intraday, bundle.snapshot.bars.names
    assert config is not None
    if config.rule is None or config.flat_at_close:
        raise ValueError("the vector engine follows a rule that may hold over night: --engine event does the rest")
    raw, first = _columns(bundle, tape, days), len(bundle.snapshot.bars.sessions)
    adv, vol = known_before(raw["close"], raw["volume"], raw["total_return_factor"])
    split = np.nan_to_num(raw["split_factor"][first - 1 :], nan=1.0)
    if (split[1:] != split[:1]).any():
        raise ValueError("a name splits inside the tape: --engine event carries positions over it")
    closes, opens, ends, of = [], [], [], []
    for number, day in enumerate(days):
        made = _bars(tape, next(one for one in bundle.calendar if one.session == day), names, config.every_minutes)
        closes.append(made[0])
        opens.append(made[1])
        ends.append(made[2])
        of += [first + number] * len(made[0])
    costs = CostModel.default()
    close, fill_at = np.concatenate(closes), np.concatenate(opens)
    wanted = held_shares(config, sides(config.rule, close), carried(close), costs.capital_usd)
    told = judge_bars(wanted, fill_at, ends[-1], adv[of], vol[of], costs)
    paid = np.array([told.costs_usd[np.array(of) == first + number].sum() for number in range(len(days))])
    held = np.array([told.positions[np.nonzero(np.array(of) == first + number)[0][-1]] for number in range(len(days))])
    cash, worth = costs.capital_usd, []
    for number in range(len(days)):
        mine = np.array(of) == first + number
        cash -= float((told.trades * fill_at + told.costs_usd)[mine].sum())
        paid[number] += (borrow := float(borrow_cost(costs, held[number] * opens[number][0]).sum()))
        cash += float(cash_interest(costs, cash)) - borrow
        worth.append(cash + float((held[number] * ends[number]).sum()))
    return _result(bundle, [day.isoformat() for day in days], worth, paid.tolist(), [],
                   int((told.trades != 0).sum()), costs), {}


def _bars(tape: "TapeFeed", times: "SessionTimes", names: tuple[str, ...], every: int) -> tuple[Floats, Floats, Floats]:
    """Closes at each decision of a session (NaN where nothing traded since the last), the opens that come after it, and
    the last close."""
    first_us = int(times.open_at.timestamp()) * 1_000_000
    minutes = int((times.close_at - times.open_at).total_seconds()) // 60
    place = {name: index for index, name in enumerate(names)}
    close, opens = (np.full((minutes, len(names)), np.nan) for _ in range(2))
    for bar in tape.bars(times.session):
        row = (bar.start_us - first_us) // MINUTE_US
        if bar.instrument_id in place and 0 <= row < minutes and bar.volume > 0:
            close[row, place[bar.instrument_id]], opens[row, place[bar.instrument_id]] = bar.close, bar.open
    after = opens.copy()
    for row in range(minutes - 2, -1, -1):  # the next print, where a minute has none
        after[row] = np.where(np.isnan(after[row]), after[row + 1], after[row])
    at = np.arange(every, minutes, every)
    seen = np.stack([_last_known(close[row - every : row]) for row in at])
    ends = _last_known(close)
    if np.isnan(after[at]).any() or np.isnan(ends).any():
        raise ValueError(f"a name stops trading inside {times.session}: --engine event knows what to do then")
    return seen, after[at], ends


def _result(bundle: "Bundle", sessions: list[str], equity: list[float], paid: list[float], trades: list[Any],
            orders: int, costs: Any) -> "BacktestResult":
    from live.backtest import BacktestResult

    return BacktestResult(bundle.strategy.name, tuple(sessions), tuple(equity), tuple(paid), tuple(trades), orders,
                          orders, 0, "ACTIVE", costs.capital_usd, costs.cash_rate_session)
