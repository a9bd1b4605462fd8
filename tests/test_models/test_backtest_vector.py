"""The whole vectorised backtest: the judge's to the bit, each charge by hand, and trades as live tells them."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from models.backtest import judge
from models.backtest.book import Rules, hold
from models.backtest.charges import Terms
from models.backtest.market import Market
from models.backtest.vector import backtest
from models.intraday import StopRule
from models.market import costs as costs_module
from models.market.costs import CostModel

FREE = CostModel(1_000_000.0, 0.0, 252, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
DEFAULT = CostModel.default()


def a_market(seed: int, sessions: int = 90, names: int = 9) -> Market:
    """Splits both ways, dividends, a late listing, two deaths, missing sessions."""
    chance = np.random.default_rng(seed)
    close = 40.0 * np.exp(np.cumsum(chance.normal(0.0, 0.02, (sessions, names)), axis=0))
    opened = close * np.exp(chance.normal(0.0, 0.01, close.shape))
    split, total = np.ones(close.shape), np.ones(close.shape)
    for name, at, factor in ((0, 40, 2.0), (1, 60, 0.1), (0, 70, 1.5)):
        split[at:, name] *= factor
    for name, at, share in ((2, 35, 0.02), (2, 65, 0.01), (3, 50, 0.05)):
        total[at:, name] /= 1.0 - share
    bars = {"open": opened / split, "close": close / split}
    bars["high"] = np.maximum(bars["open"], bars["close"]) * (1.0 + 0.01 * chance.random(close.shape))
    bars["low"] = np.minimum(bars["open"], bars["close"]) * (1.0 - 0.01 * chance.random(close.shape))
    bars["volume"] = np.floor(chance.uniform(2e5, 2e6, close.shape))
    bars |= {"split_factor": split, "total_return_factor": split * total}
    gone = np.zeros(close.shape, bool)
    gone[:25, 4], gone[55:, 5], gone[80:, 6], gone[45:48, 7] = True, True, True, True
    bars = {name: np.where(gone, np.nan, values) for name, values in bars.items()}
    days = np.datetime64("2024-01-02") + np.arange(sessions)
    return Market.from_bars(days, tuple(f"n{i}" for i in range(names)), bars)


def flat_market(price: float = 50.0, sessions: int = 4, names: int = 2, **others: np.ndarray) -> Market:
    """Nothing moves; liquidity and ATR are told."""
    ones = np.ones((sessions, names))
    bars = {name: ones * price for name in ("open", "high", "low", "close")} | {
        "volume": ones, "split_factor": ones, "total_return_factor": ones} | others
    known = Market.from_bars(np.datetime64("2024-01-02") + np.arange(sessions),
                             tuple(f"n{i}" for i in range(names)), bars)
    prices = known.prices
    reference = np.vstack([bars["close"][:1], prices.reference_price[1:]])
    prices = type(prices)(prices.sessions, prices.names, prices.open_raw, prices.close_raw, prices.split_factor,
                          prices.total_return_factor, reference, ones * 1e9, ones * 0.02, prices.tradable)
    return Market(prices, known.high_raw, known.low_raw, known.volume, ones * 2.0)


@pytest.mark.parametrize("seed", range(4))
def test_without_rules_it_is_the_judge_to_the_bit(seed: int) -> None:
    market = a_market(seed).rows(22)
    chance = np.random.default_rng(seed)
    count, names = len(market.prices.sessions) - 1, len(market.prices.names)
    weights = np.where(chance.random((count, names)) < 0.2, np.nan, chance.normal(0.0, 0.3, (count, names)))
    told, judged = backtest(market, weights), judge(market.prices, weights, DEFAULT)
    for name in ("gross", "net", "cost", "turnover"):
        assert getattr(told, name).tobytes() == getattr(judged, name).tobytes(), name
    assert told.book.shares.tobytes() == judged.shares.tobytes()
    assert told.book.trades.tobytes() == judged.trades.tobytes()
    assert told.equity_usd[-1] == pytest.approx(DEFAULT.capital_usd * judged.equity[-1])
    assert np.abs(judged.trades).sum() > 0 and np.isfinite(told.net).all()


def test_each_charge_is_the_one_that_was_agreed() -> None:
    market, weights = flat_market(), np.array([[0.3, -0.3], [0.3, -0.3], [0.0, 0.0]])
    told = backtest(market, weights).charges.kinds()
    count, paid = 60_000, costs_module.bill(DEFAULT, 60_000, 50.0, 1e9, 0.02)
    assert told["spread"] == pytest.approx([2 * paid.spread, 0.0, 2 * paid.spread])
    assert told["impact"] == pytest.approx([2 * paid.impact, 0.0, 2 * paid.impact])
    assert told["fees"] == pytest.approx([2 * count * 0.0035, 0.0, 2 * count * 0.0035])
    assert told["borrow"] == pytest.approx([3e6 * 0.005 / 252] * 2 + [0.0])
    more = backtest(market, weights, terms=Terms(linear_impact=0.7)).charges.kinds()["impact"] - told["impact"]
    assert more == pytest.approx([2 * 3e6 * 0.7 * 0.02 * 3e6 / 1e9, 0.0, 2 * 3e6 * 0.7 * 0.02 * 3e6 / 1e9])


def test_funding_is_paid_by_the_long_and_got_by_the_short_and_borrow_may_differ_by_name() -> None:
    market, weights = flat_market(), np.array([[0.4, -0.3], [0.4, -0.3], [0.4, -0.3]])
    rates = np.full((3, 2), 0.001)
    rates[2] = np.nan  # nobody told: nothing is charged
    plain = backtest(market, weights)
    told = backtest(market, weights, terms=Terms(funding=rates, borrow_annual=np.array([np.nan, 0.252])))
    assert told.charges.kinds()["funding"] == pytest.approx([1_000.0, 1_000.0, 0.0])
    assert told.charges.kinds()["borrow"] == pytest.approx([3e6 * 0.001] * 3)
    assert (told.net - plain.net)[0] == pytest.approx((-1_000.0 - 3_000.0 + 3e6 * 0.005 / 252) / 1e7)


def test_a_future_pays_half_a_tick_and_a_fee_a_side_and_ties_no_cash() -> None:
    market, weights = flat_market(5_000.0), np.array([[0.5, 0.0]] * 3)
    tick = np.array([12.5, np.nan])
    told = backtest(market, weights, terms=Terms(tick_usd=tick))
    assert told.charges.kinds()["spread"] == pytest.approx([1_000 * 6.25, 0.0, 0.0])
    assert told.charges.kinds()["fees"] == pytest.approx([1_000 * 2.25, 0.0, 0.0])
    assert told.gross == pytest.approx([DEFAULT.cash_rate_session] * 3)  # all of the capital still earns
    assert backtest(market, weights).gross == pytest.approx([DEFAULT.cash_rate_session / 2] * 3)


def test_a_round_trip_carries_a_split_and_a_dividend() -> None:
    """In at 50 with an ATR of 2; 2-for-1 and then half a dollar a share; out at 26: entry becomes 24.5."""
    prices = np.array([[50.0], [27.0], [26.0], [26.0]])
    split = np.array([[1.0], [2.0], [2.0], [2.0]])
    total = split * np.array([[1.0], [1.0], [27.0 / 26.5], [27.0 / 26.5]])
    market = flat_market(50.0, 4, 1, open=prices, close=prices, high=prices + 1.0, low=prices - 1.0,
                         split_factor=split, total_return_factor=total)
    told = backtest(market, np.array([[0.5], [0.5], [0.0]]), FREE)
    trip, = told.trips
    assert (trip["side"], trip["sessions"], trip["reason"], trip["shares"]) == (1, 2, "SIGNAL", 20_000)
    assert (trip["entry"], trip["exit"], trip["pnl"]) == pytest.approx((24.5, 26.0, 30_000.0))
    assert trip["R"] == pytest.approx(1.5)  # an ATR of 2 before a 2-for-1 is one after it
    assert (trip["mfe_R"], trip["mae_R"]) == pytest.approx((3.0, -0.5))


def test_a_dead_names_trip_ends_at_its_terminal_price() -> None:
    opened = np.array([[10.0], [10.0], [np.nan], [np.nan]])
    close = np.array([[10.0], [4.0], [np.nan], [np.nan]])
    market = flat_market(10.0, 4, 1, open=opened, close=close, high=opened, low=close)
    told = backtest(market, np.full((3, 1), 0.5), FREE)
    trip, = told.trips
    assert (trip["reason"], trip["exit"], trip["pnl"]) == ("DELISTED", 4.0, -300_000.0)
    assert told.net.sum() == pytest.approx(-0.3)


def test_a_stop_ends_a_position_inside_the_session_and_it_is_not_entered_again() -> None:
    opened = np.array([[100.0], [101.0], [97.0], [99.0], [99.0]])
    low = np.array([[99.0], [94.0], [96.0], [98.0], [98.0]])
    market = flat_market(100.0, 5, 1, open=opened, close=opened, high=opened + 1.0, low=low)
    rules = Rules(stop=StopRule("fixed", pct=0.05))
    told = backtest(market, np.full((4, 1), 0.5), FREE, rules=rules)
    assert told.book.shares[:, 0].tolist() == [5_000.0, 5_000.0, 0.0, 0.0]
    assert told.book.stop_price[1, 0] == 95.0
    trip, = told.trips
    assert (trip["reason"], trip["exit"]) == ("SL", pytest.approx(95.0, abs=0.02))
    assert trip["R"] == pytest.approx(-1.0, abs=0.02)
    assert told.net.sum() == pytest.approx(trip["pnl"] / 1e6)
    turned = backtest(market, np.array([[0.5], [0.5], [-0.5], [0.5]]), FREE, rules=rules)
    assert np.sign(turned.book.shares[:, 0]).tolist() == [1.0, 1.0, -1.0, 1.0]


def test_a_day_without_a_rebalance_forgives_no_stop() -> None:
    opened = np.array([[100.0], [93.0], [93.0], [93.0], [93.0]])
    market = flat_market(100.0, 5, 1, open=opened, close=opened, high=opened, low=opened)
    weights = np.array([[0.5], [0.0], [0.5], [0.5]])  # what stands on days that decide nothing means nothing
    rules = Rules(stop=StopRule("fixed", pct=0.05), rebalance=np.array([True, False, True, True]))
    assert backtest(market, weights, FREE, rules=rules).book.shares[:, 0].tolist() == [5_000.0, 0.0, 0.0, 0.0]


def test_a_gap_through_the_stop_fills_at_the_open_and_a_short_is_stopped_above() -> None:
    opened = np.array([[100.0, 100.0], [90.0, 112.0], [90.0, 112.0], [90.0, 112.0]])
    market = flat_market(100.0, 4, 2, open=opened, close=opened, high=opened, low=opened)
    told = backtest(market, np.array([[0.4, -0.4]] * 3), FREE, rules=Rules(stop=StopRule("fixed", pct=0.05)))
    assert told.book.trades[1].tolist() == [-4_000.0, 4_000.0]
    assert told.net.sum() == pytest.approx(-0.04 - 0.048)
    assert (told.book.shares[1:] == 0.0).all()


@pytest.mark.parametrize(("stop", "exit_at", "reason"), [
    (StopRule("atr", multiple=3.0), None, None), (StopRule("atr", multiple=1.0, reward_risk=2.0), 104.0, "TP"),
    (StopRule("trailing", pct=0.04), 102.0, "TP"), (StopRule("time", bars=2), 104.5, "SIGNAL")])
def test_each_kind_of_stop(stop: StopRule, exit_at: float | None, reason: str | None) -> None:
    """ATR is 2. Up to a high of 106, and then a low of 101."""
    opened = np.array([[100.0], [103.0], [104.5], [104.5]])
    market = flat_market(100.0, 4, 1, open=opened, close=opened, high=np.array([[101.0], [106.0], [105.0], [105.0]]),
                         low=np.array([[99.5], [102.5], [101.0], [104.0]]))
    rules = Rules(stop=stop, rebalance=np.array([True, False, False]))
    told = backtest(market, np.full((3, 1), 0.5), FREE, rules=rules)
    assert [trip["exit"] for trip in told.trips] == ([] if exit_at is None else [pytest.approx(exit_at)])
    assert [trip["reason"] for trip in told.trips] == ([] if reason is None else [reason])


def test_a_stop_that_cannot_be_placed_is_counted() -> None:
    market = flat_market(100.0, 4, 2)
    market.atr_usd[:, 1] = np.nan
    told = backtest(market, np.array([[0.2, 0.2]] * 3), FREE, rules=Rules(stop=StopRule("atr", multiple=1.0)))
    assert told.figures()["unguarded"] == 1 and told.trips == []
    assert told.book.risk_usd[0].tolist() == [2.0, pytest.approx(np.nan, nan_ok=True)]


def test_a_stop_goes_with_a_split() -> None:
    prices = np.array([[100.0], [50.0], [50.0], [50.0]])
    split = np.array([[1.0], [2.0], [2.0], [2.0]])
    market = flat_market(100.0, 4, 1, open=prices, close=prices, high=prices + 0.5, low=np.array(
        [[99.0], [48.0], [47.4], [50.0]]), split_factor=split, total_return_factor=split)
    told = backtest(market, np.full((3, 1), 0.5), FREE, rules=Rules(stop=StopRule("fixed", pct=0.05)))
    assert told.book.stop_price[2, 0] == 47.5 and (told.book.stopped[:2] == 0.0).all()


def test_between_rebalances_shares_stay_and_turnover_has_its_limit() -> None:
    market = a_market(1).rows(22)
    count, names = len(market.prices.sessions) - 1, len(market.prices.names)
    weights = np.random.default_rng(0).normal(0.0, 0.2, (count, names))
    weekly = np.arange(count) % 5 == 0
    told = backtest(market, weights, rules=Rules(rebalance=weekly, turnover_limit=0.25))
    assert (told.book.trades[~weekly] == 0.0).all() and (told.book.trades[weekly] != 0.0).any(axis=1).all()
    assert 0.2 < told.turnover[weekly].max() <= 0.25
    free = hold(market, weights, DEFAULT, Rules(rebalance=weekly))
    assert np.abs(free.trades).sum() > np.abs(told.book.trades).sum()


def test_tables_hold_what_the_arrays_say() -> None:
    market = a_market(2).rows(22)
    weights = np.random.default_rng(2).normal(0.0, 0.2, (len(market.prices.sessions) - 1, 9))
    told = backtest(market, weights)
    tables = told.tables()
    equity = tables["equity"].to_pydict()
    kinds = np.sum([equity[f"{name}_usd"] for name in ("spread", "impact", "fees", "borrow", "funding")], axis=0)
    assert kinds == pytest.approx(told.cost * DEFAULT.capital_usd)
    assert np.diff([DEFAULT.capital_usd, *equity["equity_usd"]]) == pytest.approx(told.net * DEFAULT.capital_usd)
    positions = tables["positions"].to_pydict()
    assert sum(positions["gain_usd"]) == pytest.approx(told.book.gain.sum())
    assert sum(positions["cost_usd"]) == pytest.approx(told.cost.sum() * DEFAULT.capital_usd)
    frames = told.frames()
    assert frames["trades"]["mae_R"].max() <= 0.0 <= frames["trades"]["mfe_R"].min()
    assert len(frames["trades"]) == told.figures()["trades"] > 50
    closed = sum(trip["pnl"] for trip in told.trips)
    assert abs(closed) < 10e6 and {trip["reason"] for trip in told.trips} == {"SIGNAL", "DELISTED"}


def test_rows_of_daily_bars_become_a_market() -> None:
    whole = a_market(3, sessions=40, names=9)
    row, column = np.nonzero(np.isfinite(whole.prices.open_raw))
    turned = np.random.default_rng(1).permutation(len(row))
    row, column = row[turned], column[turned]
    at = row, column
    first = dt.date(2024, 1, 2)
    table = pa.table({
        "session": [first + dt.timedelta(int(day)) for day in row], "instrument_id": [f"n{i}" for i in column],
        "open": whole.prices.open_raw[at], "high": whole.high_raw[at], "low": whole.low_raw[at],
        "close": whole.prices.close_raw[at], "volume": whole.volume[at], "split_factor": whole.prices.split_factor[at],
        "total_return_factor": whole.prices.total_return_factor[at]})
    made = Market.from_table(table)
    assert made.prices.open_raw.tobytes() == whole.prices.open_raw.tobytes()
    assert made.atr_usd.tobytes() == whole.atr_usd.tobytes()
    with pytest.raises(ValueError, match="two bars in one session"):
        Market.from_table(pa.concat_tables([table, table.slice(0, 1)]))


@pytest.mark.parametrize(("words", "match"), [
    ({"weights": np.zeros((3, 3))}, "2 names"), ({"weights": np.zeros((4, 2))}, "5 sessions of prices"),
    ({"rules": Rules(rebalance=np.ones(2, bool))}, "each of 3 sessions"),
    ({"rules": Rules(turnover_limit=0.0)}, "share"), ({"rules": Rules(stop=StopRule("time"))}, "needs bars"),
    ({"rules": Rules(stop=StopRule("volume"))}, "--engine event"),
    ({"rules": Rules(stop=StopRule("fixed"))}, "needs pct"), ({"terms": Terms(funding=np.zeros((2, 2)))}, "funding"),
    ({"terms": Terms(linear_impact=-1.0)}, "not below nought")])
def test_what_does_not_fit_is_refused_in_plain_words(words, match) -> None:
    with pytest.raises(ValueError, match=match):
        backtest(flat_market(), **{"weights": np.zeros((3, 2)), **words})


def test_a_bar_without_volume_fills_nothing_and_stops_nothing() -> None:
    halted, fallen = np.ones((6, 2)), np.full((6, 2), 50.0)
    halted[2:4, 0] = 0.0
    fallen[2:4, 0] = 40.0  # an exchange's made-up quotes of a halt, far under the stop
    market = flat_market(sessions=6, volume=halted, low=fallen)
    held = backtest(market, np.array([[0.1, 0.1]] * 2 + [[0.0, 0.0]] * 3))
    assert held.book.shares[:, 0].tolist() == [20_000, 20_000, 20_000, 20_000, 0]
    assert held.book.shares[:, 1].tolist() == [20_000, 20_000, 0, 0, 0] and np.isfinite(held.net).all()
    stop = StopRule("fixed", pct=0.1, bars=3)
    kept = backtest(market, np.full((5, 2), 0.1), rules=Rules(stop=stop))
    assert not kept.book.stopped.any()
    assert kept.book.shares[:, 0].tolist() == [20_000] * 5 and kept.book.shares[:, 1].tolist() == [20_000] * 3 + [0] * 2


def test_a_price_that_is_not_above_nought_is_refused_by_name_and_day() -> None:
    low = np.full((4, 2), 50.0)
    low[2, 1] = -37.63
    with pytest.raises(ValueError, match="n1 has a low of -37.63 on 2024-01-04"):
        flat_market(low=low)


def test_time_has_an_order() -> None:
    bars = {name: np.ones((3, 1)) for name in ("open", "high", "low", "close", "volume", "split_factor",
                                               "total_return_factor")}
    days = np.datetime64("2024-01-02") + np.array([0, 2, 1])
    with pytest.raises(ValueError, match="order of time"):
        Market.from_bars(days, ("n0",), bars)
    with pytest.raises(ValueError, match="lack high"):
        Market.from_bars(np.sort(days), ("n0",), {name: values for name, values in bars.items() if name != "high"})
