"""A rule inside the session by arrays: sides at each bar's end, filled whole at the next minute's open, costs on.

Equal to the event engine to the cent where an order fits into a tenth of its bar's volume; a larger one the venue fills
in parts, which arrays do not. A row is a session's first print, or a decision's fill; the account is marked at closes.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.backtesting_vector import Judged, columns, last_known, result_of, trade_row
from pipelines.progress import say

if TYPE_CHECKING:
    from live.backtest import TapeFeed
    from models.backtest.market import Market
    from models.bundle import Bundle, SessionTimes

Floats = NDArray[np.float64]
MINUTE_US = 60_000_000
BAR_SHARE = 0.10  # of a bar's volume that the event engine's venue lets our fills be


@dataclass(frozen=True)
class _Day:
    """(rows, names) of one session; the first row is its first print, and decides nothing."""

    open_at: dt.datetime
    at: NDArray[np.intp]  # (rows,) minutes since the open
    filled: NDArray[np.intp]  # minute of the first print from the row on
    seen: Floats  # last close before the row, NaN where nothing traded since the row before
    opens: Floats  # first print from the row on
    volume: Floats  # of that print's bar
    high: Floats  # from the row to the next
    low: Floats
    ends: Floats  # (names,) last close of the session


def judged(bundle: "Bundle", tape: "TapeFeed", days: Sequence[dt.date]) -> Judged:
    from models.backtest.bars import positions
    from models.backtest.book import Book
    from models.backtest.charges import Terms, fill_costs
    from models.backtest.prices import carried
    from models.backtest.roundtrips import round_trips
    from models.market.costs import CostModel, borrow_cost, cash_interest
    from models.signals.intraday import sides

    config, names = bundle.strategy.intraday, bundle.snapshot.bars.names
    assert config is not None
    if config.rule is None or config.flat_at_close:
        raise ValueError("the vector engine follows a rule that may hold over night: --engine event does the rest")
    raw, first = columns(bundle, tape, days), len(bundle.snapshot.bars.sessions)
    calendar = {times.session: times for times in bundle.calendar}
    told = [_day(tape, calendar[day], names, config.every_minutes) for day in days]
    of = np.repeat(np.arange(len(days)), [len(day.at) for day in told])
    begins = np.flatnonzero(np.diff(of, prepend=-1))
    factor = carried(raw["total_return_factor"])[first:][of]
    seen, opens = np.concatenate([day.seen for day in told]), np.concatenate([day.opens for day in told])
    market = _market(names, raw, first, of, told)
    adv, vol = market.prices.adv20_usd[:-1], market.prices.vol20_daily[:-1]
    costs = CostModel.default()
    decides = np.setdiff1d(np.arange(len(of)), begins)
    wanted = np.full(seen.shape, np.nan)
    wanted[decides] = sides(config.rule, (seen * factor)[decides])
    split = np.nan_to_num(market.prices.split_factor[:-1], nan=1.0)
    ratio = np.vstack([np.ones((1, len(names))), split[1:] / split[:-1]])
    held, trades, orders = positions(config, wanted, carried(seen), np.isfinite(adv) & np.isfinite(vol), ratio,
                                     costs.capital_usd)
    large = np.abs(trades) > np.floor(BAR_SHARE * np.concatenate([day.volume for day in told]))
    if large.any():
        say(f"{int(large.sum())} of {orders} orders are more than a tenth of their bar's volume: filled whole here, in "
            "parts by --engine event")
    paid = fill_costs(costs, Terms(), trades, opens, adv, vol).whole
    nothing = np.zeros(held.shape)
    fresh = (np.sign(held) != np.sign(held - trades)) & (held != 0.0)
    book = Book(held, trades, nothing, nothing * np.nan, held * opens, nothing,
                np.where(fresh, market.atr_usd[:-1], np.nan), 0)
    reference = market.prices.reference_price  # in today's shares: what a part of one is paid at
    cash, worth, spent = costs.capital_usd, [], []
    for number, (day, made_day) in enumerate(zip(days, told, strict=True)):
        mine = of == number
        row = int(begins[number])
        cash += sum(action.amount * held[row, names.index(action.instrument_id)] for action in tape.actions(day)
                    if action.kind == "dividend" and action.ex_date == day and action.instrument_id in names)
        if number:
            cash += float(np.nan_to_num((held[row - 1] * ratio[row] - held[row]) * reference[row]).sum())
        cash -= float((trades * opens + paid)[mine].sum())
        last = held[np.flatnonzero(mine)[-1]]
        basis = _basis(held[row], trades[mine], opens[mine])
        borrow = float(borrow_cost(costs, last * basis).sum())
        cash += float(cash_interest(costs, cash)) - borrow
        spent.append(float(paid[mine].sum()) + borrow)
        worth.append(cash + float((last * made_day.ends).sum()))
    minute = np.concatenate([day.filled for day in told])

    def moment(row: int, name: str) -> dt.datetime:
        return told[of[row]].open_at + dt.timedelta(minutes=int(minute[row, names.index(name)]))

    rows = [trade_row(trip, *(moment(trip[end], trip["instrument_id"]) for end in ("opened", "closed")),
                      days[of[trip["closed"]]]) for trip in round_trips(market, book, costs, Terms())]
    result = result_of(bundle, [day.isoformat() for day in days], worth, spent, rows, orders,
                       int(np.count_nonzero(trades)), costs)
    return result, {}


def _basis(brought: Floats, trades: Floats, opens: Floats) -> Floats:
    """(names,) the price that a session's borrow is reckoned at: its first print, or the first fill of what it did not
    come with."""
    first = opens[np.argmax(trades != 0.0, axis=0), np.arange(opens.shape[1])]
    return np.where(brought != 0.0, opens[0], first)


def _market(
    names: tuple[str, ...], raw: dict[str, Floats], first: int, of: NDArray[np.intp], told: Sequence[_Day]
) -> "Market":
    """Rows in place of sessions, each with the liquidity and ATR of its day; the last one stands twice."""
    from models.backtest.market import Market
    from models.backtest.prices import Prices, carried

    days = np.arange(len(raw["close"])).astype("datetime64[D]")
    daily = Market.from_bars(days, names, raw)
    at = np.append(of, of[-1]) + first

    def rows(parts: Sequence[Floats]) -> Floats:
        whole = np.concatenate(parts)
        return np.concatenate([whole, whole[-1:]])

    prices, seen = daily.prices, rows([day.seen for day in told])
    reference, split = seen.copy(), carried(prices.split_factor)[at]
    for row, day in zip(np.flatnonzero(np.diff(of)) + 1, told, strict=False):  # where the session before it ended
        reference[row] = day.ends * (split[row - 1] / split[row])
    return Market(
        Prices(np.arange(len(at)), names, rows([day.opens for day in told]), seen, split,
               carried(raw["total_return_factor"])[at], carried(reference), prices.adv20_usd[at],
               prices.vol20_daily[at], prices.tradable[at]),
        rows([day.high for day in told]), rows([day.low for day in told]), daily.volume[at], daily.atr_usd[at])


def _day(tape: "TapeFeed", times: "SessionTimes", names: tuple[str, ...], every: int) -> _Day:
    first_us = int(times.open_at.timestamp()) * 1_000_000
    minutes = int((times.close_at - times.open_at).total_seconds()) // 60
    place = {name: index for index, name in enumerate(names)}
    opens, high, low, close, volume = (np.full((minutes, len(names)), np.nan) for _ in range(5))
    for bar in tape.bars(times.session):
        row = (bar.start_us - first_us) // MINUTE_US
        if bar.instrument_id in place and 0 <= row < minutes and bar.volume > 0:
            column = place[bar.instrument_id]
            opens[row, column], high[row, column], low[row, column], close[row, column], volume[row, column] = (
                bar.open, bar.high, bar.low, bar.close, bar.volume)
    after, room = opens.copy(), volume.copy()
    printed = np.repeat(np.arange(minutes)[:, None], len(names), axis=1)
    for row in range(minutes - 2, -1, -1):  # the next print, where a minute has none
        gap = np.isnan(after[row])
        for values in (after, room, printed):
            values[row] = np.where(gap, values[row + 1], values[row])
    at = np.arange(0, minutes, every)
    nothing = np.full((1, len(names)), np.nan)
    parts = [slice(row, min(row + every, minutes)) for row in at]
    seen = np.stack([last_known(np.vstack([nothing, close[max(0, row - every) : row]])) for row in at])
    ends = last_known(close)
    if np.isnan(after[at]).any() or np.isnan(ends).any():
        raise ValueError(f"a name stops trading inside {times.session}: --engine event knows what to do then")
    highest, lowest = (np.stack([pick(_or_open(values[part], after[part.start]), axis=0) for part in parts])
                       for pick, values in ((np.nanmax, high), (np.nanmin, low)))
    return _Day(times.open_at, at, printed[at], seen, after[at], room[at], highest, lowest, ends)


def _or_open(values: Floats, opened: Floats) -> Floats:
    """A stretch without a bar reached no further than the print after it."""
    return np.vstack([values, np.where(np.isfinite(values).any(axis=0), np.nan, opened)])
