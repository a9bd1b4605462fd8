"""A rule by both engines on one tape: the same orders, costs, equity and trades to the cent."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from live.adapters.tape import schema
from live.backtest import BacktestResult, Limits, TapeFeed, backtest, in_memory
from live.ports import Action
from models.bundle import SessionTimes
from models.strategy import StrategyConfig
from pipelines import backtesting, backtesting_vector, calendars

NAMES = ["N0", "N1", "N2"]
PAST = 25
DAYS = list(calendars.next_sessions(dt.date(2025, 3, 14), PAST + 5))


def tape(path: Path, volume: float = 50_000.0, kind: str = "dividend") -> TapeFeed:
    """Five sessions, a bar every other minute or so; an action of the second name on the third day."""
    chance = np.random.default_rng(3)
    price, rows = np.array([50.0, 80.0, 120.0]), []
    actions = {DAYS[PAST + 2]: [Action("N1", DAYS[PAST + 2], kind, 0.4 if kind == "dividend" else 1.5)]}
    for day in DAYS[PAST:]:
        if day in actions:
            price = price - np.array([0.0, 0.4, 0.0]) if kind == "dividend" else price / np.array([1.0, 1.5, 1.0])
        for minute in range(390):
            after = np.round(price * np.exp(chance.normal(0, 0.0008, 3)), 2)
            for i, name in enumerate(NAMES):
                if minute in (0, 389) or chance.random() < 0.5:
                    ends = sorted((round(float(price[i]), 2), float(after[i])))
                    start = calendars.open_at(day) + dt.timedelta(minutes=minute)
                    rows.append((name, name, day, start, round(float(price[i]), 2), ends[1] + 0.01, ends[0] - 0.01,
                                 float(after[i]), volume))
            price = after
    told = schema(actions)
    columns = zip(*rows, strict=True)
    pq.write_table(pa.table([pa.array(column, field.type) for column, field in zip(columns, told, strict=True)],
                            schema=told), path)
    return TapeFeed(path)


def both(
    folder: Path, rule: str, size: str, known: bool = True, **words: object
) -> tuple[BacktestResult, BacktestResult]:
    feed = tape(folder / "tape.parquet", **words)  # type: ignore[arg-type]
    close = 50.0 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, (PAST, 3)), axis=0)) * [1.0, 1.6, 2.4]
    history = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close,
               "volume": np.full(close.shape, 1.5e7), "split_factor": np.ones(close.shape),
               "total_return_factor": np.ones(close.shape)}
    if not known:
        history = {name: values[-7:] for name, values in history.items()}
    past = np.array(DAYS[:PAST], "datetime64[D]")[-len(history["close"]) :]
    strategy = StrategyConfig(name="rule", slot="intraday-equity",
                              intraday=backtesting.intraday_of(rule, 5, size, None, False))
    calendar = [SessionTimes(day, calendars.open_at(day), calendars.close_at(day)) for day in DAYS[PAST:]]
    bundle = in_memory(strategy, NAMES, NAMES, calendar, (past, history))
    event = backtest(bundle, feed, folder / "journal.sqlite", limits=Limits.off())
    return event, backtesting_vector.judged(bundle, feed, DAYS[PAST:])[0]


@pytest.mark.parametrize(("rule", "size", "known", "kind"), [
    ("ema_cross:fast=10,slow=30,short=true", "shares:500", True, "dividend"),
    ("ema_cross:fast=3,slow=8", "shares:300", False, "dividend"),
    ("reversion:window=20,entry=2", "weight:0.003", True, "dividend"),
    ("ema_cross:fast=10,slow=40,short=true", "shares:501", True, "split")])
def test_a_rule_is_the_same_to_the_cent_by_both_engines(
    rule: str, size: str, known: bool, kind: str, tmp_path: Path
) -> None:
    """A dividend or a split lies within; where little history is known, nothing fills before liquidity is."""
    event, vector = both(tmp_path, rule, size, known, kind=kind)
    assert vector.orders == event.orders > 20
    assert vector.fills == event.fills
    assert vector.equity == pytest.approx(event.equity, abs=0.005)
    assert vector.costs == pytest.approx(event.costs, abs=0.005)
    assert len(vector.trades) == len(event.trades) > 5
    assert (event.costs[0] > 0.0) == known  # the first sessions fill nothing where nothing is known
    ours = {(trade["instrument_id"], trade["opened_at"]): trade for trade in vector.trades}
    told = {(trade["instrument_id"], trade["opened_at"]): trade for trade in event.trades}
    assert set(ours) == set(told)
    for key, trade in told.items():
        assert ours[key]["closed_at"] == trade["closed_at"]
        for field in ("side", "shares", "entry", "exit", "costs", "pnl", "R", "mfe_R", "mae_R", "slippage_bp"):
            assert ours[key][field] == pytest.approx(trade[field], abs=0.005), (key, field)


def test_an_order_that_its_bar_cannot_hold_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event, vector = both(tmp_path, "ema_cross:fast=10,slow=30", "shares:500", volume=2_000.0)
    assert event.fills > event.orders == vector.orders
    assert "more than a tenth of their bar's volume" in capsys.readouterr().err
