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
    from models.bundle import Bundle
    from models.features.panel import FeaturePanel
    from models.strategy import Decision

Floats = NDArray[np.float64]
Judged = tuple["BacktestResult", dict[str, "pa.Table"]]  # and its tables by name, where there is more to tell


def judged(bundle: "Bundle", tape: "TapeFeed", days: Sequence[dt.date]) -> Judged:
    if bundle.strategy.intraday is None:
        return _daily(bundle, tape, days)
    from pipelines import backtesting_rule

    return backtesting_rule.judged(bundle, tape, days)


def columns(bundle: "Bundle", tape: "TapeFeed", days: Sequence[dt.date]) -> dict[str, Floats]:
    """Raw daily columns of what the bundle knows and of the tape's sessions, factors carried on."""
    names = bundle.snapshot.bars.names
    place = {name: index for index, name in enumerate(names)}
    raw = {name: list(values) for name, values in bundle.snapshot.bars.columns.items()}
    factors = {name: np.nan_to_num(last_known(np.array(raw[name])), nan=1.0)
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
        before = last_known(np.array(raw["close"]))
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


def last_known(values: Floats) -> Floats:
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
    paid, filled = told.cost * costs.capital_usd, int(np.count_nonzero(told.book.trades))
    result = result_of(bundle, [day.isoformat() for day in days[:-1]], told.equity_usd.tolist(), paid.tolist(),
                     _trades(bundle, told), filled, filled, costs)
    tables = told.tables()
    return result, {"equity": tables["equity"].append_column("costs_usd", [paid]), "positions": tables["positions"]}


def _trades(bundle: "Bundle", told: "Backtest") -> list[dict[str, Any]]:
    """Trips as live tells trades: each begins and ends at an opening print."""
    opens = {times.session: times.open_at for times in bundle.calendar}
    return [trade_row(trip, opens[trip["opened"]], opens[trip["closed"]], trip["closed"]) for trip in told.trips]


def trade_row(trip: dict[str, Any], begun: dt.datetime, ended: dt.datetime, session: dt.date) -> dict[str, Any]:
    return {
        **{name: trip[name] for name in trip if name not in ("opened", "closed", "sessions")},
        "decision_id": None, "opened_at": begun.isoformat(), "closed_at": ended.isoformat(),
        "holding_min": (ended - begun).total_seconds() / 60.0, "session": session.isoformat()}


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
    from models.features.panel import BarPanel
    from models.features.registry import named
    from models.strategy import decide_many

    if len(days) < 2:
        raise ValueError("the vector engine holds from open to open: give it two sessions or more")
    raw, known = columns(bundle, tape, days), bundle.snapshot
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
    at = min(len(brought.sessions), len(known.panel.sessions) - 1)
    coming = known.panel.rows(at, at + 1)  # what is tradable, and lent, stays as it is in the first of them
    panel = brought.then(np.array(days, "datetime64[D]"), values, np.repeat(coming.tradable, count, axis=0),
                         None if coming.shortable is None else np.repeat(coming.shortable, count, axis=0))
    rows = range(len(brought.sessions), len(brought.sessions) + count - 1)
    decisions = decide_many(bundle.strategy, bundle.models, panel, rows)
    market = Market.from_bars(sessions, known.bars.names, raw).rows(first, first + count)
    return panel.tail(count), decisions, market


def result_of(bundle: "Bundle", sessions: list[str], equity: list[float], paid: list[float], trades: list[Any],
              orders: int, fills: int, costs: Any) -> "BacktestResult":
    from live.backtest import BacktestResult

    return BacktestResult(bundle.strategy.name, tuple(sessions), tuple(equity), tuple(paid), tuple(trades), orders,
                          fills, 0, "ACTIVE", costs.capital_usd, costs.cash_rate_session)
