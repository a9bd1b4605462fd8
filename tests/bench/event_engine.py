"""The live engine on a year of one name's minutes, hard limits, costs and journal on, beside other event engines."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from live.adapters.tape import schema as tape_schema
from live.backtest import BacktestResult, TapeFeed, VenueRules, backtest, in_memory
from models.bundle import SessionTimes
from models.intraday import Intraday, Size
from models.market.costs import CostModel
from models.signals.intraday import EmaCross
from models.strategy import StrategyConfig
from tests.bench.event_data import BARS, CASH_USD, FAST, MINUTES, SESSIONS, SHARES, SLOW, path
from tests.bench.measure import Row, peak_mb, peer, timed

NAME = "M00"
OHLCV = ("open", "high", "low", "close", "volume")
PEERS = {"backtesting": "backtesting", "backtrader": "backtesting", "nautilus_trader": "nautilus"}  # its environment


def prepared(sessions: int = SESSIONS, say: Callable[[str], None] = lambda text: None) -> Callable[[], BacktestResult]:
    """A run of the whole: bars, decisions at each minute's end, limits, orders, fills, costs, journal, trades."""
    told = np.load(path())
    count = sessions * MINUTES
    start_us = told["start"][:count] * 1_000_000
    calendar = []
    for first in start_us[::MINUTES].tolist():
        opens = dt.datetime.fromtimestamp(first / 1e6, dt.UTC)
        calendar.append(SessionTimes(opens.date(), opens, opens + dt.timedelta(minutes=MINUTES)))
    days = np.repeat(np.array([times.session for times in calendar], "datetime64[D]"), MINUTES)
    columns = [[NAME] * count, [NAME] * count, days, start_us, *(told[name][:count] for name in OHLCV)]
    kind = tape_schema({})
    with tempfile.TemporaryDirectory() as folder:  # read into memory once, as the peers read theirs
        pq.write_table(pa.table([pa.array(column, field.type) for column, field in zip(columns, kind, strict=True)],
                                schema=kind), Path(folder) / "tape.parquet")
        feed = TapeFeed(Path(folder) / "tape.parquet")
    before = 100.0 * np.exp(np.random.default_rng(3).normal(0.0, 0.01, (30, 1)))
    past = np.datetime64(calendar[0].session, "D") - np.arange(30, 0, -1)
    history = dict.fromkeys(("open", "high", "low", "close"), before) | {"volume": np.full((30, 1), 1e6)}
    rule = Intraday(every_minutes=1, rule=EmaCross(FAST, SLOW), size=Size("shares", SHARES))
    strategy = StrategyConfig(name="cross", slot="intraday-equity", intraday=rule)
    bundle = in_memory(strategy, [NAME], [NAME], calendar, (past, history))
    costs = replace(CostModel.default(), capital_usd=CASH_USD)

    def work() -> BacktestResult:
        folder = Path(tempfile.mkdtemp())
        try:  # the peers fill an order whole
            return backtest(bundle, feed, folder / "journal.sqlite", costs=costs, rules=VenueRules(1.0),
                            say=say)
        finally:
            shutil.rmtree(folder)

    return work


def steady() -> Row:
    """24 hours of session time, what the process holds meanwhile, and what was missed."""
    held: list[float] = []
    work = prepared(say=lambda text: held.append(_rss_mb()))
    taken = timed(work, runs=1)
    last = work()
    a_day_s = taken.median_s * 24 * 60 / BARS
    return Row("simulated_24h", a_day_s, None, peak_mb=peak_mb(), samples=1,
               note=f"{86_400 / a_day_s:,.0f} times as fast as the market; {held[50]:.1f} MB after 50 sessions, "
                    f"{held[len(last.sessions) - 1]:.1f} after {len(last.sessions)}; "
                    f"{SESSIONS - len(last.sessions)} sessions and {last.ignored} bars missed")


def _rss_mb() -> float:
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * 4096 / 1e6


def floor_s() -> float:
    """The same crosses and the same money by a loop that keeps nothing."""
    told = np.load(path())
    opens, closes = told["open"].tolist(), told["close"].tolist()

    def work() -> None:
        fast = slow = closes[0]
        was, pending, held, cash = 0, 0, 0, CASH_USD
        for row, close in enumerate(closes):
            if pending:
                cash -= pending * opens[row] + abs(pending) * opens[row] * 1e-4
                held, pending = held + pending, 0
            fast += (close - fast) * 2 / (FAST + 1)
            slow += (close - slow) * 2 / (SLOW + 1)
            now = 1 if fast > slow else -1
            if row >= SLOW and was and now != was:
                pending = SHARES if now > 0 and not held else -held if now < 0 else 0
            was = now

    return timed(work, runs=5).median_s


def rows() -> list[Row]:
    work = prepared()
    last = work()
    taken = timed(work, runs=3)
    floor = floor_s()
    note = f"{BARS / taken.median_s:,.0f} bars/s, {last.orders} orders, {len(last.trades)} trades"
    found = [Row("event_engine", taken.median_s, taken.cold_s, floor_s=floor, peak_mb=peak_mb(), samples=taken.runs,
                 note=note)]
    for name, environment in PEERS.items():
        told = peer(environment, "event_peers", name, "3" if name == "backtesting" else "1")
        if told is None:
            found.append(Row("event_engine", taken.median_s, taken.cold_s, name, None, floor, note=note))
            continue
        beside = timed(work, runs=3)  # once more beside each: the machine is not the same all the time
        again, busy = beside.median_s, min(beside.cpu)
        found.append(Row("event_engine", again, None, name, told["seconds"], floor, told["peak_mb"], beside.runs,
                         f"{told['seconds'] / again:.2f} times as fast as {name}: {BARS / again:,.0f} bars/s against "
                         f"{BARS / told['seconds']:,.0f}, {told['orders']} orders there; by the processor's seconds "
                         f"{told['cpu_s'] / busy:.2f} times, {busy:.2f} s against {told['cpu_s']:.2f} s"))
    return [*found, steady()]
