"""The event-driven backtest: the live engine on a tape with the simulated venue, and what it came to."""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from live.adapters.simulated import SimulatedVenue, VenueRules
from live.adapters.tape import TapeFeed
from live.clock import TapeClock
from live.engine import DECIDE_BEFORE_OPEN, Engine, Terms
from live.journal import Journal
from live.ports import Feed
from live.risk import Limits
from models.backtest.figures import max_drawdown, sharpe_annual
from models.bundle import Bundle, SessionTimes
from models.features.panel import BarPanel, FeaturePanel
from models.manifest import Manifest
from models.market.costs import CostModel
from models.market.liquidity import known_before
from models.snapshot import Snapshot
from models.strategy import Models, StrategyConfig

__all__ = ["BacktestResult", "Limits", "TapeFeed", "VenueRules", "backtest", "in_memory"]

COLUMNS = ("open", "high", "low", "close", "volume", "split_factor", "total_return_factor")
LEAST_ROWS = 64  # of daily history that the tail keeps, made of nothing where there is less


@dataclass(frozen=True)
class BacktestResult:
    """Dollars by session, and every trade from flat to flat. Returns are shares of the stated capital."""

    strategy: str
    sessions: tuple[str, ...]
    equity: tuple[float, ...]
    costs: tuple[float, ...]
    trades: tuple[dict[str, Any], ...]
    orders: int
    fills: int
    refused: int
    state: str
    capital: float
    cash_rate_session: float
    ignored: int = 0  # bars that could not be believed

    def figures(self) -> dict[str, float | int]:
        """What a person reads first."""
        equity = np.array([self.capital, *self.equity])
        net: NDArray[np.float64] = np.diff(equity) / self.capital
        wins = [trade for trade in self.trades if trade["pnl"] > 0]
        told = {name: [trade[name] for trade in self.trades if trade[name] is not None]
                for name in ("R", "mae_R", "mfe_R")}
        return {
            "sessions": len(self.sessions), "orders": self.orders, "fills": self.fills, "refused": self.refused,
            "trades": len(self.trades), "profit_usd": float(equity[-1] - equity[0]), "costs_usd": math.fsum(self.costs),
            "sharpe_annual": sharpe_annual(net - self.cash_rate_session), "max_drawdown": max_drawdown(net),
            "wins": len(wins) / len(self.trades) if self.trades else math.nan,
            **{f"mean_{name}": math.fsum(values) / len(values) if values else math.nan
               for name, values in told.items()},
        }

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "figures": self.figures()}


def in_memory(
    strategy: StrategyConfig, names: Sequence[str], symbols: Sequence[str], calendar: Sequence[SessionTimes],
    history: tuple[NDArray[np.datetime64], Mapping[str, NDArray[np.float64]]] | None = None,
) -> Bundle:
    """A bundle of a rule, which no one has to sign: it never leaves the process. `history` is daily bars before the
    first session (sessions; columns of sessions by names); without it liquidity is learnt from the tape, and for the
    ten sessions that this takes nothing fills."""
    first = np.datetime64(calendar[0].session, "D")
    days, columns = history if history is not None else (np.array([], "datetime64[D]"), {})
    lacking = max(0, LEAST_ROWS - len(days))
    start = days[0] if len(days) else first
    days = np.concatenate([start - np.arange(lacking, 0, -1), days])
    known = {name: np.concatenate([np.full((lacking, len(names)), np.nan), columns[name]]) if name in columns
             else np.full((len(days), len(names)), 1.0 if name.endswith("factor") else np.nan) for name in COLUMNS}
    panel = FeaturePanel(days[-1:], tuple(names), (), np.zeros((1, len(names), 0)), np.ones((1, len(names)), np.bool_))
    adv, vol = known_before(known["close"], known["volume"], known["total_return_factor"])
    snapshot = Snapshot(BarPanel(days, tuple(names), known), panel, tuple(symbols), (), adv[-1], vol[-1])
    manifest = Manifest(
        1, calendar[0].open_at - DECIDE_BEFORE_OPEN, calendar[-1].close_at, strategy.slot, strategy.name,
        strategy.key(), "shadow", days[-1].astype(object), (), "0" * 64, {}, "0" * 64, {})
    no_models = cast(Models, None)  # a rule asks none
    return Bundle(Path("in-memory"), manifest, manifest.digest, strategy, no_models, snapshot, tuple(calendar))


def backtest(
    bundle: Bundle, feed: Feed, journal: Path, *, costs: CostModel | None = None, limits: Limits | None = None,
    rules: VenueRules | None = None, sessions: Sequence[dt.date] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> BacktestResult:
    """Trade the feed's sessions (or these) that come after what the bundle knows; the journal keeps every step."""
    costs = costs or CostModel.default()
    todo = [day for day in sessions or feed.sessions() if any(times.session == day for times in bundle.calendar)]
    if not todo:
        raise ValueError("no session of the tape is in the bundle's calendar: there is nothing to trade on")
    times = {one.session: one for one in bundle.calendar}
    clock = TapeClock(times[todo[0]].open_at - DECIDE_BEFORE_OPEN)
    with Journal(journal, synced=False, recall=("close", "trade")) as book:  # it need not outlive a power cut
        venue = SimulatedVenue(costs, rules, clock, feed.depth if isinstance(feed, TapeFeed) else None)
        engine = Engine(bundle, book, venue, clock, Terms("backtest", limits or Limits(), costs, None, brief=True))
        for session in todo:
            say(f"session {session}")
            engine.run_session(session, feed)
        closes = book.recalled["close"]
        trades = [{**row, "session": session} for session, row in book.recalled["trade"]]
    told = [row for _, row in closes]
    return BacktestResult(
        bundle.strategy.name, tuple(session for session, _ in closes), tuple(row["equity"] for row in told),
        tuple(row["costs"] for row in told), tuple(trades), sum(row["orders"] for row in told),
        sum(row["fills"] for row in told), sum(row["refused"] for row in told), str(told[-1]["state"]),
        costs.capital_usd, costs.cash_rate_session, sum(row["ignored_bars"] for row in told))
