"""The generated market: the same for the same seed, sound bar by bar, and predictable exactly as far as it says."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

from pipelines import calendars, sandbox, settings
from pipelines.sandbox import clock, equities, market, options, oracle, signal
from tests import OWN

SMALL = {"seed": 3, "sandbox": {
    "small": True, "names": 8, "sessions": 300, "nights": 6, "chain_sessions": 3, "tick_sessions": 2}}


def usual(signal: str | float) -> market.Market:
    return sandbox.generate(settings.load({"seed": 3, "sandbox": {"small": True, "signal": signal}}, environment=OWN))


def made(**sandbox_settings: object) -> market.Market:
    values = {**SMALL, "sandbox": {**SMALL["sandbox"], **sandbox_settings}}  # type: ignore[dict-item]
    return sandbox.generate(settings.load(values, environment=OWN))


@pytest.fixture(scope="module")
def small() -> market.Market:
    return made()


def test_the_same_settings_make_the_same_market_and_another_seed_another(small: market.Market) -> None:
    again, other = made(), sandbox.generate(settings.load({**SMALL, "seed": 4}, environment=OWN))
    for column in ("open", "high", "low", "close", "volume", "trades", "vwap"):
        np.testing.assert_array_equal(getattr(small.bars, column), getattr(again.bars, column))
    assert not np.array_equal(small.bars.close, other.bars.close, equal_nan=True)


def test_the_past_does_not_depend_on_how_many_nights_are_to_come(small: market.Market) -> None:
    shorter = made(nights=0)
    count = len(shorter.sessions)
    assert count == shorter.base + 1 == small.base + 1
    np.testing.assert_array_equal(shorter.bars.volume, small.bars.volume[:count])
    np.testing.assert_array_equal(shorter.bars.low, small.bars.low[:count])
    np.testing.assert_array_equal(shorter.days.drift, small.days.drift[:count])


def test_nights_follow_their_sessions_and_end(small: market.Market) -> None:
    assert small.night_now(0) == dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)
    assert [clock.night_of(s) for s in small.sessions[small.base :]] == [small.night_now(k) for k in range(7)]
    assert small.night_now(4).date() == dt.date(2025, 7, 8)  # the night after Monday; the 4th was a holiday
    with pytest.raises(sandbox.NoSuchNight, match="nights 0 to 6"):
        small.night_now(7)


def test_every_bar_is_sound(small: market.Market) -> None:
    bars, alive = small.bars, small.days.alive
    for prices in (bars.open, bars.high, bars.low, bars.close):
        assert np.isnan(prices[~alive]).all() and (prices[alive] > 1).all()
        np.testing.assert_array_equal(prices[alive], np.round(prices[alive], 2))
    assert (bars.high >= np.fmax(bars.open, bars.close))[alive].all()
    assert (bars.low <= np.fmin(bars.open, bars.close))[alive].all()
    assert (bars.volume[alive] > 1000).all() and (bars.volume[~alive] == 0).all()


def test_day_bars_are_exactly_what_their_minutes_add_up_to(small: market.Market) -> None:
    for session in small.sessions[small.base :]:
        number = small.index_of[session]
        tape = small.minute_bars(session)
        starts = tape["bar_start"].to_pylist()
        assert starts == sorted(starts)
        assert min(starts) == calendars.open_at(session)
        assert max(starts) == calendars.close_at(session) - dt.timedelta(minutes=1)  # 13:00 on the 3rd of July
        for place, company in enumerate(small.cast):
            mine = tape.filter(pc.equal(tape["ticker"], company.ticker_on(number)))
            if not company.trades_on(number):
                continue
            assert mine["bar_start"][0].as_py() == calendars.open_at(session)
            columns = ("open", "high", "low", "close", "volume")
            day = {name: getattr(small.bars, name)[number, place] for name in columns}
            assert day == {
                "open": mine["open"][0].as_py(), "high": pc.max(mine["high"]).as_py(),
                "low": pc.min(mine["low"]).as_py(), "close": mine["close"][-1].as_py(),
                "volume": pc.sum(mine["volume"]).as_py(),
            }  # fmt: skip
    with pytest.raises(market.NoMinutes, match=str(small.sessions[small.base])):
        small.minute_bars(small.sessions[small.base - 1])


def test_one_dies_one_changes_its_ticker_and_one_takes_the_dead_ones(small: market.Market) -> None:
    living = [company for company in small.cast if company.last is None]
    dead = [company for company in small.cast if company.last is not None]
    renamed = [company for company in living if len(company.tickers) > 1]
    heirs = [company for company in living if company.tickers[0][1] == dead[0].tickers[0][1]]
    assert (len(living), len(dead), len(renamed), len(heirs)) == (8, 1, 1, 1)
    assert heirs[0].first > dead[0].last + 20  # a gap between the two lives
    assert heirs[0].figi != dead[0].figi and heirs[0].cik != dead[0].cik
    for number in range(len(small.sessions)):
        held = [company.ticker_on(number) for company in small.cast if company.trades_on(number)]
        assert len(held) == len(set(held))


def test_prices_with_forward_factors_move_only_by_the_markets_own_returns(small: market.Market) -> None:
    prices = oracle.true_prices(small)
    assert {split.split_to > split.split_from for split in small.splits} == {True, False}
    assert len(small.dividends) > 4 and (small.days.cash > 0).sum() == len(small.dividends)
    moves = np.abs(np.diff(np.log(small.bars.close * prices.total_return_factor), axis=0))
    assert np.nanmax(moves) < 0.25
    assert np.nanmax(np.abs(np.diff(np.log(small.bars.close), axis=0))) > 0.6  # raw prices do jump, by the splits


def test_signal_zero_has_none_and_strong_is_worth_its_promise() -> None:
    zero, strong = made(signal="zero"), usual(signal="strong")
    assert np.nanmax(np.abs(zero.days.drift)) == 0.0 and zero.oracle_sharpe() == 0.0
    assert 4.0 < strong.oracle_sharpe() < 9.5
    known, alive = strong.days.drift[:-1], strong.days.alive[:-1] & strong.days.alive[1:]
    earned = oracle.true_prices(strong).holding_returns()
    planted = range(signal.WINDOW + 1, len(known))
    by_session = [np.corrcoef(known[s, alive[s]], earned[s, alive[s]])[0, 1] for s in planted]
    assert 0.06 < np.mean(by_session) < 0.14
    assert np.isnan(made(sessions=200).oracle_sharpe())  # all of it is for training: nothing is measured
    half = usual(signal=0.5)
    modest = usual(signal="modest")
    assert 0.3 < half.oracle_sharpe() / strong.oracle_sharpe() < 0.7
    np.testing.assert_array_equal(half.bars.close, modest.bars.close)


def test_the_planted_drift_knows_nothing_of_the_future(small: market.Market) -> None:
    """With every move after a session replaced, the means decided up to the next morning stay as they were."""
    cut = small.base - 40
    moves = small.noise.moves.copy()
    moves[cut + 1 :] = -moves[cut + 1 :]
    other = equities.make_days(
        small.cast, small.traits, replace(small.noise, moves=moves), signal.strength(small.settings), small.splits,
        small.dividends,
    )  # fmt: skip
    np.testing.assert_array_equal(other.drift[: cut + 2], small.days.drift[: cut + 2])
    assert not np.array_equal(other.drift[cut + 2], small.days.drift[cut + 2], equal_nan=True)


def test_the_planted_drift_gives_back_what_published_closes_show(small: market.Market) -> None:
    closes = (small.bars.close * oracle.true_prices(small).total_return_factor)[small.base - signal.WINDOW : small.base]
    stretch = (closes[-1] - closes.mean(axis=0)) / closes.std(axis=0)
    alive = small.days.alive[small.base]
    assert np.corrcoef(stretch[alive], small.days.drift[small.base, alive])[0, 1] < -0.7


def test_chains_sit_around_the_spot_and_have_the_vendors_gaps(small: market.Market) -> None:
    for number in options.chain_sessions(small):
        chain = options.make_chain(small, number)
        strikes = np.array([int(contract[-8:]) / 1000 for contract in chain.contract])
        expiries = {contract[-15:-9] for contract in chain.contract}
        assert strikes.min() < chain.spot < strikes.max()
        assert f"{chain.session:%y%m%d}" in expiries and len(expiries) in (4, 5)  # four, and yesterday's leftovers
        columns = chain.columns
        assert (columns["iv"][chain.expired] == 0).all() and 0.05 < (columns["iv"] == 0).mean() < 0.5
        assert (columns["ask"] >= columns["bid"]).all() and (columns["volume"] == 0).any()
        today = np.array([contract[-15:-9] == f"{chain.session:%y%m%d}" for contract in chain.contract])
        assert 0.25 < columns["volume"][today].sum() / columns["volume"].sum() < 0.75
        gamma = columns["gamma"][columns["gamma"] > 0]
        assert len(gamma) > 60 and gamma.max() < 0.02
