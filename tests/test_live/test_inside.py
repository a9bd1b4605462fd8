"""Decisions at bar ends and stops that rest at the venue, through the whole engine."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from live.backtest import VenueRules, backtest, in_memory
from live.fakes import ListFeed
from live.journal import Journal
from live.ports import Action, Bar
from live.risk import Limits
from models.bundle import Bundle, SessionTimes
from models.intraday import Intraday, Size, StopRule
from models.market.costs import CostModel
from models.signals.intraday import EmaCross, sides
from models.strategy import StrategyConfig
from pipelines import calendars

MINUTES = 390
DAYS = tuple(calendars.next_sessions(dt.date(2025, 6, 2), 4))
CALENDAR = [SessionTimes(day, calendars.open_at(day), calendars.close_at(day)) for day in DAYS]
NAMES = ("X", "Y")


def market(seed: int = 4, volume: float = 50_000.0) -> dict[dt.date, list[Bar]]:
    """Two names, a bar a minute."""
    rng = np.random.default_rng(seed)
    bars: dict[dt.date, list[Bar]] = {}
    price = np.array([100.0, 40.0])
    for times in CALENDAR:
        bars[times.session] = []
        start_us = int(times.open_at.timestamp()) * 1_000_000
        for minute in range(MINUTES):
            opens = price
            price = np.round(opens * np.exp(rng.normal(0.0, 0.001, 2)), 2)
            for index, name in enumerate(NAMES):
                high, low = max(opens[index], price[index]) + 0.01, min(opens[index], price[index]) - 0.01
                bars[times.session].append(Bar(name, start_us + minute * 60_000_000, float(opens[index]), float(high),
                                               float(low), float(price[index]), volume))
    return bars


def bundle(intraday: Intraday) -> Bundle:
    rng = np.random.default_rng(1)
    closes = np.array([100.0, 40.0]) * np.exp(rng.normal(0.0, 0.01, (30, 2)))
    days = np.datetime64(DAYS[0], "D") - np.arange(30, 0, -1)
    history = {"open": closes, "high": closes * 1.01, "low": closes * 0.99, "close": closes,
               "volume": np.full((30, 2), 2e6)}
    strategy = StrategyConfig(name="rule", slot="intraday-equity", intraday=intraday)
    return in_memory(strategy, NAMES, NAMES, CALENDAR, (days, history))


def rows(path: Path, kind: str) -> list[dict]:
    with Journal(path) as book:
        assert book.verify()
        return [{**entry.payload, "at": entry.at, "session": entry.session} for entry in book.entries(kind)]


def test_it_decides_at_each_fifth_minute_and_fills_at_the_next_minutes_open(tmp_path: Path) -> None:
    bars = market()
    chosen = bundle(Intraday(rule=EmaCross(3, 8, short=True), size=Size("shares", 300)))
    result = backtest(chosen, ListFeed(bars), tmp_path / "j.sqlite", limits=Limits.off())
    by_start = {(bar.instrument_id, bar.start_us): bar for day in bars.values() for bar in day}
    fills = rows(tmp_path / "j.sqlite", "fill")
    assert len(fills) == result.fills > 40
    for fill in fills:
        at = dt.datetime.fromisoformat(fill["at"])
        assert at.minute % 5 == 0 and fill["price"] == by_start[
            fill["instrument_id"], int(at.timestamp()) * 1_000_000].open
    # What was wanted is what the rule says of the five-minute closes, and nothing else was traded.
    for index, name in enumerate(NAMES):
        closes = np.array([[day[row * 2 + index].close] for day in bars.values() for row in range(4, MINUTES, 5)])
        wanted = np.nan_to_num(sides(EmaCross(3, 8, short=True), closes)[:, 0])
        last = np.arange(len(wanted)) % 78 == 77  # nothing is decided at the close, and the bar is not seen
        assert int((np.diff(np.concatenate([[0.0], wanted[~last]])) != 0).sum()) == pytest.approx(
            sum(fill["instrument_id"] == name for fill in fills), abs=4)


def test_trades_add_up_to_the_account(tmp_path: Path) -> None:
    chosen = bundle(Intraday(rule=EmaCross(3, 8), size=Size("weight", 0.05), flat_at_close=True))
    costs = replace(CostModel.default(), cash_rate_annual=0.0)
    result = backtest(chosen, ListFeed(market()), tmp_path / "j.sqlite", costs=costs)
    assert result.trades and result.state == "ACTIVE"
    profit = result.equity[-1] - costs.capital_usd
    assert sum(trade["pnl"] for trade in result.trades) == pytest.approx(profit, abs=0.01)
    assert all(not row["book"]["holdings"] for row in rows(tmp_path / "j.sqlite", "close"))
    for trade in result.trades:
        assert trade["mae_R"] <= min(trade["R"], 0.0) + 1e-12 and trade["mfe_R"] >= max(trade["R"], 0.0) - 1e-12
        assert trade["holding_min"] > 0 and trade["reason"] == "SIGNAL"


@pytest.mark.parametrize("stop", [
    StopRule("fixed", pct=0.003, reward_risk=1.5), StopRule("atr", multiple=0.2), StopRule("trailing", pct=0.002),
    StopRule("time", bars=17)])
def test_stops_end_positions_at_the_venue_by_the_rule(tmp_path: Path, stop: StopRule) -> None:
    bars = market()
    chosen = bundle(Intraday(rule=EmaCross(3, 8, short=True), size=Size("shares", 300), stop=stop))
    result = backtest(chosen, ListFeed(bars), tmp_path / "j.sqlite")
    reasons = {trade["reason"] for trade in result.trades}
    assert reasons >= {"time": {"TIMEOUT"}, "fixed": {"SL", "TP"}}.get(stop.method, {"SL"})
    starts = {(bar.instrument_id, bar.start_us): bar for day in bars.values() for bar in day}
    intents = {row["order_id"]: row for row in rows(tmp_path / "j.sqlite", "intent")}
    for fill in rows(tmp_path / "j.sqlite", "fill"):
        sent = intents[fill["order_id"]]
        bar = starts[fill["instrument_id"], int(dt.datetime.fromisoformat(fill["at"]).timestamp()) * 1_000_000]
        assert bar.low <= fill["price"] <= bar.high
        if sent.get("kind") == "guard":
            side = -1 if sent["quantity"] > 0 else 1
            worst = bar.low if side > 0 else bar.high
            if side * (worst - sent["stop_price"]) <= 0:  # stop and target in one bar: the stop, or a gap's open
                assert side * (fill["price"] - sent["stop_price"]) <= 0 or fill["price"] == bar.open
            else:
                assert fill["price"] in (sent["target_price"], bar.open)
        else:
            assert fill["price"] == bar.open
    held: dict[str, int] = {}
    for fill in rows(tmp_path / "j.sqlite", "fill"):  # a guard never closes more than there is
        name, before = fill["instrument_id"], held.get(fill["instrument_id"], 0)
        held[name] = before + fill["quantity"]
        if intents[fill["order_id"]].get("reduce_only"):
            assert abs(held[name]) < abs(before) and held[name] * before >= 0


def test_a_day_interrupted_between_sessions_ends_as_one_that_was_not(tmp_path: Path) -> None:
    chosen = bundle(Intraday(rule=EmaCross(3, 8, short=True), size=Size("shares", 300),
                             stop=StopRule("trailing", pct=0.004)))
    bars = market()
    once = backtest(chosen, ListFeed(bars), tmp_path / "a.sqlite")
    for days in (DAYS[:2], DAYS[2:]):
        twice = backtest(chosen, ListFeed(bars), tmp_path / "b.sqlite", sessions=days)
    assert twice == once
    heads = [Journal(tmp_path / name, read_only=True).head() for name in ("a.sqlite", "b.sqlite")]
    assert heads[0] == heads[1]


@pytest.mark.parametrize("cash", [0.0, 0.5])
def test_a_split_and_a_dividend_move_entry_and_stop_with_the_price(tmp_path: Path, cash: float) -> None:
    """Held over a 2-for-1: the stop stands where it stood, and the rule goes on as if nothing had happened."""
    bars, ex = market(), DAYS[2]
    for day in DAYS[2:]:
        bars[day] = [bar._replace(open=bar.open / 2 - cash, high=bar.high / 2 - cash, low=bar.low / 2 - cash,
                                  close=bar.close / 2 - cash) if bar.instrument_id == "X" else bar for bar in bars[day]]
    actions = [Action("X", ex, "split", 2.0), *([Action("X", ex, "dividend", cash)] if cash else [])]
    rule = Intraday(rule=EmaCross(10, 50), size=Size("shares", 300), stop=StopRule("fixed", pct=0.2))
    plain, moved = (backtest(bundle(rule), ListFeed(tape, told), tmp_path / f"{number}.sqlite")
                    for number, (tape, told) in enumerate([(market(), []), (bars, actions)]))
    before = rows(tmp_path / "1.sqlite", "close")[1]["open_trades"]["X"]
    guard = next(row for row in rows(tmp_path / "1.sqlite", "intent") if row["session"] == ex.isoformat()
                 and row["instrument_id"] == "X")
    assert (guard["kind"], guard["quantity"]) == ("guard", -2 * before["shares"]) and before["shares"] > 0
    assert guard["stop_price"] == pytest.approx(before["stop"] / 2 - cash)
    held, ended = (next(trade for trade in told.trades if trade["instrument_id"] == "X"
                        and trade["opened_at"] < ex.isoformat() < trade["closed_at"]) for told in (plain, moved))
    assert ended["opened_at"] == held["opened_at"] and ended["shares"] == 2 * held["shares"]
    if not cash:  # a dividend in cash is no factor: the rule's averages are moved by a hair
        assert ended["closed_at"] == held["closed_at"] and ended["R"] == pytest.approx(held["R"])
        assert ended["mae_R"] == pytest.approx(held["mae_R"]) and ended["pnl"] == pytest.approx(held["pnl"], abs=5.0)


def test_a_persons_stop_guards_a_strategy_that_has_none_and_a_halt_leaves_nothing_at_the_venue(tmp_path: Path) -> None:
    chosen = bundle(Intraday(rule=EmaCross(3, 8), size=Size("weight", 0.3)))
    limits = Limits(stops=StopRule("fixed", pct=0.05), daily_loss_reduce=1e-6, daily_loss_halt=2e-6, drawdown_halt=1.0)
    backtest(chosen, ListFeed(market()), tmp_path / "j.sqlite", limits=limits)
    states = rows(tmp_path / "j.sqlite", "state")
    assert states[-1]["state"] == "HALTED"
    after = [row for row in rows(tmp_path / "j.sqlite", "intent") if row["at"] > states[-1]["at"]]
    assert not after
    closing = limits.__class__(daily_loss_reduce=1e-6, daily_loss_halt=2e-6, drawdown_halt=1.0, close_on_halt=True)
    backtest(chosen, ListFeed(market()), tmp_path / "k.sqlite", limits=closing)
    assert [row["state"] for row in rows(tmp_path / "k.sqlite", "state")][-2:] == ["REDUCING", "HALTED"]
    assert not rows(tmp_path / "k.sqlite", "close")[-1]["book"]["holdings"]


def test_a_thin_market_fills_in_parts(tmp_path: Path) -> None:
    chosen = bundle(Intraday(rule=EmaCross(3, 8), size=Size("shares", 300)))
    result = backtest(chosen, ListFeed(market(volume=1_200.0)), tmp_path / "j.sqlite",
                      rules=VenueRules(bar_share=0.1))
    fills = rows(tmp_path / "j.sqlite", "fill")
    assert result.fills > 2 * result.orders and all(abs(fill["quantity"]) <= 120 for fill in fills)


def test_what_is_stale_or_cannot_be_believed_sends_nothing(tmp_path: Path) -> None:
    """A name that goes silent is left alone until it is heard again; odd bars change no fill and are counted."""
    chosen = bundle(Intraday(rule=EmaCross(2, 4, short=True), size=Size("shares", 300)))
    bars = market()
    first_us = bars[DAYS[1]][0].start_us
    silent = [bar for bar in bars[DAYS[1]] if not (bar.instrument_id == "X"
                                                   and 100 <= (bar.start_us - first_us) // 60_000_000 < 300)]
    backtest(chosen, ListFeed({**bars, DAYS[1]: silent}), tmp_path / "j.sqlite")
    quiet = [dt.datetime.fromtimestamp((first_us + minute * 60_000_000) / 1e6, dt.UTC).isoformat()
             for minute in (101, 299)]
    sent = [row for row in rows(tmp_path / "j.sqlite", "intent") if row["session"] == DAYS[1].isoformat()]
    assert not [row for row in sent if row["instrument_id"] == "X" and quiet[0] < row["at"] < quiet[1]]
    assert [row for row in sent if row["instrument_id"] == "Y" and quiet[0] < row["at"] < quiet[1]]
    odd = [one for bar in bars[DAYS[1]] for one in (
        bar, bar, bar._replace(close=float("nan")), bar._replace(start_us=bar.start_us - 300_000_000),
        bar._replace(start_us=bar.start_us + 10**12), bar._replace(low=-1.0))]
    fills = []
    for number, tape in enumerate((bars, {**bars, DAYS[1]: odd})):
        result = backtest(chosen, ListFeed(tape), tmp_path / f"{number}.sqlite")
        fills.append([row for row in rows(tmp_path / f"{number}.sqlite", "fill")])
    assert fills[0] == fills[1] and result.ignored == 5 * len(bars[DAYS[1]])
